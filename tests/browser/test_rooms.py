"""Every room that staff and readers walk through looks right; and what only some of them can do."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from mailer.demo.stage import Stage
from tests.browser.conftest import Opener
from tests.browser.looks import looks_right, picture

STATEMENT = "/policies/privacy-statement"
ROOMS = [
    ("operator", "/admin/", "What needs you", "home"),
    ("operator", "/admin/tasks/", "Tasks", ""),
    ("operator", "/admin/replies/", "Replies", "replies"),
    ("operator", "/admin/replies/?state=settled", "Replies", ""),
    ("operator", "/admin/messages/", "Messages", "messages"),
    ("operator", "/admin/people/", "People", "people"),
    ("operator", "/admin/services/", "Services", ""),
    ("operator", "/admin/settings/", "Settings", "settings"),
    ("operator", "/admin/settings/staff", "Accounts", ""),
    ("operator", "/admin/settings/routes/", "Routes", ""),
    ("operator", "/admin/password", "Your password", ""),
    ("policy", "/admin/policies/", "Policies", ""),
    ("policy", "/admin/policies/privacy-statement", "Privacy statement", "versions"),
    ("policy", "/admin/policies/new", "Add a policy", ""),
    ("policy", "/admin/notices/", "Notices", ""),
    ("marketing", "/admin/campaigns/", "Campaigns", ""),
    ("marketing", "/admin/campaigns/new", "Write a new one", ""),
    ("", "/policies", "Policies", ""),
    ("", STATEMENT, "Privacy statement", "policy"),
    ("", f"{STATEMENT}/versions", "Versions of Privacy statement", ""),
    ("", f"{STATEMENT}/versions/2", "Privacy statement", ""),
    ("", f"{STATEMENT}/diff/1..2?view=marked", "Privacy statement: from version 1 to version 2", ""),
    ("", "/ledger", "Ledger", ""),
    ("", "/post-office/", "Post office", "post-office"),
    ("", "/admin/sign-in", "Sign in", "sign-in"),
    ("", "/nowhere", "There is nothing here", ""),
]


@pytest.mark.parametrize(("who", "path", "title", "name"), ROOMS, ids=[f"{room[0]}{room[1]}" for room in ROOMS])
def test_a_room_looks_right(opened: Opener, who: str, path: str, title: str, name: str) -> None:
    page = opened(who)
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    looks_right(page)
    if name:
        picture(page, name)


def test_a_message_tells_its_life(opened: Opener, stage: Stage) -> None:
    """Found by its id in the box on top; the views of the mail change in their place."""
    page = opened("operator")
    page.goto("/admin/")
    page.get_by_role("searchbox").fill(str(stage.caught("Privacy statement")[9].mail["Message-ID"]))
    page.keyboard.press("Enter")
    story = page.locator(".story li")
    expect(story.last).to_contain_text("Accepted by the next server")
    expect(story.nth(1)).to_contain_text("250")
    looks_right(page)
    picture(page, "message")
    page.get_by_role("link", name="Source").press("Enter")
    expect(page.locator("#mail")).to_contain_text("MIME-Version: 1.0")
    looks_right(page)


def test_a_person_has_two_standings_side_by_side(opened: Opener, stage: Stage, width: int) -> None:
    page = opened("operator")
    page.goto("/admin/")
    page.get_by_role("searchbox").fill(stage.caught("Privacy statement")[9].recipient)
    page.keyboard.press("Enter")
    must, may = (page.locator(".standings > section").nth(n) for n in (0, 1))
    expect(must).to_contain_text("Must get")
    expect(may).to_contain_text("May get")
    boxes = must.bounding_box(), may.bounding_box()
    assert boxes[0]
    assert boxes[1]
    assert (boxes[0]["y"] == boxes[1]["y"]) == (width > 1000), "one above the other on a phone"
    looks_right(page)
    picture(page, "person")
    dates = page.locator("details.why").last
    dates.locator("summary").press("Enter")
    expect(dates).to_contain_text("The day itself does not count")


def test_a_service_is_added_and_its_keys_are_shown_once(opened: Opener) -> None:
    page, name = opened("operator"), f"billing-{secrets.token_hex(3)}"
    page.goto("/admin/services/new")
    page.get_by_label("Name").fill("Not a name")
    page.get_by_role("button", name="Add this service").press("Enter")
    expect(page.locator("#name-error")).to_be_visible()
    looks_right(page)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add this service").press("Enter")
    expect(page.locator("main")).to_contain_text("whsec_")
    looks_right(page)
    page.get_by_role("button", name="I have copied them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("main")).not_to_contain_text("whsec_")
    looks_right(page)
    disable = page.get_by_role("button", name=f"Disable {name}")
    expect(disable).to_be_disabled()
    page.locator("#confirm_disable").fill(name)
    disable.click()
    expect(page.locator(".page-head .tags")).to_contain_text("Disabled")


def test_the_menu_of_a_phone_and_the_skip_link_work_by_keyboard(opened: Opener, width: int) -> None:
    page = opened("operator")
    page.goto("/admin/people/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    if width < 1000:
        page.locator(".navmenu summary").press("Enter")
        expect(page.locator(".navmenu").get_by_role("link", name="Messages")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".navmenu").get_by_role("link", name="Messages")).to_be_hidden()
    else:
        expect(page.locator(".sidenav [aria-current]")).to_have_text("People")
