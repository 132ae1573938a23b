"""A sending is paused, resumed, slowed down and cancelled from its page, by those who may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, doorbell
from mailer.campaigns import actions
from mailer.campaigns.models import Campaign
from mailer.consent.rules import Withheld
from mailer.db import reading, transaction
from mailer.delivery.pacing import pausing
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailKind, State
from mailer.staff.models import Staff, Task
from mailer.staff.rules import Role
from rq_jobs.clear import clear
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def marketing(signed_in: SignIn) -> FlaskClient:
    return signed_in(Role.MARKETING)


@pytest.fixture
def sent(redis_server: Redis, database: str) -> Campaign:
    """A campaign to three people, fanned out and not yet begun; nobody works at the lanes."""
    at = clock.now()
    with transaction() as session:
        author = factories.staff(session, Role.MARKETING)
        for name in ("anna", "bob", "carl"):
            factories.contact(session, f"{name}@people.example", topics=["news"])
        campaign = write(session, author)
        mailing = actions.send(session, campaign, author.id, at)
    fan_out(mailing.id)
    redis_server.flushall()  # what is rung from here on is the test's
    return campaign


def write(session: Session, author: Staff) -> Campaign:
    at, made = clock.now(), {"name": "November", "topic": "news"}
    campaign = actions.create(session, kind=MailKind.CAMPAIGN, author_id=author.id, at=at, **made)
    words = {"subject": "Hello", "body": "Search is [faster](https://trac.example)."}
    actions.edit(session, campaign, at=at, **made, **words)
    return campaign


def mailing_of(campaign: Campaign) -> Mailing:
    with reading() as session:
        return session.scalars(select(Mailing).where(Mailing.subject_id == campaign.id)).one()


def page_of(campaign: Campaign) -> str:
    return f"/admin/campaigns/{campaign.id}"


def rung() -> list[str]:
    return [f"{lane}: {job.func_name}" for lane in ("marketing", "chores") for job in doorbell.queue(lane).get_jobs()]


def flashed(client: FlaskClient, campaign: Campaign) -> str:
    found = re.search(r'<div class="flash[^>]*>.*?<div>(.*?)</div>', client.get(page_of(campaign)).text, re.DOTALL)
    return found[1] if found else ""


def test_a_pause_is_seen_with_who_and_why_and_a_press_resumes_it(marketing: FlaskClient, sent: Campaign) -> None:
    assert marketing.post(f"{page_of(sent)}/pause", data={"why": "A wrong link."}).status_code == 303
    paused = mailing_of(sent)
    assert paused.paused_at is not None
    page = marketing.get(page_of(sent)).text
    assert "Nothing goes out since" in page
    assert "Paused by Sam Bakker: A wrong link." in page
    assert ">Resume</button>" in page
    assert ">Pause</button>" not in page
    assert "Paused" in marketing.get("/admin/campaigns/").text
    assert marketing.post(f"{page_of(sent)}/resume").status_code == 303
    assert mailing_of(sent).paused_at is None
    assert rung() == ["marketing: rq_jobs.deliver.deliver"]
    page = marketing.get(page_of(sent)).text
    assert "It goes on where it stopped." in page
    assert ">Pause</button>" in page
    assert "Paused by" not in page


def test_a_press_that_comes_too_late_says_so_and_changes_nothing(marketing: FlaskClient, sent: Campaign) -> None:
    marketing.post(f"{page_of(sent)}/resume")
    assert "not paused" in flashed(marketing, sent)
    marketing.post(f"{page_of(sent)}/pause", data={"why": "First."})
    marketing.get(page_of(sent))
    marketing.post(f"{page_of(sent)}/pause", data={"why": "Second."})
    page = marketing.get(page_of(sent)).text
    assert "paused or cancelled already" in page
    assert ("First." in page, "Second." in page) == (True, False)


def test_a_reason_that_cannot_stand_in_a_line_is_told_at_its_field(marketing: FlaskClient, sent: Campaign) -> None:
    for why in ("x" * 201, "=?utf-8?q?x?="):
        faulty = marketing.post(f"{page_of(sent)}/pause", data={"why": why})
        assert faulty.status_code == 422
        assert 'href="#why"' in faulty.text
        assert why in faulty.text, "what was typed is kept"
    assert mailing_of(sent).paused_at is None


def test_the_pace_is_set_and_taken_away(marketing: FlaskClient, sent: Campaign) -> None:
    assert marketing.post(f"{page_of(sent)}/pace", data={"per_hour": "3600"}).status_code == 303
    assert mailing_of(sent).per_hour == 3600
    page = marketing.get(page_of(sent)).text
    assert "At most 3,600 an hour." in page
    assert 'value="3600"' in page
    assert "Within its limits the last one goes out on" in page
    assert rung() == ["marketing: rq_jobs.deliver.deliver"]
    assert marketing.post(f"{page_of(sent)}/pace", data={"per_hour": ""}).status_code == 303
    assert mailing_of(sent).per_hour is None


@pytest.mark.parametrize("per_hour", ["0", "-5", "many", "3600001", "1.5", "9" * 5000])
def test_a_pace_that_nothing_can_keep_is_told_once_at_its_field(
    marketing: FlaskClient, sent: Campaign, per_hour: str
) -> None:
    faulty = marketing.post(f"{page_of(sent)}/pace", data={"per_hour": per_hour})
    assert faulty.status_code == 422
    assert faulty.text.count("Write a whole number from 1 to 3,600,000, or leave it empty for no limit.") == 2
    assert "integer" not in faulty.text
    assert mailing_of(sent).per_hour is None


def test_a_cancel_asks_for_the_word_and_takes_out_what_waits(marketing: FlaskClient, sent: Campaign) -> None:
    asked = marketing.get(f"{page_of(sent)}/cancel").text
    assert "3 people" in asked
    assert "Type the word <strong>“cancel”</strong>" in asked
    refused = marketing.post(f"{page_of(sent)}/cancel", data={"confirm": "yes"})
    assert (refused.status_code, "Type the word “cancel”" in refused.text) == (422, True)
    assert mailing_of(sent).cancelled_at is None
    assert marketing.post(f"{page_of(sent)}/cancel", data={"confirm": "cancel"}).status_code == 303
    assert rung() == ["chores: rq_jobs.clear.clear"]
    assert "3 that wait are being taken out." in marketing.get(page_of(sent)).text
    clear(mailing_of(sent).id)
    page = marketing.get(page_of(sent)).text
    assert "What waited was not sent." in page
    assert "Withheld at the last moment: 3 cancelled." in page
    assert "hx-trigger" not in page
    assert "Stop or slow down" not in page
    with reading() as session:
        settled = session.execute(select(Message.state, Message.withheld).order_by(Message.row)).all()
    assert [tuple(one) for one in settled] == [(State.WITHHELD, Withheld.CANCELLED)] * 3
    assert marketing.get(f"{page_of(sent)}/cancel").status_code == 303
    marketing.post(f"{page_of(sent)}/cancel", data={"confirm": "cancel"})
    assert "cancelled already" in flashed(marketing, sent)
    assert "Cancelled" in marketing.get("/admin/campaigns/").text


def test_what_has_all_gone_out_cannot_be_cancelled(marketing: FlaskClient, sent: Campaign) -> None:
    with transaction() as session:
        for message in session.scalars(select(Message)):
            message.state, message.settled_at = State.ACCEPTED, clock.now()
    assert marketing.get(f"{page_of(sent)}/cancel").status_code == 303
    marketing.post(f"{page_of(sent)}/cancel", data={"confirm": "cancel"})
    assert "nothing is left to cancel" in flashed(marketing, sent)
    assert mailing_of(sent).cancelled_at is None
    assert "Sent" in marketing.get(page_of(sent)).text


def test_a_sending_may_begin_at_a_pace(redis_server: Redis, database: str, marketing: FlaskClient) -> None:
    with transaction() as session:
        factories.contact(session, "anna@people.example", topics=["news"])
        campaign = write(session, factories.staff(session, Role.MARKETING))
    door = f"{page_of(campaign)}/send"
    faulty = marketing.post(door, data={"per_hour": "none"})
    assert (faulty.status_code, "Send to 1 person" in faulty.text) == (422, True)
    assert marketing.post(door, data={"per_hour": "120"}).status_code == 303
    assert mailing_of(campaign).per_hour == 120


def test_the_page_says_when_the_last_one_goes_out(marketing: FlaskClient, sent: Campaign) -> None:
    assert "The pace is not known yet" in marketing.get(page_of(sent)).text
    at = clock.now()
    with transaction() as session:
        mailing = session.scalars(select(Mailing)).one()
        mailing.per_second = 1 / 60
    page = marketing.get(f"{page_of(sent)}/progress").text
    assert "60 an hour" in page
    [said] = re.findall(r"At this pace the last one goes out on <strong><time datetime=\"([^\"]+)\"", page)
    finish = said.replace("Z", "+00:00")
    assert timedelta(minutes=2, seconds=50) < datetime.fromisoformat(finish) - at < timedelta(minutes=4)
    with transaction() as session:
        mailing = session.scalars(select(Mailing)).one()
        mailing.per_second, mailing.fanned_out_at = 0.0, at - timedelta(hours=1)
    assert "Nothing goes out at this moment." in marketing.get(page_of(sent)).text


def test_the_brakes_come_anew_only_when_it_stands_elsewhere(marketing: FlaskClient, sent: Campaign) -> None:
    page = marketing.get(page_of(sent)).text
    [asks] = re.findall(r'hx-get="([^"]+)"', page)
    assert "hx-swap-oob" not in page
    assert "Stop or slow down" not in marketing.get(asks).text, "nothing typed is lost"
    marketing.post(f"{page_of(sent)}/pause")
    renewed = marketing.get(asks).text
    assert 'id="brakes" hx-swap-oob="true"' in renewed
    assert ">Resume</button>" in renewed


def test_who_may_send_it_may_stop_it_and_so_may_an_operator(signed_in: SignIn, sent: Campaign) -> None:
    doors = {"pause": {}, "resume": {}, "pace": {"per_hour": "5"}, "cancel": {"confirm": "cancel"}}
    for role in (Role.AUDITOR, Role.POLICY):
        looking = signed_in(role)
        assert "Stop or slow down" not in looking.get(page_of(sent)).text
        assert looking.get(f"{page_of(sent)}/cancel").status_code == 403
        for door, data in doors.items():
            assert looking.post(f"{page_of(sent)}/{door}", data=data).status_code == 403
    operator = signed_in(Role.OPERATOR)
    for door, data in doors.items():
        assert operator.get(f"{page_of(sent)}/{door}").status_code in (200, 405), "a look changes nothing"
        assert operator.post(f"{page_of(sent)}/{door}", data=data).status_code == 303
    assert mailing_of(sent).cancelled_at is not None


def test_a_draft_has_no_brakes(redis_server: Redis, database: str, marketing: FlaskClient) -> None:
    with transaction() as session:
        factories.topic(session)
        draft = write(session, factories.staff(session, Role.MARKETING))
    assert marketing.get(f"{page_of(draft)}/cancel").status_code == 303
    for door, data in (("pause", {}), ("resume", {}), ("pace", {}), ("cancel", {"confirm": "cancel"})):
        assert marketing.post(f"{page_of(draft)}/{door}", data=data).status_code == 404


@pytest.mark.parametrize(("door", "note"), [("resume", "resumed"), ("cancel", "cancelled")])
def test_one_that_paused_itself_says_why_and_its_task_ends_with_the_decision(
    marketing: FlaskClient, sent: Campaign, door: str, note: str
) -> None:
    with transaction() as session:
        mailing = session.scalars(select(Mailing)).one()
        mailing.accepted, mailing.bounced = 1000, 90
        session.flush()
        assert pausing.pause_if_harmful(session, mailing.id, clock.now())
        task = session.scalars(select(Task)).one()
    assert "Paused by itself: 90 of 1,000 mails came back (9.0%)" in marketing.get(page_of(sent)).text
    assert "Mailing paused" in marketing.get("/admin/tasks/").text
    shown = marketing.get(f"/admin/tasks/{task.id}").text
    assert f'href="{page_of(sent)}"' in shown
    assert "Look where they come from" in shown
    assert marketing.post(f"{page_of(sent)}/{door}", data={"confirm": "cancel"}).status_code == 303
    with reading() as session:
        ended = session.get_one(Task, task.id)
        assert ended.done_at is not None
        assert ended.note == f"The sending was {note}."
        assert session.get_one(Staff, ended.done_by).roles == [Role.MARKETING.value]


def test_the_mails_of_a_paused_sending_reach_nobody(marketing: FlaskClient, sent: Campaign) -> None:
    marketing.post(f"{page_of(sent)}/pause")
    assert deliver("marketing") == 0
    with reading() as session:
        states = session.scalars(select(Message.state).order_by(Message.row)).all()
    assert states == [State.QUEUED] * 3
