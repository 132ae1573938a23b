"""The reply desk in a browser: one key decides, another goes on, and nothing of a stranger's mail is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from mailer import clock
from mailer.db import reading, transaction
from mailer.inbound import queries
from mailer.inbound.answers import actions as answers
from mailer.inbound.desk import DeskState
from mailer.inbound.rules import Kind
from tests import factories
from tests.browser.conftest import HEIGHTS, new_window
from tests.browser.looks import looks_right, picture
from tests.browser.small_site import serving
from tests.conftest import Configure
from tests.inbound.world import letter, take_in, told

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HTML = (
    "<style>p{color:green}</style><p>Klopt dit?</p><img src='https://evil.example/x.png'>"
    "<script>document.title='owned'</script>"
)
Desk = Callable[[int], Page]


@pytest.fixture
def mails(database: str) -> list[str]:
    """Three mails that wait, oldest first, the last of them in HTML."""
    with transaction() as session:
        jan = told(session)
        who = factories.staff(session, email="sam@company.example").id
        answers.add(session, name="Prijs", locale="nl", text="De prijs stijgt niet.", staff_id=who, at=clock.now())
        raws = [
            letter("Als de prijs stijgt zeg ik op.", to=jan.reply, proven=True),
            letter("Mag ik een kopie van al mijn gegevens?", to=jan.reply, message_id="<2@example.nl>"),
            letter(HTML, message_id="<3@example.nl>").replace(b"text/plain", b"text/html"),
        ]
        return [
            take_in(session, raw, jan.reply if n < 2 else "privacy@leadmark.example").id for n, raw in enumerate(raws)
        ]


@pytest.fixture
def desk(chromium: Browser, app: Flask, mails: list[str], configure: Configure) -> Iterator[Desk]:
    """`desk(390)` is a colleague's window of that width; failing scripts and answers from elsewhere fail."""
    complaints: list[str] = []
    with serving(app) as address:
        configure(public_url=address)

        def open_(width: int) -> Page:
            page: Page = new_window(chromium, address, width).new_page()
            page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
            page.on("response", lambda answer: complaints.extend(_elsewhere(answer.url, address)))
            page.goto("/admin/sign-in")
            page.get_by_label("E-mail address").fill("sam@company.example")
            page.get_by_label("Password").fill(factories.PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/admin/")
            return page

        yield open_
    assert not complaints, "\n".join(complaints)


def _elsewhere(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "data:")) else [f"an answer from {url}"]


def _decided(mail_id: str) -> Kind | None:
    with reading() as session:
        mail = queries.get(session, mail_id)
        return mail.decided_kind if mail.state is DeskState.DECIDED else None


@pytest.mark.parametrize("width", HEIGHTS)
def test_the_desk_looks_right_at_a_desk_and_on_a_phone(desk: Desk, mails: list[str], width: int) -> None:
    page = desk(width)
    page.goto("/admin/replies/")
    looks_right(page)
    picture(page, "desk-list")
    for mail_id in mails:
        page.goto(f"/admin/replies/{mail_id}")
        looks_right(page)
        picture(page, f"desk-mail-{mails.index(mail_id)}", whole=True)
    for path in ("templates/", "templates/new"):
        page.goto(f"/admin/replies/{path}")
        looks_right(page)


def test_one_key_decides_another_goes_on_and_a_third_takes_it_back(desk: Desk, mails: list[str]) -> None:
    page = desk(1280)
    page.goto(f"/admin/replies/{mails[0]}")
    page.keyboard.press("q")
    expect(page.get_by_role("status").first).to_contain_text("Decided: question")
    assert _decided(mails[0]) is Kind.QUESTION
    page.keyboard.press("u")
    expect(page.get_by_role("status").first).to_contain_text("taken back")
    assert _decided(mails[0]) is None
    page.keyboard.press("n")
    page.wait_for_url(f"**/{mails[1]}")


def test_keys_rest_while_somebody_writes_and_when_they_are_switched_off(desk: Desk, mails: list[str]) -> None:
    page = desk(1280)
    page.goto(f"/admin/replies/{mails[0]}")
    page.get_by_label("Answer", exact=True).press_sequentially("tqs")
    assert _decided(mails[0]) is None
    page.get_by_role("button", name="Switch the keys off").click()
    page.locator("h1").click()
    page.keyboard.press("s")
    page.get_by_role("button", name="Switch the keys on").click()
    assert _decided(mails[0]) is None
    page.keyboard.press("s")
    expect(page.get_by_role("status").first).to_contain_text("Decided: spam or forged")


def test_a_template_fills_the_answer(desk: Desk, mails: list[str]) -> None:
    page = desk(1280)
    page.goto(f"/admin/replies/{mails[0]}")
    page.get_by_role("link", name="Prijs").click()
    expect(page.get_by_label("Answer", exact=True)).to_have_value("De prijs stijgt niet.")
    looks_right(page)


def test_the_html_of_a_stranger_runs_nothing_and_loads_nothing(desk: Desk, mails: list[str]) -> None:
    page = desk(1280)
    page.goto(f"/admin/replies/{mails[2]}?view=html")
    frame = page.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame.content_frame.get_by_text("Klopt dit?")).to_be_visible()
    assert "owned" not in page.title()
