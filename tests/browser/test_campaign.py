"""Marketing writes, sees what readers will see, tries, sends, and watches."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Response, expect

from mailer.demo.marketing_chapter import BODY
from mailer.demo.stage import Stage
from mailer.demo.world import eventually
from tests.browser.conftest import Opener
from tests.browser.looks import looks_right, picture

SUBJECT = "Three things that save you an hour"


@pytest.fixture
def editor(opened: Opener) -> Page:
    """The editor of a new campaign."""
    return _begin(opened("marketing"))


def test_the_preview_follows_while_one_types(editor: Page) -> None:
    _write(editor)
    mail = editor.frame_locator("#see iframe")
    expect(mail.get_by_text("Dear Anna,", exact=True)).to_be_visible()
    expect(editor.locator("#see")).to_contain_text(SUBJECT)
    looks_right(editor)
    editor.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    picture(editor, "campaign")
    editor.get_by_label("Text, in Markdown").press("Control+End")
    editor.keyboard.type("\n\nUntil soon.")
    expect(mail.get_by_text("Until soon.")).to_be_visible()
    expect(editor.get_by_label("Text, in Markdown")).to_be_focused()


def test_the_mail_is_seen_as_its_readers_will_see_it(editor: Page) -> None:
    _write(editor)
    tabs = editor.get_by_role("navigation", name="How the mail looks")
    frame = editor.locator("#see iframe")
    background = "body => getComputedStyle(body).backgroundColor"
    light = frame.content_frame.locator("body").evaluate(background)
    tabs.get_by_role("link", name="Dark").click()
    expect(editor.locator(".preview-dark")).to_be_visible()
    dark = editor.locator(".preview-dark iframe").content_frame.locator("body")
    expect(dark).not_to_have_css("background-color", light)
    tabs.get_by_role("link", name="Phone").click()
    expect(editor.locator(".preview-phone")).to_be_visible()
    looks_right(editor)
    picture(editor, "campaign-phone")
    tabs.get_by_role("link", name="Plain text").click()
    expect(editor.locator("#see pre")).to_contain_text("Dear Anna,")
    expect(editor.locator("#see pre")).to_contain_text("https://www.leadmark.example/news")
    looks_right(editor)


def test_an_unknown_placeholder_is_named(editor: Page) -> None:
    _write(editor, "Hello {{ password }}")
    expect(editor.locator("#see").get_by_role("alert")).to_contain_text("password")
    editor.get_by_role("button", name="Keep and preview").press("Enter")
    expect(editor.locator("#body-error")).to_contain_text("password")
    expect(editor.get_by_label("Text, in Markdown")).to_have_value("Hello {{ password }}")
    looks_right(editor)


def test_a_test_mail_arrives(editor: Page, stage: Stage) -> None:
    _write(editor)
    before = len(stage.caught(SUBJECT, "marketing@leadmark.example"))
    editor.get_by_role("button", name="Send a test mail").click()
    expect(editor.get_by_role("status").first).to_contain_text("A test mail is on its way")
    mails = eventually(lambda: stage.caught(SUBJECT, "marketing@leadmark.example")[before:], "the test mail")
    assert len(mails) == 1
    assert mails[0].mail["List-Unsubscribe-Post"]


def test_the_audience_is_a_sentence_and_the_sending_moves_to_its_end(editor: Page, stage: Stage) -> None:
    _write(editor)
    expect(editor.locator("#see")).to_contain_text("Readers of Releases")
    expect(editor.locator("#see")).to_contain_text("left out")
    editor.locator("#see").get_by_role("button", name="Send to").click()
    expect(editor.get_by_role("heading", level=1)).to_have_text(f"Send “{SUBJECT}”?")
    expect(editor.locator(".before-you")).to_contain_text("cannot be taken back")
    looks_right(editor)
    picture(editor, "send")
    before = len(stage.caught(SUBJECT))
    editor.get_by_role("button", name="Send to").click()
    progress = editor.locator("#progress")
    expect(progress).to_contain_text("Sent")  # without a reload: the part renews itself
    total = int(progress.locator("progress").get_attribute("max") or 0)
    assert total > 40
    assert progress.locator("progress").get_attribute("value") == str(total)
    assert len(stage.caught(SUBJECT)) == before + total
    looks_right(editor)
    picture(editor, "report")


def test_writing_needs_no_script(opened: Opener) -> None:
    page = _begin(opened("marketing", script=False))
    page.get_by_label("Subject").fill(SUBJECT)
    page.get_by_label("Text, in Markdown").fill(BODY)
    page.get_by_role("button", name="Keep and preview").click()
    expect(page.frame_locator("#see iframe").get_by_text("Dear Anna,", exact=True)).to_be_visible()
    page.get_by_role("link", name="Plain text").click()
    expect(page.locator("#see pre")).to_contain_text("Dear Anna,")


def _begin(page: Page) -> Page:
    page.goto("/admin/campaigns/new")
    page.get_by_label("Name", exact=True).fill("Spring news")
    page.get_by_label("Topic", exact=True).select_option("Releases")
    page.get_by_role("button", name="Begin writing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spring news")
    return page


def _sent(response: Response) -> str:
    """The text that this answers to."""
    return "".join(parse_qs(response.request.post_data or "").get("body", [])).replace("\r", "")


def _write(page: Page, body: str = BODY) -> None:
    """Type, and wait until the service has kept it."""
    page.get_by_label("Subject").fill(SUBJECT)
    with page.expect_response(lambda response: _sent(response).strip() == body.strip()):
        page.get_by_label("Text, in Markdown").fill(body)
