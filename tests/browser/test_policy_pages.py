"""The reading pages of policies: right to the eye at both widths, complete without script, calm on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HEIGHTS, Window
from tests.browser.looks import looks_right, picture

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGES = {
    "policies": "/policies",
    "policy-text": "/policies/privacy",
    "policy-text-dutch": "/policies/privacy?lang=nl",
    "policy-versions": "/policies/privacy/versions",
    "policy-version": "/policies/privacy/versions/2",
}


@pytest.mark.parametrize("width", HEIGHTS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_looks_right(window: Window, name: str, width: int) -> None:
    page = window(width)
    page.goto(PAGES[name])
    looks_right(page)
    picture(page, name)
    picture(page, f"{name}-whole", whole=True)


def test_everything_can_be_done_without_script(window: Window) -> None:
    page = window(script=False)
    page.goto("/policies")
    page.get_by_role("link", name="Privacy statement").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("This text changes on")
    page.get_by_role("link", name="Nederlands").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Privacyverklaring")
    page.get_by_role("link", name="Lees de tekst in het Engels").click()
    page.get_by_role("button", name="See the changes").click()
    expect(page.locator("del").first).to_be_visible()
    page.get_by_role("link", name="New text").click()
    expect(page.locator(".touched").first).to_be_visible()
    page.get_by_role("link", name="All versions").click()
    page.get_by_label("Old").select_option("2")
    page.get_by_label("New").select_option("1")
    page.get_by_role("button", name="Compare these versions").click()
    page.get_by_role("link", name="Compare the other way round").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Privacy statement: from version 1 to version 2")


def test_contents_stand_at_the_side_of_a_wide_screen_and_fold_on_a_phone(window: Window) -> None:
    wide, narrow = window(1280), window(390)
    for page in (wide, narrow):
        page.goto("/policies/privacy")
    side = wide.get_by_role("navigation", name="Contents")
    text = wide.locator("article")
    expect(side).to_be_visible()
    places = [place.bounding_box() for place in (side, text)]
    assert places[0]
    assert places[1]
    assert places[0]["x"] + places[0]["width"] <= places[1]["x"]
    narrow.get_by_text("Contents", exact=True).first.click()
    narrow.get_by_role("link", name="Your rights").click()
    expect(narrow.locator(":target")).to_be_in_viewport()


def test_each_section_shows_its_own_address_to_the_mouse_and_to_the_keyboard(window: Window) -> None:
    page = window()
    page.goto("/policies/privacy")
    link = page.get_by_role("link", name="Link to this section: Who helps us")
    expect(link).to_have_css("opacity", "0")
    page.get_by_role("heading", name="Who helps us").hover()
    expect(link).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    page.keyboard.press("Tab")
    link.focus()
    expect(link).to_have_css("opacity", "1")
    link.press("Enter")
    expect(page.locator(":target")).to_have_text("Who helps us")


def test_paper_has_the_text_and_the_addresses_behind_its_links(window: Window) -> None:
    page = window()
    page.goto("/policies/privacy")
    page.emulate_media(media="print")
    for gone in (".languages", ".toc-side", ".toc-fold", ".ways", ".anchor", "footer"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator(".pending")).to_be_visible()
    script = "link => getComputedStyle(link, '::after').content"
    address = page.get_by_role("link", name="our privacy desk").evaluate(script)
    assert "https://privacy.example/ask" in address
    picture(page, "policy-text-print", whole=True)
