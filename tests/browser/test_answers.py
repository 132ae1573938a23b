"""What a recipient does in the post office, and what comes of it on the staff's pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from mailer.demo.marketing_chapter import NEXT_SUBJECT
from mailer.demo.stage import Caught, Stage
from mailer.demo.world import eventually
from tests.browser.conftest import HEIGHTS, Opener
from tests.browser.looks import looks_right, picture

NOTICE = "Privacy statement"
QUESTION = "Do you also keep the files of people who left our company?"


@pytest.fixture
def notice(stage: Stage, width: int, request: pytest.FixtureRequest) -> Caught:
    """A notice to somebody whom no other test writes for."""
    tests = [name for name in sorted(vars(request.module)) if name.startswith("test_")]
    place = tests.index(request.function.__name__) * len(HEIGHTS) + list(HEIGHTS).index(width)
    return stage.caught(NOTICE)[20 + place]


def test_a_caught_mail_is_read_in_four_ways(opened: Opener, notice: Caught) -> None:
    page = opened()
    page.goto("/post-office/")
    page.get_by_label("Only mail to").fill(notice.recipient)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(notice.recipient)
    looks_right(page)
    page.get_by_role("link", name=notice.subject).first.click()
    expect(page.locator("pre")).to_contain_text("24 months")
    looks_right(page)
    _see(page, "HTML")
    frame = page.locator("iframe.mail-frame")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame.content_frame.get_by_text("24 months").first).to_be_visible()
    _see(page, "Headers")
    expect(page.locator("dl", has_text="Reply-To")).to_contain_text("reply+")
    _see(page, "Source")
    expect(page.locator("pre")).to_contain_text("Content-Type: multipart/alternative")
    looks_right(page)


def test_a_mail_clients_unsubscribe_is_answered(opened: Opener, stage: Stage, width: int) -> None:
    page = opened()
    page.goto(f"/post-office/{stage.caught(NEXT_SUBJECT)[30 + width % 7].id}")
    page.get_by_role("button", name="Press unsubscribe").click()
    expect(page.get_by_role("status")).to_contain_text("the answer was 200")


def test_a_question_waits_on_the_desk_and_is_answered(opened: Opener, stage: Stage, notice: Caught) -> None:
    _reply(opened(), notice, QUESTION)
    desk = opened("operator")
    _open_reply(desk, notice.recipient)
    expect(desk.locator("pre.mail-text").first).to_have_text(QUESTION)
    looks_right(desk)
    picture(desk, "reply")
    for view in ("Headers", "Source"):
        desk.get_by_role("link", name=view, exact=True).press("Enter")
        expect(desk.locator("#mail [aria-current]")).to_have_text(view)
    desk.get_by_role("button", name="Send the answer").click()
    expect(desk.locator(".field-error")).to_be_visible()
    looks_right(desk)
    desk.get_by_label("Answer", exact=True).fill("No. They are erased after 30 days.")
    desk.get_by_role("button", name="Send the answer").click()
    expect(desk.get_by_role("status").first).to_be_visible()
    answer = eventually(lambda: stage.caught("Re: ", notice.recipient), "the answer")[-1]
    assert "They are erased after 30 days." in answer.part("plain")


def test_staff_decide_what_a_reply_is(opened: Opener, stage: Stage, notice: Caught) -> None:
    _reply(opened(), notice, "I am not so sure that I want to stay with you under this text.")
    desk = opened("operator")
    _open_reply(desk, notice.recipient)
    before = len(stage.caught("", notice.recipient))
    desk.get_by_role("button", name="Termination").press("Enter")
    expect(desk.locator(".page-head .tags")).to_contain_text("Termination")
    looks_right(desk)
    receipts = eventually(lambda: stage.caught("", notice.recipient)[before:], "the receipt")
    assert receipts[-1].mail["List-Unsubscribe"] is None


def test_a_bounced_notice_is_a_task_until_somebody_finishes_it(opened: Opener, notice: Caught) -> None:
    page = opened()
    page.goto(f"/post-office/{notice.id}")
    page.get_by_role("button", name="Bounce this").click()
    expect(page.get_by_role("status")).to_contain_text("delivery report")
    officer = opened("policy")
    name = str(notice.mail["To"].addresses[0].display_name)
    row = _reload_until(officer, "/admin/tasks/", ".todo li", name)
    officer.goto(row)
    looks_right(officer)
    picture(officer, "task")
    officer.get_by_role("button", name="Finish the task").click()
    expect(officer.locator("#note-error")).to_contain_text("what was done")
    officer.get_by_label("What was done").fill("Telephoned; the new address is in TRAC.")
    officer.get_by_role("button", name="Finish the task").click()
    expect(
        officer.get_by_text("Telephoned; the new address is in TRAC.").or_(officer.get_by_role("status"))
    ).to_be_visible()


def _see(page: Page, view: str) -> None:
    page.get_by_role("navigation", name="How to see this mail").get_by_role("link", name=view).click()
    expect(page.locator(".tabs [aria-current]")).to_have_text(view)


def _reply(page: Page, mail: Caught, words: str) -> None:
    page.goto(f"/post-office/{mail.id}")
    page.get_by_label("Your answer").fill(words)
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("status")).to_contain_text("handed in at the inbound door")


def _open_reply(page: Page, sender: str) -> None:
    page.goto(_reload_until(page, "/admin/replies/", "tbody tr", sender))


def _reload_until(page: Page, path: str, row: str, words: str) -> str:
    """Where the row with these words leads to, as soon as the page shows it."""

    def look() -> str | None:
        page.goto(path)
        found = page.locator(row, has_text=words)
        return found.first.get_by_role("link").first.get_attribute("href") if found.count() else None

    return eventually(look, f"{words} on {path}")
