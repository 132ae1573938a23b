"""The officer sees when the last notice goes out, is warned when the promised dates are at risk, and can pause."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, doorbell, settings
from mailer.contacts import queries as contacts
from mailer.db import reading
from mailer.notices import actions as notices
from mailer.notices import sending
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState
from mailer.policies.models import Version
from mailer.policies.rules import QUESTIONS, Announce, ChangeClass
from mailer.staff.rules import Role
from tests import factories
from tests.notices.conftest import AT, WORDING, Release, accept, fan_out

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LAST_DAY = "Tuesday 8 December 2026"  # for what takes effect on Friday 8 January 2027


@pytest.fixture
def told(session: Session, release: Release) -> Version:
    """A version of which two people are to be told; its mails wait."""
    factories.contact(session, "anna@people.example", name="Anna de Vries")
    factories.contact(session, "bas@people.example", name="Bas Smit")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    mailing.state, mailing.fanned_out_at = MailingState.FANNED_OUT, AT
    session.commit()
    return version


def mailing_of(session: Session, version: Version) -> Mailing:
    session.expire_all()
    found = sending.of(session, version, AT)
    assert found is not None
    return found.mailing


def look(session: Session, version: Version, after: timedelta = timedelta(), **known: object) -> sending.Sending:
    mailing = mailing_of(session, version)
    for name, value in known.items():
        setattr(mailing, name, value)
    session.flush()
    found = sending.of(session, version, AT + after)
    assert found is not None
    return found


def test_in_time_nothing_is_warned_of_and_the_end_is_told(session: Session, told: Version) -> None:
    found = look(session, told, per_second=0.1)
    assert (found.outlook.finish, found.warning) == (AT + timedelta(seconds=20), "")


def test_before_the_pace_is_known_nothing_is_said_and_when_nothing_moves_it_is(session: Session, told: Version) -> None:
    assert look(session, told, timedelta(seconds=30)).warning == ""
    stuck = look(session, told, timedelta(minutes=5)).warning
    assert "none goes out" in stuck
    assert LAST_DAY in stuck


def test_a_pace_that_would_miss_the_legal_date_is_warned_of(session: Session, told: Version) -> None:
    morning = timedelta(days=14)  # ten o'clock on the last day, in Amsterdam
    in_time = look(session, told, morning, per_second=2 / timedelta(hours=13).total_seconds())
    assert (in_time.outlook.left, in_time.warning) == (2, "")
    late = look(session, told, morning, per_second=2 / timedelta(hours=15).total_seconds())
    assert "the last notice goes out on Wednesday 9 December 2026" in late.warning
    assert f"all notices must be out by the end of {LAST_DAY}" in late.warning


def test_while_it_is_paused_the_day_is_named_by_which_it_must_go_on(session: Session, told: Version) -> None:
    assert LAST_DAY in look(session, told, paused_at=AT, per_second=5.0).warning


def test_an_announcement_promises_no_date(session: Session, release: Release) -> None:
    factories.contact(session, "anna@people.example")
    ordinary = replace(
        WORDING,
        change_class=ChangeClass.ORDINARY,
        announce=Announce.EMAIL,
        class_reason="It frees.",
        answers=dict.fromkeys(QUESTIONS, False),
    )
    version, mailing = release(ordinary)
    assert mailing is not None
    fan_out(session, mailing)
    assert look(session, version, timedelta(hours=1)).warning == ""


def test_when_all_are_told_there_is_nothing_to_pause(session: Session, told: Version, signed_in: SignIn) -> None:
    for email in ("anna@people.example", "bas@people.example"):
        person = contacts.find_by_address(session, email)
        assert person is not None
        accept(session, told, person)
    session.commit()
    page = signed_in(Role.POLICY).get(f"/admin/notices/{told.id}").text
    assert "Stop for a while" not in page
    assert "hx-trigger" not in page


def test_an_officer_pauses_and_resumes(redis_server: Redis, signed_in: SignIn, session: Session, told: Version) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{told.id}"
    assert ">Pause</button>" in officer.get(here).text
    assert officer.post(f"{here}/pause", data={"why": "A wrong date."}).status_code == 303
    page = officer.get(here).text
    assert "It is paused." in page
    assert "Nothing goes out since" in page
    assert "Paused by Sam Bakker: A wrong date." in page
    assert "The dates are at risk." in page
    officer.post(f"{here}/pause")
    assert "It was paused already." in officer.get(here).text
    assert officer.post(f"{here}/resume").status_code == 303
    with reading() as other:
        assert mailing_of(other, told).paused_at is None
    assert [job.func_name for job in doorbell.queue("essential").get_jobs()] == ["rq_jobs.deliver.deliver"]
    page = officer.get(here).text
    assert "go on where they stopped" in page
    assert "Paused by" not in page
    officer.post(f"{here}/resume")
    assert "not paused" in officer.get(here).text


def test_a_faulty_reason_is_told_at_its_field(signed_in: SignIn, session: Session, told: Version) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{told.id}"
    for why in ("x" * 201, "=?utf-8?q?x?="):
        faulty = officer.post(f"{here}/pause", data={"why": why})
        assert (faulty.status_code, 'href="#why"' in faulty.text) == (422, True)
    assert mailing_of(session, told).paused_at is None


def test_a_notice_is_not_cancelled_but_its_version_withdrawn(
    signed_in: SignIn, session: Session, told: Version
) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{told.id}"
    today = clock.local_day(clock.now(), settings.current().zone)
    assert ("withdraw the version" in officer.get(here).text) is (told.effective_on > today)
    assert officer.post(f"{here}/cancel").status_code == 404
    author = factories.staff(session).id
    notices.withdraw(session, told, author, "It was a mistake.", AT)
    session.commit()
    page = officer.get(here).text
    assert "Stop for a while" not in page
    assert "At risk" not in page


def test_the_part_renews_itself_and_brings_other_brakes_when_it_stands_elsewhere(
    redis_server: Redis, signed_in: SignIn, told: Version
) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{told.id}"
    [asks] = re.findall(r'hx-get="([^"]+)"', officer.get(here).text)
    assert "Stop for a while" not in officer.get(asks).text
    officer.post(f"{here}/pause")
    assert 'id="brakes" hx-swap-oob="true"' in officer.get(asks).text


def test_marketing_and_auditors_only_look(redis_server: Redis, signed_in: SignIn, told: Version) -> None:
    here = f"/admin/notices/{told.id}"
    for role in (Role.MARKETING, Role.AUDITOR):
        looking = signed_in(role)
        assert "Stop for a while" not in looking.get(here).text
        assert looking.post(f"{here}/pause").status_code == 403
        assert looking.post(f"{here}/resume").status_code == 403
    assert signed_in(Role.OPERATOR).post(f"{here}/pause").status_code == 303


def test_a_version_without_mail_has_no_sending(signed_in: SignIn, session: Session) -> None:
    factories.policy(session)
    session.commit()
    here = f"/admin/notices/{session.scalars(select(Version.id)).one()}"
    session.rollback()
    officer = signed_in(Role.POLICY)
    assert officer.get(here).status_code == 200
    assert officer.get(f"{here}/progress").status_code == 404
    assert officer.post(f"{here}/pause").status_code == 404
