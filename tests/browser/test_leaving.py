"""A reader leaves by the link of a mail: one sentence, one button, and the way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mailer.demo.marketing_chapter import NEXT_SUBJECT
from mailer.demo.stage import Caught, Stage
from tests.browser.conftest import Opener
from tests.browser.looks import looks_right, picture


@pytest.fixture
def mail(stage: Stage, width: int) -> Caught:
    """A newsletter somebody got; another reader for each width."""
    return stage.caught(NEXT_SUBJECT)[width % 7]


def test_one_button_stops_newsletters_and_says_what_goes_on(opened: Opener, mail: Caught) -> None:
    page = opened()
    page.goto(mail.link("/u/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Leave our newsletters")
    assert page.get_by_role("button").count() == 1
    looks_right(page)
    picture(page, "leave")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.textContent") != "Unsubscribe":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left our newsletters")
    expect(page.get_by_role("list").first).to_contain_text("News")
    expect(page.locator("main")).to_contain_text("Essential messages continue")
    looks_right(page)
    picture(page, "left")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Taken back")
    looks_right(page)
    page.get_by_role("link", name="Choose topics").click()
    page.get_by_label("News").uncheck()
    page.get_by_label("Events").check()
    page.get_by_role("button", name="Save my choice").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("News")).not_to_be_checked()
    expect(page.get_by_label("Events")).to_be_checked()
    looks_right(page)
    picture(page, "preferences")


def test_leaving_needs_no_script_and_speaks_the_readers_language(opened: Opener, stage: Stage, width: int) -> None:
    mail = stage.caught(NEXT_SUBJECT)[8 + width % 7]
    page = opened(script=False, locale="nl-NL")
    page.goto(mail.link("/u/"))
    page.get_by_role("button", name="Afmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U bent afgemeld voor onze nieuwsbrieven")
    page.get_by_role("button", name="Ongedaan maken").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ongedaan gemaakt")


def test_a_forged_link_shows_one_page_that_tells_nothing(opened: Opener, mail: Caught) -> None:
    page = opened()
    page.goto(mail.link("/u/")[:-4] + "AAAA")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    looks_right(page)
