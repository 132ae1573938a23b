"""Staff come in: the wrong password, the first password, a lasting cookie, and out again."""

from __future__ import annotations

import secrets
import time

import pytest
from playwright.sync_api import Page, expect

from mailer.demo.stage import Stage
from tests.browser.conftest import Opener
from tests.browser.looks import looks_right

OWN = "seven quiet herons wade"
DAYS_30 = 30 * 24 * 60 * 60


@pytest.fixture
def newcomer(stage: Stage) -> tuple[str, str]:
    """A colleague who never signed in: address and first password, as the operator's page shows it once."""
    address = f"nel-{secrets.token_hex(4)}@leadmark.example"
    accounts = stage.staff("operator").open("/admin/settings/staff")
    accounts.press("Create the account", name="Nel Nieuw", email=address, roles=["auditor"])
    return address, str(accounts.page.xpath("string(//*[@role='status']//code)"))


def test_a_wrong_password_is_said_and_the_address_kept(opened: Opener, newcomer: tuple[str, str]) -> None:
    page = _sign_in(opened(), newcomer[0], "not this one")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("do not belong together")
    expect(page.get_by_label("E-mail address")).to_have_value(newcomer[0])
    looks_right(page)
    page.get_by_label("E-mail address").fill("")
    page.keyboard.press("Enter")
    alert.get_by_role("link", name="Type the address of your account.").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#email-error")).to_have_text("Type the address of your account.")


def test_the_first_password_must_be_changed_before_anything_else(opened: Opener, newcomer: tuple[str, str]) -> None:
    page = _sign_in(opened(), *newcomer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    looks_right(page)
    page.goto("/admin/people/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    _change(page, newcomer[1], "short")
    expect(page.locator("#new-error")).to_contain_text("12 characters")
    _change(page, newcomer[1], OWN)
    expect(page.get_by_role("heading", level=1)).to_have_text("What needs you")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")


def test_keep_me_signed_in_is_a_choice_and_lasts(opened: Opener, newcomer: tuple[str, str]) -> None:
    page = _sign_in(opened(), *newcomer)
    assert _lasts(page) == 0, "a browser that is closed forgets, unless asked to keep"
    _change(page, newcomer[1], OWN)
    _sign_out(page)
    _sign_in(page, newcomer[0], OWN, keep=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("What needs you")
    assert _lasts(page) == pytest.approx(DAYS_30, abs=600)
    _sign_out(page)
    page.goto("/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def _sign_in(page: Page, address: str, password: str, *, keep: bool = False) -> Page:
    """By keyboard: the address has the focus, the rest follows by Tab."""
    page.goto("/admin/sign-in")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Tab")
    if keep:
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    return page


def _change(page: Page, old: str, new: str) -> None:
    page.get_by_label("Present password").fill(old)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password, once more").fill(new)
    page.get_by_role("button", name="Change my password").click()


def _sign_out(page: Page) -> None:
    page.locator(".whoami summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out")


def _lasts(page: Page) -> float:
    """Seconds that the sign-in outlives the browser."""
    return max(0.0, *(cookie.get("expires", -1) - time.time() for cookie in page.context.cookies()))
