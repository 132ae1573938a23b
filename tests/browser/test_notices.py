"""The officer's page of a version and of a person: at a desk and on a phone, in light and dark, with script or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from redis import Redis
from sqlalchemy.orm import Session

from mailer import clock
from mailer.notices import actions as notices
from mailer.outbox.rules import MailingState, State
from tests import factories
from tests.browser.looks import looks_right, picture
from tests.browser.small_site import serving
from tests.browser.test_brakes import WHO, signed_in
from tests.conftest import Configure
from tests.notices.conftest import AT, Release, accept, fan_out, message_of, settle
from tests.notices.conftest import release as release

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAMES = "Anna", "Bas", "Cor", "Dora", "Evi", "Fien", "Gijs", "Hanna"


@pytest.fixture
def told(session: Session, release: Release, configure: Configure, redis_server: Redis) -> str:
    """Eight people: told on three days, refused, come back, waiting; gives the address of the version's page."""
    configure(demo=True)
    clock.move_to(AT + timedelta(days=9))
    factories.staff(session, email=WHO)
    people = {name: factories.contact(session, f"{name.lower()}@people.example", name=name) for name in NAMES}
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    mailing.state, mailing.fanned_out_at = MailingState.FANNED_OUT, AT
    for days, name in enumerate(NAMES[:5]):
        accept(session, version, people[name], AT + timedelta(days=days))
    lost = message_of(session, version, people["Fien"])
    lost.state = State.REFUSED
    settle(session, lost, State.REFUSED)
    notices.bounced(session, message_of(session, version, people["Evi"]), AT + timedelta(days=6), "5.1.1 no mailbox")
    session.commit()
    return f"/admin/notices/{version.id}"


@pytest.fixture
def page(chromium: Browser, guarded_app: Flask, told: str, configure: Configure, width: int) -> Iterator[Page]:
    yield from _window(chromium, guarded_app, configure, width, script=True)


@pytest.fixture
def plain_page(chromium: Browser, guarded_app: Flask, told: str, configure: Configure, width: int) -> Iterator[Page]:
    """The same without script."""
    yield from _window(chromium, guarded_app, configure, width, script=False)


def _window(chromium: Browser, app: Flask, configure: Configure, width: int, *, script: bool) -> Iterator[Page]:
    with serving(app) as address:
        configure(public_url=address)
        yield from signed_in(chromium, address, width, script=script)


def test_an_officer_sees_how_it_goes_and_opens_what_is_counted(page: Page, told: str) -> None:
    page.goto(told)
    chart = page.get_by_role("img", name="Who was told, day by day")
    expect(chart).to_be_visible()
    looks_right(page)
    picture(page, "notice", whole=True)
    page.get_by_text("The numbers of each day").first.click()
    expect(page.get_by_role("region", name="Who was told, day by day")).to_contain_text("Told, may still answer")
    looks_right(page)
    page.get_by_role("link", name="2 unreached").click()
    people = page.get_by_role("region", name="People told of this version")
    expect(people.get_by_role("row")).to_have_count(3)
    page.get_by_label("Name, address or reference").fill("evi@")
    page.get_by_role("button", name="Find").press("Enter")
    expect(people.get_by_role("row")).to_have_count(2)
    looks_right(page)


def test_a_letter_brings_a_person_back_and_the_story_says_so(plain_page: Page, told: str) -> None:
    plain_page.goto(f"{told}?state=unreached")
    plain_page.get_by_role("region", name="People told of this version").get_by_role("link", name="Evi").click()
    expect(plain_page.locator(".story")).to_contain_text("5.1.1 no mailbox")
    plain_page.get_by_role("button", name="Record the letter").click()
    expect(plain_page.get_by_role("alert")).to_contain_text("Choose the day on which the letter was handed over.")
    plain_page.get_by_label("Handed over on").fill("2026-12-02")
    plain_page.get_by_label("How that is known").fill("item RR1, signed for")
    plain_page.get_by_role("button", name="Record the letter").click()
    story = plain_page.locator(".story")
    expect(story).to_contain_text("A letter was handed over on Wednesday 2 December 2026.")
    expect(story).to_contain_text("Still to come:")


def test_the_page_of_a_person_looks_right(page: Page, told: str) -> None:
    for name in ("Fien", "Anna"):
        page.goto(told)
        people = page.get_by_role("region", name="People told of this version")
        people.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        looks_right(page)
        picture(page, f"notice-{name.lower()}", whole=True)


def test_the_list_is_kept_as_a_file(page: Page, told: str) -> None:
    page.goto(told)
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV of the whole list").click()
    assert kept.value.suggested_filename == "notices-privacy-2.csv"
    assert kept.value.path().read_text("utf-8").count("\n") == len(NAMES) + 1


def test_a_notice_is_corrected_once_none_waits(page: Page, told: str) -> None:
    page.goto(told.replace("/notices/", "/policies/versions/") + "/correct")
    looks_right(page)
    page.get_by_label("What was wrong, and what is right, in English").fill("The date was wrong.")
    page.get_by_role("button", name="Send the notice again, put right").click()
    expect(page.get_by_role("alert")).to_contain_text("Say it in Dutch")
    looks_right(page)
    picture(page, "notice-correct", whole=True)
