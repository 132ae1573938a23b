"""A new version, from the officer's draft to the page that people read; each width brings a policy of its own."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from mailer.policies.rules import QUESTIONS, earliest_effective, holidays_of, say
from tests.browser.conftest import Opener
from tests.browser.looks import looks_right, picture

OLD = """# Terms of use

## Paying

You pay each month in advance. An invoice is due in 30 days.

## Ending

You may end the contract with a notice of one month.
"""
NEW = OLD.replace("30 days", "14 days").replace("may end the contract", "may end the contract by e-mail")


@pytest.fixture
def policy(opened: Opener) -> str:
    """The terms of use, version 1 in force; their name in addresses."""
    slug, page = f"terms-{secrets.token_hex(4)}", opened("policy")
    page.goto("/admin/policies/new")
    page.get_by_label("Title").fill("Terms of use")
    page.get_by_label("Name in addresses").fill(slug)
    page.get_by_label("Account holders:").uncheck()
    page.get_by_label("The text in force now").fill(OLD)
    page.get_by_label("In force since").fill("2025-01-01")
    _press(page, "Add this policy")
    expect(page.get_by_role("status")).to_contain_text("Nothing was mailed")
    return slug


def test_the_officer_sees_what_will_happen_before_it_does(opened: Opener, policy: str) -> None:
    officer = opened("policy")
    officer.goto(f"/admin/policies/{policy}")
    _press(officer, "Write version 2")
    officer.get_by_label("Text", exact=True).fill(NEW)
    expect(officer.get_by_role("region", name="Preview")).to_contain_text("14 days")
    looks_right(officer)
    picture(officer, "draft")
    _keep(officer)
    expect(officer.locator("del", has_text="30")).to_be_visible()
    looks_right(officer)
    picture(officer, "review")
    _approve(officer, opened("counsel"))
    _press(officer, "Go on to release version 2")
    expect(officer.locator(".before-you")).to_contain_text("people get this notice")
    expect(officer.frame_locator(".preview iframe").get_by_text("14 days").first).to_be_visible()
    looks_right(officer)
    officer.evaluate("scrollTo(0, 0)")
    picture(officer, "release")


def test_a_day_too_early_is_refused_and_a_lawful_one_is_public_at_once(opened: Opener, policy: str) -> None:
    officer, reader = opened("policy"), opened()
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    earliest = earliest_effective(today, holidays_of("NL"))
    officer.goto(f"/admin/policies/{policy}/drafts/new")
    officer.get_by_label("Text", exact=True).fill(NEW)
    _effective(officer, today + timedelta(days=10))
    _keep(officer)
    _approve(officer, opened("counsel"))
    _press(officer, "Go on to release version 2")
    _press(officer, "Release version 2")
    expect(officer.locator("#effective_on-error")).to_contain_text(f"The earliest lawful date is {say(earliest)}")
    expect(officer.get_by_label("Takes effect on")).to_have_attribute("aria-invalid", "true")
    looks_right(officer)
    _effective(officer, earliest)
    _press(officer, "Release version 2")
    expect(officer.get_by_role("status")).to_contain_text("Version 2 is released")
    looks_right(officer)
    reader.goto(f"/policies/{policy}")
    expect(reader.locator(".pending")).to_contain_text("You may terminate by e-mail")
    looks_right(reader)
    _press(reader, "See the changes")
    expect(reader.locator("ins", has_text="14")).to_be_visible()


def test_a_correction_is_released_without_script(opened: Opener, policy: str, tmp_path: Path) -> None:
    """From a file; minor, with a reason, seven times no and two who read it."""
    officer, readers = opened("policy", script=False), [opened(who, script=False) for who in ("counsel", "all")]
    officer.goto(f"/admin/policies/{policy}/drafts/new")
    file = tmp_path / "terms.md"
    file.write_text(OLD.replace("due in", "due within"), "utf-8")
    officer.get_by_label("Or a file").set_input_files(file)
    officer.get_by_label("What changes, in plain words").fill("A word.")
    officer.get_by_label("Minor:").check()
    officer.get_by_label("Takes effect on").fill("")
    officer.get_by_text("For a change below material: the reason and the seven questions").click()
    officer.get_by_label("Why it is not material").fill("“In” becomes “within”; the term is the same.")
    for key in QUESTIONS:
        officer.locator(f"#question_{key}").get_by_label("No", exact=True).check()
    _press(officer, "Keep this draft")
    _approve(officer, *readers)
    _press(officer, "Go on to release version 2")
    expect(officer.locator(".before-you")).to_contain_text("No mail leaves.")
    _press(officer, "Release version 2")
    expect(officer.get_by_role("status")).to_contain_text("Version 2 is released")


def _keep(page: Page) -> None:
    """Say what changes and why, and keep the draft as material."""
    page.get_by_label("What changes, in plain words").fill("You pay within 14 days, and may leave by e-mail.")
    page.get_by_label("Why", exact=False).first.fill("Other customers pay so already.")
    expect(page.get_by_label("Material:")).to_be_checked()
    _press(page, "Keep this draft")


def _approve(officer: Page, *readers: Page) -> None:
    """Others approve, each in a browser of their own; the author cannot."""
    _press(officer, "Ask for review")
    expect(officer.get_by_text("must read and approve it")).to_be_visible()
    expect(officer.get_by_role("button", name="Approve this text")).to_have_count(0)
    for reader in readers:
        reader.goto(officer.url)
        _press(reader, "Approve this text")
        expect(reader.get_by_role("status")).to_contain_text("You approved this text")
    officer.reload()
    expect(officer.locator(".steps [aria-current=step]")).to_have_text("Approved")


def _effective(page: Page, day: date) -> None:
    page.get_by_label("Takes effect on").fill(day.isoformat())


def _press(page: Page, words: str) -> None:
    """By keyboard."""
    button: Locator = page.get_by_role("button", name=words)
    button.focus()
    button.press("Enter")
