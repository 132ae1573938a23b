"""A real Chromium on a running service in the middle of the story, at the width of a desk and of a phone.

The story is told to its ninth step once; each test then brings what it changes: a campaign, a policy, a person.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright
from sqlalchemy.orm import Session

from mailer.demo.stage import PASSWORD, WORD_OF, Stage
from tests.browser.small_site import serving
from tests.conftest import Configure
from tests.journeys.conftest import fresh_telling
from tests.policies import sample

HEIGHTS = {1280: 900, 390: 844}
PATIENCE = 20_000.0  # ms
REFUSED = re.compile(r"Failed to load resource.* 4\d\d ")
expect.set_options(timeout=PATIENCE)


class Opener(Protocol):
    """How a test opens a browser window: a stranger's, or of a member of staff."""

    def __call__(self, who: str = "", *, script: bool = True, **context: Any) -> Page: ...


class Window(Protocol):
    """How a test opens a reader's window on the policy pages alone."""

    def __call__(self, width: int = 1280, *, script: bool = True, **more: Any) -> Page: ...


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    """A running service, nine steps into the story: a campaign out, a change pending, answers in."""
    with fresh_telling() as telling:
        yield telling.to(9)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture(params=HEIGHTS)
def width(request: pytest.FixtureRequest) -> int:
    """A desk, then a phone."""
    return int(request.param)


@pytest.fixture
def opened(
    chromium: Browser, stage: Stage, width: int, signed_in_as: Callable[[str], StorageState]
) -> Iterator[Opener]:
    """`opened("policy")` is a new window of the policy officer. What its console complains of fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(who: str = "", *, script: bool = True, **context: Any) -> Page:
        state = signed_in_as(who) if who else None
        contexts.append(_context(chromium, stage, width, java_script_enabled=script, storage_state=state, **context))
        page: Page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.extend(complaint(message)))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: complaints.extend(_foreign(request.url, stage.world.base)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def policy_site(app: Flask, session: Session, configure: Configure) -> Iterator[str]:
    """The app alone on a port of its own, with the policies of `tests.policies.sample`; gives its address."""
    sample.history(session)
    session.commit()
    with serving(app) as address:
        configure(public_url=address)
        yield address


@pytest.fixture
def window(chromium: Browser, policy_site: str) -> Iterator[Window]:
    """`window(390)` is a reader's window of that width on `policy_site`; complaints of its console fail the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(width: int = 1280, *, script: bool = True, **more: Any) -> Page:
        contexts.append(new_window(chromium, policy_site, width, java_script_enabled=script, **more))
        page: Page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.extend(complaint(message)))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="package")
def signed_in_as(chromium: Browser, stage: Stage) -> Callable[[str], StorageState]:
    """The cookies of a member of staff who has signed in, once for all of these tests."""
    kept: dict[str, StorageState] = {}

    def sign_in(who: str) -> StorageState:
        if who not in kept:
            stage.staff(who)  # past the first password
            context = _context(chromium, stage, 1280)
            page = context.new_page()
            page.goto("/admin/sign-in")
            page.get_by_label("E-mail address").fill(f"{who}@leadmark.example")
            page.get_by_label("Password").fill(PASSWORD.format(WORD_OF[who]))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/admin/")
            kept[who] = context.storage_state()
            context.close()
        return kept[who]

    return sign_in


def _context(chromium: Browser, stage: Stage, width: int, **more: Any) -> BrowserContext:
    return new_window(chromium, stage.world.base, width, **more)


def new_window(chromium: Browser, base_url: str, width: int, **more: Any) -> BrowserContext:
    """A window of a desk's or a phone's width on a site."""
    context = chromium.new_context(
        base_url=base_url,
        viewport={"width": width, "height": HEIGHTS[width]},
        reduced_motion="reduce",
        **{"locale": "en-GB"} | more,
    )
    context.set_default_timeout(PATIENCE)
    return context


def complaint(message: ConsoleMessage) -> list[str]:
    """What a console says that nobody meant to happen."""
    url = str(message.location.get("url"))
    says_no = REFUSED.search(message.text) and "/static/" not in url  # a page may, on purpose
    return [] if message.type != "error" or says_no else [f"{url}: {message.text}"]


def _foreign(url: str, base: str) -> list[str]:
    return [] if url.startswith((base, "data:", "about:")) else [f"{url} is not ours"]
