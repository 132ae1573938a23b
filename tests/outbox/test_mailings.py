from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.consent.rules import Channel, Withheld
from mailer.errors import Invalid
from mailer.ledger.models import LedgerEntry
from mailer.outbox import actions as outbox
from mailer.outbox import lanes, mailings, queries
from mailer.outbox.mailings import NotRunning
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.outgoing import Answer, Batch, Done
from mailer.outbox.rules import MailingState, MailKind, Outcome, State
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LEASE = timedelta(minutes=2)
STAFF = "stf_1"


@pytest.fixture
def running(session: Session) -> Mailing:
    """A campaign to seven readers, fanned out."""
    for _ in range(7):
        factories.contact(session, topics=["news"], at=AT)
    return factories.fan_out(session, factories.mailing(session, at=AT), AT)


def take(session: Session, at: datetime = AT) -> Batch | None:
    return looked_at(session, lanes.take_parcel(session, Channel.MARKETING, at, LEASE), at)


def looked_at(session: Session, batch: Batch | None, at: datetime) -> Batch | None:
    if batch is not None:
        lanes.look_at(session, batch, at)
        lanes.stop(session, batch, at)
    return batch


def test_a_paused_mailing_waits_says_why_and_goes_on_when_a_person_says_so(session: Session, running: Mailing) -> None:
    assert mailings.pause(session, running, "Too many came back.", AT)
    assert not mailings.pause(session, running, "Again.", AT)
    assert running.paused_why == "Too many came back."
    assert take(session) is None
    assert not queries.is_due(session, Channel.MARKETING, AT)
    mailings.resume(session, running, AT, STAFF)
    assert queries.is_due(session, Channel.MARKETING, AT)
    assert take(session) is not None
    with pytest.raises(NotRunning, match="not paused"):
        mailings.resume(session, running, AT, STAFF)
    session.commit()
    kept = select(LedgerEntry.kind).where(LedgerEntry.kind.startswith("mailing.")).order_by(LedgerEntry.seq)
    assert session.scalars(kept).all() == [
        "mailing.created",
        "mailing.fanned_out",
        "mailing.paused",
        "mailing.resumed",
    ]


def test_mail_that_waited_by_itself_goes_on_with_its_mailing(session: Session, running: Mailing) -> None:
    batch = take(session)
    assert batch is not None
    later = Answer(Outcome.DEFERRED, 451, "later", "main")
    lanes.settle(session, batch, [Done(mail, AT, later) for mail in batch.mails], AT)
    mailings.pause(session, running, "", AT)
    hour = AT + timedelta(hours=1)
    held = looked_at(session, lanes.claim(session, Channel.MARKETING, hour, LEASE, 10), hour)
    assert held is not None
    assert held.mails == []
    assert set(session.scalars(select(Message.due_at))) == {queries.HELD}
    mailings.resume(session, running, hour, STAFF)
    going = looked_at(session, lanes.claim(session, Channel.MARKETING, hour, LEASE, 10), hour)
    assert going is not None
    assert len(going.mails) == 7


def test_a_cancelled_mailing_ends_and_what_waited_says_so(session: Session, running: Mailing) -> None:
    mailings.cancel(session, running, AT, STAFF)
    assert take(session) is None
    assert mailings.to_clear(session) == [running.id]
    slices = 0
    while mailings.clear_slice(session, running, AT, size=3):
        slices += 1
    assert slices == 3
    assert queries.progress(session, running.id) == {State.WITHHELD: 7}
    assert queries.left_out(session, running.id) == {Withheld.CANCELLED: 7}
    assert running.state is MailingState.ENDED
    assert session.scalars(select(Parcel)).all() == []
    assert mailings.to_clear(session) == []
    with pytest.raises(NotRunning, match="already"):
        mailings.cancel(session, running, AT, STAFF)
    assert not mailings.pause(session, running, "", AT)
    with pytest.raises(NotRunning):
        mailings.resume(session, running, AT, STAFF)


def test_a_cancelled_mailing_is_not_fanned_out_any_more(session: Session, running: Mailing) -> None:
    outbox.again(running)
    session.flush()
    assert queries.to_fan_out(session) == [running.id]
    mailings.cancel(session, running, AT, STAFF)
    assert queries.to_fan_out(session) == []


def test_a_notice_is_withdrawn_and_never_cancelled(session: Session, running: Mailing) -> None:
    running.kind = MailKind.NOTICE
    with pytest.raises(NotRunning, match="withdraw the version"):
        mailings.cancel(session, running, AT, STAFF)


def test_a_mailing_that_used_up_its_pace_gives_nothing_out_before_its_time(session: Session, running: Mailing) -> None:
    mailings.set_pace(session, running, 100, AT, STAFF)
    mailings.hold(session, running.id, AT + timedelta(minutes=1))
    assert take(session) is None
    assert take(session, AT + timedelta(minutes=1)) is not None
    for wrong in (0, -1, 3_600_001):
        with pytest.raises(Invalid, match="per_hour: write a number"):
            mailings.set_pace(session, running, wrong, AT, STAFF)
    mailings.set_pace(session, running, None, AT, STAFF)
    assert running.per_hour is None


def test_the_pace_is_what_went_out_in_the_last_window(session: Session, running: Mailing) -> None:
    batch = take(session)
    assert batch is not None
    took = Answer(Outcome.ACCEPTED, 250, "ok", "main")
    lanes.settle(session, batch, [Done(mail, AT, took, "00" * 32) for mail in batch.mails[:5]], AT)
    assert mailings.left(session, running.id) == 2
    session.refresh(running)
    mailings.measure(session, AT + timedelta(seconds=1))
    assert running.per_second == 0, "too short a time to say"
    mailings.measure(session, AT + timedelta(seconds=50))
    assert running.per_second == pytest.approx(0.1)
    mailings.measure(session, AT + timedelta(seconds=100))
    assert running.per_second == 0
