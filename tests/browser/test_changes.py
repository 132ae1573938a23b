"""The page of a policy's changes: a sentence, a list that leads into the text, marks that are also words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import HEIGHTS, Window
from tests.browser.looks import looks_right, picture

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HERE = "/policies/privacy/diff/1..2"
READ_ALOUD = """\
Privacy statement: from version 1 to version 2
4 changes: 2 words removed, 2 added.
List of changes
1 moved Privacy statement
2 changed What we keep
3 split What we keep
4 changed Questions
The changes, marked
Change 1 of 4
Moved from its old place
You may object to a decision
Change 2 of 4
upload for removed: 12 end of removal inserted: 24 end of insertion months
Change 3 of 4
Split into several
removed: , and end of removal inserted: . end of insertion
inserted: And end of insertion then we remove
Moved to its new place
Change 4 of 4
removed: (link to https://privacy.example/ask) end of removal
inserted: (link to https://privacy.example/desk) end of insertion"""
MEDIA = {"light": {}, "dark": {"color_scheme": "dark"}, "print": {"media": "print"}}


@pytest.mark.parametrize("width", HEIGHTS)
@pytest.mark.parametrize("media", MEDIA)
def test_a_move_a_split_and_a_number_show_in_light_in_dark_and_on_paper(window: Window, width: int, media: str) -> None:
    page = window(width)
    page.emulate_media(**MEDIA[media])  # type: ignore[arg-type]
    page.goto(HERE)
    expect(page.locator(".change.moved")).to_contain_text("You may object to a decision")
    expect(page.locator(".change.split p.block")).to_have_count(2)
    expect(page.locator("del").filter(has_text="12")).to_be_visible()
    picture(page, f"policy-diff-{media}", whole=True)


@pytest.mark.parametrize("view", ["", "?view=marked", "?view=clean", "?lang=nl"])
@pytest.mark.parametrize("width", HEIGHTS)
def test_every_view_looks_right(window: Window, width: int, view: str) -> None:
    page = window(width)
    page.goto(HERE + view)
    looks_right(page)
    picture(page, f"policy-diff{view.replace('?', '-').replace('=', '-')}")


def test_a_screen_reader_hears_the_sentence_the_list_and_then_each_change(window: Window) -> None:
    page = window()
    page.goto(HERE)
    heard = read_aloud(page)
    at = 0
    for line in READ_ALOUD.splitlines():
        found = heard.find(line, at)
        assert found >= 0, f"“{line}” is not heard after “{heard[max(0, at - 60) : at]}”"
        at = found + len(line)


def test_each_change_is_listed_and_led_to(window: Window) -> None:
    page = window()
    page.goto(HERE)
    expect(page.locator(".diff-sentence")).to_have_text("4 changes: 2 words removed, 2 added.")
    changes = page.get_by_role("list", name="Changes").get_by_role("link")
    for link in changes.all():
        link.press("Enter")
        expect(page.locator(":target")).to_be_in_viewport()
        expect(page.locator(":target .path")).to_contain_text(link.inner_text())


def test_moves_are_linked_both_ways(window: Window) -> None:
    page = window()
    page.goto(HERE)
    page.get_by_role("link", name="Moved from its old place").click()
    expect(page.locator(":target")).to_have_class("moved moved-away")
    page.get_by_role("link", name="Moved to its new place").click()
    expect(page.locator(":target")).to_contain_text("a person of our staff will look at it again")


def test_keys_lead_from_change_to_change_and_can_be_turned_off(window: Window) -> None:
    page = window()
    page.goto(HERE)
    for key, label in (("n", "1"), ("n", "2"), ("j", "3"), ("n", "4"), ("n", "4"), ("p", "3"), ("k", "2")):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_have_attribute("aria-label", f"Change {label} of 4")
        expect(page.locator(":focus")).to_be_in_viewport()
    page.get_by_role("button", name="Keys").click()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("#change-2$"))
    page.get_by_role("button", name="Next change").click()
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Change 3 of 4")
    page.go_back()
    expect(page).to_have_url("about:blank")  # no press of a key is a step of the history


def test_without_script_each_change_leads_to_its_neighbours(window: Window) -> None:
    page = window(script=False)
    page.goto(HERE)
    page.get_by_role("group", name="Change 1 of 4").get_by_role("link", name="Next change").click()
    expect(page.locator(":target")).to_have_attribute("aria-label", "Change 2 of 4")
    page.locator(":target").get_by_text("Old and new wording").click()
    expect(page.locator(":target dd").first).to_contain_text("for 12 months")
    expect(page.locator(":target dd").last).to_contain_text("for 24 months")
    page.locator(":target").get_by_role("link", name="Previous change").click()
    expect(page.locator(":target")).to_have_attribute("aria-label", "Change 1 of 4")
    page.locator("details.unchanged summary").nth(1).click()
    expect(page.get_by_text("This statement says what we do")).to_be_visible()


def test_what_did_not_change_is_folded_and_opens_by_keyboard(window: Window) -> None:
    page = window()
    page.goto(HERE)
    fold = page.locator("details.unchanged").nth(1)
    inside = fold.get_by_text("This statement says what we do")
    expect(inside).to_be_hidden()
    while not fold.locator("summary").evaluate("summary => summary === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()


def test_marks_are_told_in_words_that_the_eye_does_not_see(window: Window) -> None:
    page = window()
    page.goto(HERE)
    expect(page.locator("del").filter(has_text="12")).to_have_text("removed: 12 end of removal")
    expect(page.locator("ins").filter(has_text="24")).to_have_text("inserted: 24 end of insertion")
    hidden = page.locator("ins .visually-hidden").first.bounding_box()
    assert hidden
    assert hidden["width"] <= 1


def test_the_new_text_can_be_read_and_says_where_it_changed(window: Window) -> None:
    page = window()
    page.goto(f"{HERE}?view=clean")
    changed = page.locator(".touched")
    expect(changed).to_have_count(5)
    expect(changed.nth(1)).to_contain_text("for 24 months")
    expect(page.locator(".clean del, .clean ins")).to_have_count(0)
    page.get_by_role("link", name="Change 4 of 4 (changed)").click()
    expect(page.locator(":target")).to_contain_text("https://privacy.example/desk")


def test_paper_shows_the_whole_text_with_marks_that_need_no_colour_and_nothing_to_press(window: Window) -> None:
    page = window()
    page.goto(HERE)
    page.emulate_media(media="print")
    expect(page.get_by_text("This statement says what we do")).to_be_visible()
    for gone in (
        page.locator("nav").first,
        page.locator("footer"),
        page.locator("button").first,
        page.locator(".neighbours").first,
    ):
        expect(gone).to_be_hidden()
    assert styles_of(page, "ins") == ["rgb(0, 0, 0)", "underline", "600"]
    assert styles_of(page, "del") == ["rgb(0, 0, 0)", "line-through", "400"]
    said = page.locator("del .opens").first.bounding_box()
    assert said
    assert said["width"] > 20, "“removed:” is read on paper too"
    assert page.pdf().startswith(b"%PDF")


def read_aloud(page: Page) -> str:
    """What the accessibility tree of the page says, in its order, as a screen reader goes through it."""
    tree: list[dict[str, Any]] = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    nodes = {node["nodeId"]: node for node in tree}
    said: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        role = node.get("role", {}).get("value")
        if role in ("StaticText", "group", "ListMarker") and not node.get("ignored"):
            said.append(str(node.get("name", {}).get("value", "")))
        for child in node.get("childIds", []):
            if child in nodes:
                walk(nodes[child])

    walk(tree[0])
    return re.sub(r"\s+", " ", " ".join(said)).replace(" :", ":")


def styles_of(page: Page, tag: str) -> list[str]:
    """Colour, line and weight of the last mark of a kind."""
    script = "m => { const s = getComputedStyle(m); return [s.color, s.textDecorationLine, s.fontWeight]; }"
    found: list[str] = page.locator(tag).last.evaluate(script)
    return found
