"""The page of a policy's changes: a sentence, a list that leads into the text, marks that are also words."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.looks import looks_right, picture

HERE = "/policies/privacy-statement/diff/1..2"


def test_each_change_is_listed_and_led_to(opened: Opener) -> None:
    page = opened()
    page.goto(HERE)
    expect(page.locator(".diff-sentence")).to_have_text("2 changes: 3 words removed, 32 added.")
    looks_right(page)
    picture(page, "diff")
    changes = page.get_by_role("list", name="Changes").get_by_role("link")
    for title in changes.all_text_contents():
        changes.filter(has_text=title).press("Enter")
        place = page.locator(":target")
        expect(place).to_be_in_viewport()
        expect(place).to_contain_text(title)


def test_marks_are_told_in_words_too(opened: Opener) -> None:
    page = opened()
    page.goto(HERE)
    expect(page.locator("del").filter(has_text="12")).to_have_text("removed: 12 end of removal")
    expect(page.locator("ins").filter(has_text="24")).to_have_text("inserted: 24 end of insertion")
    hidden = page.locator("ins .visually-hidden").first.bounding_box()
    assert hidden
    assert hidden["width"] <= 1


def test_what_did_not_change_is_folded_and_opens_by_keyboard(opened: Opener) -> None:
    page = opened()
    page.goto(HERE)
    fold = page.locator("details.unchanged").first
    inside = fold.get_by_text("Leadmark respects your privacy")
    expect(inside).to_be_hidden()
    while not fold.locator("summary").evaluate("summary => summary === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()


def test_paper_shows_the_text_and_nothing_to_press(opened: Opener) -> None:
    page = opened()
    page.goto(HERE)
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Views of the comparison")).to_be_hidden()
    expect(page.locator("footer")).to_be_hidden()
    styles = "mark => [getComputedStyle(mark).color, getComputedStyle(mark).textDecorationLine]"
    assert page.locator("ins").last.evaluate(styles) == ["rgb(0, 0, 0)", "underline"]
    assert page.locator("del").last.evaluate(styles) == ["rgb(0, 0, 0)", "line-through"]


def test_it_needs_no_script(opened: Opener) -> None:
    page = opened(script=False)
    page.goto("/policies/privacy-statement")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("This text changes on")
    picture(page, "policy")
    page.get_by_role("button", name="See the changes").click()
    page.locator("details.unchanged summary").first.click()
    expect(page.get_by_text("Leadmark respects your privacy")).to_be_visible()
    page.get_by_role("link", name="Old and new wording").click()
    expect(page.get_by_text("Until now").first).to_be_visible()
    expect(page.locator("dd").nth(1)).to_contain_text("24 months")
