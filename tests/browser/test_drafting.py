"""The editor and the review page of a draft: live beside the text, complete without script, right at both widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from mailer.db import transaction
from mailer.staff.rules import Role
from tests import factories
from tests.browser.conftest import HEIGHTS, Window
from tests.browser.looks import looks_right, picture
from tests.policies import sample

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LONGER = sample.NEW.replace("24 months", "36 months").replace("three companies", "four companies")
Officer = Callable[..., Page]


@pytest.fixture
def officer(window: Window) -> Officer:
    """`officer(390)` is a window of a policy officer who has signed in, each time another one."""

    def open_(width: int = 1280, *, script: bool = True) -> Page:
        with transaction() as session:
            email = factories.staff(session, Role.POLICY).email
        page = window(width, script=script)
        page.goto("/admin/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    return open_


@pytest.mark.parametrize("width", HEIGHTS)
def test_text_and_changes_are_seen_while_writing(officer: Officer, width: int) -> None:
    page = officer(width)
    page.goto("/admin/policies/privacy/drafts/new")
    see = page.get_by_role("region", name="Preview", exact=True)
    page.get_by_label("Text", exact=True).fill(LONGER)
    expect(see).to_contain_text("for 36 months")
    looks_right(page)
    picture(page, "editor", whole=True)
    see.get_by_role("link", name="What changes").click()
    expect(see.locator("ins", has_text="36")).to_be_visible()
    expect(see.locator("#see-text")).to_be_hidden()
    page.get_by_label("Text", exact=True).fill(LONGER.replace("36", "48"))
    expect(see.locator("ins", has_text="48")).to_be_visible()  # the tab stays
    looks_right(page)
    picture(page, "editor-changes")
    page.get_by_text("For a change below material").click()
    found = page.locator("#found-retention")
    expect(found).to_contain_text("“48 months” (period, in What we keep)")
    looks_right(page)
    picture(page, "editor-questions", whole=True)
    see.get_by_role("link", name="As readers see it").click()
    found.get_by_role("link", name="“48 months”").click()
    expect(see.locator("del", has_text="24")).to_be_visible()


def test_a_wordless_change_fills_in_minor_and_a_choice_stands(officer: Officer) -> None:
    page = officer()
    page.goto("/admin/policies/privacy/drafts/new")
    text, minor = page.get_by_label("Text", exact=True), page.get_by_label("Minor:")
    text.fill(sample.NEW.replace("if anything here is not clear to you.", "if anything here is not clear to you!"))
    expect(minor).to_be_checked()
    expect(page.get_by_text("No word changed, so “Minor” is filled in. You decide.")).to_be_visible()
    page.get_by_role("link", name="Nederlands").click()
    page.get_by_label("Text (Nederlands)").fill("# Privacyverklaring\n\nWij bewaren uw naam 36 maanden.\n")
    expect(page.get_by_label("Material:")).to_be_checked()
    expect(page.get_by_text("No word changed in English, but words did in: Nederlands.")).to_be_visible()
    page.get_by_role("link", name="English").click()
    page.get_by_label("Ordinary:").check()
    text.fill(sample.NEW.replace("if anything here is not clear to you.", "if anything here is not clear to you …"))
    expect(page.locator("#see")).to_contain_text("clear to you …")
    expect(page.get_by_label("Ordinary:")).to_be_checked()


@pytest.mark.parametrize("width", HEIGHTS)
def test_each_language_has_its_tab(officer: Officer, width: int) -> None:
    page = officer(width)
    page.goto("/admin/policies/privacy/drafts/new")
    expect(page.get_by_label("Text (Nederlands)")).to_be_hidden()
    page.get_by_role("link", name="Nederlands").click()
    page.get_by_label("Text (Nederlands)").fill("# Privacyverklaring\n\nWij bewaren uw naam 36 maanden.\n")
    expect(page.locator("#see-text")).to_contain_text("36 maanden")
    page.get_by_label("Another language").select_option("ar")
    page.get_by_role("button", name="Add a translation").click()
    expect(page.get_by_label("Text (Nederlands)")).to_have_value(
        "# Privacyverklaring\n\nWij bewaren uw naam 36 maanden.\n"
    )
    page.get_by_role("link", name="العربية").click()
    expect(page.get_by_label("Text (العربية)")).to_have_attribute("dir", "rtl")
    looks_right(page)
    picture(page, "editor-languages", whole=True)


@pytest.mark.parametrize("width", HEIGHTS)
def test_the_reader_sees_all_that_an_approval_approves(officer: Officer, width: int) -> None:
    author, reader = officer(), officer(width)
    author.goto("/admin/policies/privacy/drafts/new")
    author.get_by_label("Text", exact=True).fill(LONGER + "\n[Complain](/policies/complaints) there.\n")
    author.get_by_label("What changes, in plain words", exact=True).fill("We keep more, for longer.")
    author.get_by_role("link", name="Nederlands").click()
    author.get_by_label("What changes, in plain words (Nederlands)").fill("Wij bewaren meer, en langer.")
    _press(author, "Keep this draft")
    _press(author, "Ask for review")
    reader.goto(author.url)
    expect(reader.get_by_role("button", name="Approve this text")).to_be_visible()
    expect(reader.locator("mark.cue").first).to_be_visible()
    expect(reader.locator(".calendar")).to_contain_text("Deemed agreement can begin")
    looks_right(reader)
    picture(reader, "review", whole=True)
    reader.get_by_role("link", name="Nederlands").click()
    expect(reader.get_by_text("Wij bewaren meer, en langer.")).to_be_visible()
    reader.get_by_text("Send it back with a note").click()
    reader.get_by_label("What should change").fill("Say why.")
    _press(reader, "Send it back")
    author.reload()
    expect(author.locator(".returned")).to_contain_text("Say why.")
    looks_right(author)


@pytest.mark.parametrize("width", HEIGHTS)
def test_another_editors_change_is_shown_and_nothing_typed_is_lost(officer: Officer, width: int) -> None:
    one, other = officer(width), officer()
    one.goto("/admin/policies/privacy/drafts/new")
    one.get_by_label("Text", exact=True).fill(LONGER)
    _press(one, "Keep this draft")
    for page in (one, other):
        page.goto(f"{one.url.removesuffix('/edit')}/edit")
    other.get_by_label("Text", exact=True).fill(LONGER.replace("36 months", "60 months"))
    _press(other, "Keep this draft")
    one.locator("#why").fill("My reason.")
    _press(one, "Keep this draft")
    expect(one.locator(".clash dd", has_text="for 60 months")).to_be_visible()
    expect(one.locator("#why")).to_have_value("My reason.")
    looks_right(one)
    picture(one, "clash")
    _press(one, "Keep this draft")
    expect(one.get_by_text("Changes kept.")).to_be_visible()


def test_a_draft_is_written_without_script(officer: Officer) -> None:
    page = officer(390, script=False)
    page.goto("/admin/policies/privacy/drafts/new")
    page.get_by_label("Text", exact=True).fill(LONGER)
    page.get_by_role("button", name="Preview this text").first.click()
    expect(page.locator("#see ins", has_text="36")).to_be_visible()
    expect(page.locator("#see-text")).to_contain_text("36 months")
    page.get_by_role("button", name="Remove Nederlands").click()
    expect(page.get_by_label("Text (Nederlands)")).to_have_count(0)
    expect(page.get_by_label("Text", exact=True)).to_have_value(LONGER)


def _press(page: Page, words: str) -> None:
    """By keyboard."""
    button = page.get_by_role("button", name=words)
    button.focus()
    button.press("Enter")
