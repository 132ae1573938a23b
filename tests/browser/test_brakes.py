"""A sending is paused, resumed and cancelled on its page; nobody works at the lanes here, so that it waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.campaigns import actions
from mailer.db import reading, transaction
from mailer.outbox import mailings
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState, MailKind
from mailer.staff.rules import Role
from rq_jobs.clear import clear
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.browser.conftest import complaint, new_window
from tests.browser.looks import looks_right, picture
from tests.browser.small_site import serving
from tests.conftest import Configure
from tests.delivery import sink
from tests.notices.conftest import AT, Release
from tests.notices.conftest import fan_out as tell
from tests.notices.conftest import release as release

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WHO = "sam@company.example"


@pytest.fixture
def sent(redis_server: Redis, database: str) -> str:
    """A campaign to thirty people, fanned out; gives the address of its page."""
    at = clock.now()
    with transaction() as session:
        author = factories.staff(session, Role.MARKETING, Role.OPERATOR, email=WHO)
        for number in range(30):
            factories.contact(session, f"person-{number}@people.example", topics=["news"])
        made = {"name": "November", "topic": "news"}
        campaign = actions.create(session, kind=MailKind.CAMPAIGN, author_id=author.id, at=at, **made)
        words = {"subject": "Search is faster", "body": "Try it at [your desk](https://trac.example)."}
        actions.edit(session, campaign, at=at, **made, **words)
        mailing = actions.send(session, campaign, author.id, at)
    fan_out(mailing.id)
    return f"/admin/campaigns/{campaign.id}"


@pytest.fixture
def site(guarded_app: Flask, sent: str, configure: Configure) -> Iterator[str]:
    """The app alone on a port of its own, forms guarded as in life."""
    with serving(guarded_app) as address:
        configure(public_url=address)
        yield address


@pytest.fixture
def page(chromium: Browser, site: str, width: int) -> Iterator[Page]:
    """A window of somebody who signed in."""
    yield from signed_in(chromium, site, width)


@pytest.fixture
def plain_page(chromium: Browser, site: str, width: int) -> Iterator[Page]:
    """The same without script."""
    yield from signed_in(chromium, site, width, script=False)


def signed_in(chromium: Browser, site: str, width: int, *, script: bool = True) -> Iterator[Page]:
    """What the console complains of fails the test."""
    complaints: list[str] = []
    context = new_window(chromium, site, width, java_script_enabled=script)
    opened = context.new_page()
    opened.on("console", lambda message: complaints.extend(complaint(message)))
    opened.goto("/admin/sign-in")
    opened.get_by_label("E-mail address").fill(WHO)
    opened.get_by_label("Password").fill(factories.PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    opened.wait_for_url("**/admin/")
    yield opened
    context.close()
    assert not complaints, "\n".join(complaints)


def test_a_press_pauses_another_resumes_and_a_typed_word_cancels(page: Page, sent: str) -> None:
    page.goto(sent)
    expect(page.locator("#progress")).to_contain_text("0 of 30 mails settled")
    looks_right(page)
    page.get_by_label("Why, for your colleagues").fill("The link is wrong.")
    page.get_by_role("button", name="Pause").press("Enter")
    banner = page.locator("#progress .flash-warn")
    expect(banner).to_contain_text("Paused by Sam Bakker: The link is wrong.")
    looks_right(page)
    picture(page, "paused")
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("It goes on where it stopped.")
    expect(banner).to_have_count(0)
    page.get_by_label("At most so many mails an hour").fill("60")
    page.get_by_role("button", name="Set the pace").click()
    expect(page.locator("#progress")).to_contain_text("Within its limits the last one goes out on")
    page.get_by_role("link", name="Cancel the rest").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel the rest of “November”?")
    looks_right(page)
    picture(page, "cancel")
    page.get_by_label("Type the word “cancel” to go on").fill("cancel")
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator("#progress")).to_contain_text("30 that wait are being taken out.")
    clear(mailing_id())
    page.reload()
    expect(page.locator("#progress")).to_contain_text("30 cancelled")
    expect(page.locator("#brakes")).to_be_empty()
    looks_right(page)


def test_the_brakes_need_no_script(plain_page: Page, sent: str) -> None:
    plain_page.goto(sent)
    plain_page.get_by_role("button", name="Pause").click()
    expect(plain_page.locator("#progress")).to_contain_text("Paused by Sam Bakker.")
    plain_page.get_by_role("button", name="Resume").click()
    expect(plain_page.get_by_role("button", name="Pause")).to_be_visible()
    plain_page.get_by_role("link", name="Cancel the rest").click()
    plain_page.get_by_label("Type the word “cancel” to go on").fill("cancel")
    plain_page.get_by_role("button", name="Cancel the rest").click()
    expect(plain_page.locator("#progress")).to_contain_text("30 that wait are being taken out.")


def test_a_pace_that_nothing_can_keep_is_told_at_its_field(page: Page, sent: str) -> None:
    page.goto(sent)
    page.get_by_label("At most so many mails an hour").fill("0")
    page.get_by_role("button", name="Set the pace").click()
    expect(page.get_by_role("alert")).to_contain_text("The pace was not changed")
    expect(page.locator("#per_hour-error")).to_contain_text("from 1 to 3,600,000")
    looks_right(page)


def test_a_sending_that_pauses_itself_changes_the_page_without_a_reload(page: Page, sent: str) -> None:
    page.goto(sent)
    page.get_by_label("Why, for your colleagues").fill("half a")
    page.wait_for_timeout(2500)  # the part has renewed itself
    expect(page.get_by_label("Why, for your colleagues")).to_have_value("half a")
    with transaction() as session:
        mailing = session.get_one(Mailing, mailing_id())
        mailings.pause(session, mailing, "Paused by itself: too many came back.", clock.now())
    expect(page.locator("#progress")).to_contain_text("Paused by itself")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


def test_a_sending_that_goes_says_when_it_will_be_done(page: Page, sent: str) -> None:
    with transaction() as session:
        session.get_one(Mailing, mailing_id()).per_second = 0.05
    page.goto(sent)
    expect(page.locator("#progress")).to_contain_text("3 a minute")
    expect(page.locator("#progress")).to_contain_text("At this pace the last one goes out on")
    picture(page, "sending")


def test_a_route_is_tried_out(page: Page, configure: Configure) -> None:
    with sink.running(RCPT="550 5.1.1 no such user") as server:
        configure(smtp_essential=server.url, public_url=settings.current().public_url)
        page.goto("/admin/settings/")
        page.get_by_role("button", name="Open the routes").click()
        looks_right(page)
        card = page.get_by_role("region", name="essential")
        card.get_by_label("Ask about this recipient").fill("nobody@people.example")
        card.get_by_role("button", name="Test essential").press("Enter")
        expect(card.get_by_role("status")).to_contain_text("550 5.1.1 no such user")
    looks_right(page)
    picture(page, "routes", whole=True)


def test_a_route_is_tried_out_without_script(plain_page: Page, configure: Configure) -> None:
    with sink.running() as server:
        configure(smtp_essential=server.url, public_url=settings.current().public_url)
        plain_page.goto("/admin/settings/routes/")
        plain_page.get_by_role("button", name="Test essential").click()
        card = plain_page.get_by_role("region", name="essential")
        expect(card.get_by_role("status")).to_contain_text("It works: mail could go out.")


def mailing_id() -> str:
    with reading() as session:
        return session.scalars(select(Mailing.id)).one()


def test_an_officer_is_warned_on_the_page_of_a_version_whose_notices_wait(
    chromium: Browser, width: int, session: Session, release: Release, guarded_app: Flask, redis_server: Redis
) -> None:
    factories.staff(session, Role.POLICY, email=WHO)
    factories.contact(session, name="Anna de Vries")
    version, mailing = release()
    assert mailing is not None
    tell(session, mailing)
    mailing.state = MailingState.FANNED_OUT
    mailings.pause(session, mailing, "Paused by Sam Bakker: A wrong date.", AT)
    session.commit()
    with serving(guarded_app) as address:
        for page in signed_in(chromium, address, width):
            page.goto(f"/admin/notices/{version.id}")
            expect(page.locator("#sending")).to_contain_text("The dates are at risk.")
            looks_right(page)
            picture(page, "notice-paused")
            page.get_by_role("button", name="Resume").press("Enter")
            expect(page.get_by_role("button", name="Pause")).to_be_visible()
            looks_right(page)
