"""The banner on another company's site: under the strictest content policy, without cookies, closed by a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from mailer import db
from mailer.policies import queries
from tests.browser.looks import looks_right, picture
from tests.browser.small_site import serving
from tests.policies import sample

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A shop</title>
<script src="{origin}/policies/banner.js" data-policy="{policy}" {more} defer></script></head>
<body><main><h1>A shop</h1><div data-policy-banner="{place}"></div><p>Buy here.</p></main></body></html>"""
Shop = Callable[..., Page]


@pytest.fixture
def shop(chromium: Browser, policy_site: str) -> Iterator[Shop]:
    """`shop(lang="nl")` opens a page of another site with the banner. A complaint of the console fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_(policy: str = "privacy", width: int = 1280, bypass_csp: bool = False, **words: str) -> Page:
            said = {"lang": "en", "place": "", "more": ""} | words
            html = PAGE.format(origin=policy_site, policy=policy, **said)
            address = stack.enter_context(serving(another_site(html, policy_site)))
            context = chromium.new_context(viewport={"width": width, "height": 800}, bypass_csp=bypass_csp)
            stack.callback(context.close)
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(address)
            return page

        yield open_
    assert not complaints, "\n".join(complaints)


def another_site(html: str, origin: str) -> Any:
    """A site that allows its pages nothing but our script, our style and our answers."""
    app = Flask("shop")
    policy = f"default-src 'none'; script-src {origin}; connect-src {origin}; style-src {origin}; img-src data:"

    @app.get("/")
    def page() -> Response:
        return Response(html, headers={"Content-Security-Policy": policy})

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    return app


@pytest.mark.parametrize("width", [1280, 390])
def test_it_shows_the_change_and_leaves_no_trace(shop: Shop, policy_site: str, width: int) -> None:
    page = shop(width=width)
    banner = page.get_by_role("region", name="Changes of our policies")
    expect(banner).to_contain_text("“Privacy statement” changes on")
    expect(banner).to_contain_text(sample.SUMMARY)
    expect(banner.get_by_role("link", name="See the changes")).to_have_attribute(
        "href", f"{policy_site}/policies/privacy/diff/1..2"
    )
    assert page.locator("body > *").first.get_attribute("class") == "policy-banner-region"
    assert banner.evaluate("region => getComputedStyle(region).display") == "flex"
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    picture(page, "banner")


def test_it_closes_by_its_button_and_by_a_key(shop: Shop) -> None:
    page = shop()
    page.get_by_role("button", name="Close this notice").click()
    expect(page.get_by_role("region")).to_have_count(0)
    page.reload()
    page.get_by_role("link", name="See the changes").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region")).to_have_count(0)


def test_it_speaks_the_language_of_the_page_or_the_one_asked_for(shop: Shop) -> None:
    dutch = shop(lang="nl-NL").get_by_role("region", name="Wijzigingen in ons beleid")
    expect(dutch).to_contain_text("“Privacyverklaring” verandert op")
    expect(dutch).to_contain_text(sample.DUTCH.summary)
    asked = shop(lang="en", more='data-lang="nl"')
    expect(asked.get_by_role("button", name="Sluit deze melding")).to_be_visible()
    expect(shop(lang="eo").get_by_role("button", name="Close this notice")).to_be_visible()


def test_it_stands_where_the_site_wants_it(shop: Shop) -> None:
    page = shop(place="privacy")
    expect(page.locator("main > div > section.policy-banner-region")).to_be_visible()


def test_a_title_or_a_note_is_text_and_never_a_script(shop: Shop, session: Session) -> None:
    with db.transaction() as writing:
        policy = queries.get(writing, "privacy")
        policy.title = "<img src=x onerror=alert(1)>"
        sample.released(
            writing, policy, sample.NEW.replace("24", "36"), summary="<script>alert(2)</script>", translations={}
        )
    page = shop()
    expect(page.get_by_role("region")).to_contain_text("“<img src=x onerror=alert(1)>” changes on")
    expect(page.get_by_role("region")).to_contain_text("<script>alert(2)</script>")
    assert page.locator(".policy-banner-region img, .policy-banner-region script").count() == 0


def test_it_shows_nothing_where_nothing_changes(shop: Shop) -> None:
    page = shop("processors")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("region")).to_have_count(0)
    assert page.locator("link[rel=stylesheet]").count() == 0


def test_nobody_is_shut_out(shop: Shop) -> None:
    page = shop(bypass_csp=True)  # for axe, which styles what it measures
    expect(page.get_by_role("region")).to_be_visible()
    looks_right(page)
