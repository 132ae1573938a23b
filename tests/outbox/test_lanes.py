from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer import db
from mailer.consent.rules import Channel, Withheld
from mailer.ledger import queries as ledger
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import Whole, merkle_root
from mailer.outbox import lanes, queries, rules
from mailer.outbox.lanes import Answer
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, Outcome, State
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LEASE = timedelta(minutes=2)
AFTER = AT + LEASE + timedelta(seconds=1)
DIGEST = "ab" * 32


def answer(outcome: Outcome, code: int = 250) -> Answer:
    return Answer(outcome, code, "said <anna@people.example>", "essential")


def one(session: Session, kind: MailKind = MailKind.ADMINISTRATIVE) -> Message:
    """A claimed message."""
    to = factories.contact(session, topics=["news"], at=AT)
    factories.message(session, to, kind=kind, topic="news" if kind is MailKind.CAMPAIGN else None, at=AT)
    session.flush()
    (message,) = lanes.claim(session, kind.channel, AT, LEASE, 10)
    return message


def test_a_claim_takes_what_is_due_on_its_channel_the_oldest_first_and_once(session: Session) -> None:
    to = factories.contact(session, topics=["news"], at=AT)
    late = factories.message(session, to, at=AT)
    early = factories.message(session, to, at=AT - timedelta(hours=1))
    factories.message(session, to, at=AT + timedelta(seconds=1))
    factories.message(session, to, kind=MailKind.CAMPAIGN, topic="news", at=AT)
    assert queries.is_due(session, Channel.ESSENTIAL, AT)
    taken = lanes.claim(session, Channel.ESSENTIAL, AT, LEASE, 10)
    assert [message.row for message in taken] == [early.row, late.row]
    assert lanes.claim(session, Channel.ESSENTIAL, AT, LEASE, 10) == []
    assert not queries.is_due(session, Channel.ESSENTIAL, AT)
    assert [message.kind for message in lanes.claim(session, Channel.MARKETING, AT, LEASE, 10)] == [MailKind.CAMPAIGN]


def test_many_claim_at_once_and_no_message_is_taken_twice(database: str) -> None:
    with db.transaction() as session:
        to = factories.contact(session, at=AT)
        for _ in range(60):
            factories.message(session, to, at=AT)
    taken: list[int] = []
    together = threading.Barrier(6)

    def drain() -> None:
        together.wait()
        while True:
            with db.transaction() as session:
                batch = lanes.claim(session, Channel.ESSENTIAL, AT, LEASE, 7)
            if not batch:
                return
            assert len(batch) <= 7
            taken.extend(message.row for message in batch)

    threads = [threading.Thread(target=drain) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_claims_by_the_index_of_what_is_due(session: Session) -> None:
    due = queries.in_state(State.QUEUED)
    query = select(Message.row).where(due, Message.channel == Channel.ESSENTIAL, Message.due_at <= AT)
    compiled = query.order_by(Message.due_at, Message.row).compile(
        session.get_bind(), compile_kwargs={"literal_binds": True}
    )
    plan = session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
    assert "ix_messages_due" in plan[0].detail
    assert not any("TEMP B-TREE" in row.detail for row in plan)


def test_an_accepted_message_holds_its_day_its_digest_and_the_answer_without_the_address(session: Session) -> None:
    message = one(session)
    assert lanes.begin(session, message, AT, LEASE, {"day": "1 April"})
    assert (message.dated_at, message.facts) == (AT, {"day": "1 April"})
    assert lanes.settle(session, message, answer(Outcome.ACCEPTED), DIGEST, AT) is State.ACCEPTED
    session.refresh(message)
    assert (message.state, message.sha256, message.settled_at, message.attempts) == (State.ACCEPTED, DIGEST, AT, 1)
    assert (message.lease_token, message.begun_at, message.dated_at) == (None, None, AT)
    (attempt,) = queries.attempts(session, message)
    assert (attempt.outcome, attempt.code, attempt.reply) == (Outcome.ACCEPTED, 250, "said <(address)>")


def test_a_deferred_message_goes_again_later_with_a_new_day_until_its_time_is_over(session: Session) -> None:
    message = one(session)
    for attempt, minutes in enumerate((5, 10, 20, 40, 67, 67), 1):
        assert lanes.begin(session, message, AT, LEASE, None)
        assert lanes.settle(session, message, answer(Outcome.DEFERRED, 451), "", AT) is State.QUEUED
        session.refresh(message)
        assert message.attempts == attempt
        assert message.dated_at is None
        assert 0.8 * minutes <= (message.due_at - AT).total_seconds() / 60 <= 1.2 * minutes
        assert lanes.claim(session, Channel.ESSENTIAL, message.due_at, LEASE, 1) == [message]
    end = AT + rules.GIVE_UP_AFTER[Channel.ESSENTIAL]
    assert lanes.settle(session, message, answer(Outcome.DEFERRED, 451), "", end) is State.REFUSED


def test_marketing_is_given_up_after_a_day(session: Session) -> None:
    message = one(session, MailKind.CAMPAIGN)
    end = AT + rules.GIVE_UP_AFTER[Channel.MARKETING]
    assert lanes.settle(session, message, answer(Outcome.DEFERRED, 451), "", end) is State.REFUSED


def test_a_refused_message_is_over(session: Session) -> None:
    assert lanes.settle(session, one(session), answer(Outcome.REFUSED, 550), "", AT) is State.REFUSED


def test_who_lost_the_lease_changes_nothing_any_more(session: Session) -> None:
    message = one(session)
    assert lanes.begin(session, message, AT, LEASE, None)
    assert lanes.sweep(session, AFTER) == 1
    stale = message.lease_token
    session.expunge(message)
    (taken,) = lanes.claim(session, Channel.ESSENTIAL, AFTER, LEASE, 1)
    assert taken.row == message.row
    assert taken.lease_token != stale == message.lease_token
    assert lanes.settle(session, message, answer(Outcome.ACCEPTED), DIGEST, AFTER) is None
    assert not lanes.begin(session, message, AFTER, LEASE, {"late": "yes"})
    assert not lanes.withhold(session, message, Withheld.CANCELLED, AFTER)
    assert not lanes.release(session, message)
    session.refresh(taken)
    assert (taken.state, taken.sha256, taken.facts) == (State.SENDING, None, None)
    assert queries.attempts(session, taken) == []


def test_who_settled_once_cannot_settle_again(session: Session) -> None:
    message = one(session)
    lanes.settle(session, message, answer(Outcome.ACCEPTED), DIGEST, AT)
    session.refresh(message)
    assert lanes.settle(session, message, answer(Outcome.REFUSED, 550), "", AT) is None


def test_a_lease_that_still_holds_is_not_swept(session: Session) -> None:
    message = one(session)
    assert lanes.sweep(session, AT + LEASE) == 0
    assert lanes.begin(session, message, AT + LEASE, LEASE, None)
    assert lanes.sweep(session, AT + LEASE + LEASE) == 0


@pytest.mark.parametrize("kind", [MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN])
def test_what_a_dead_worker_held_and_did_not_begin_goes_again(session: Session, kind: MailKind) -> None:
    message = one(session, kind)
    assert lanes.sweep(session, AFTER) == 1
    session.refresh(message)
    assert (message.state, message.lease_token, message.attempts, message.due_at) == (State.QUEUED, None, 0, AFTER)


def test_what_was_on_the_wire_goes_again_as_it_was_if_essential_and_is_unknown_if_marketing(session: Session) -> None:
    essential, marketing = one(session), one(session, MailKind.CAMPAIGN)
    assert lanes.begin(session, essential, AT, LEASE, {"day": "1 April"})
    assert lanes.begin(session, marketing, AT, LEASE, None)
    assert lanes.sweep(session, AFTER) == 2
    for message in (essential, marketing):
        session.refresh(message)
    assert (marketing.state, marketing.settled_at) == (State.UNKNOWN, AFTER)
    assert (essential.state, essential.due_at, essential.attempts) == (State.QUEUED, AFTER, 1)
    (again,) = lanes.claim(session, Channel.ESSENTIAL, AFTER, LEASE, 1)
    assert lanes.begin(session, again, AFTER, LEASE, {"day": "2 April"})
    assert (again.dated_at, again.facts) == (AT, {"day": "1 April"})


def test_a_mail_that_kills_each_worker_does_not_hold_up_the_lane(session: Session) -> None:
    message = one(session)
    at = AT
    for _ in range(rules.CRASHES_AT_ONCE + 1):
        assert lanes.begin(session, message, at, LEASE, None)
        at += LEASE + timedelta(seconds=1)
        lanes.sweep(session, at)
        session.refresh(message)
        lanes.claim(session, Channel.ESSENTIAL, at, LEASE, 1)
        session.refresh(message)
    assert message.state is State.QUEUED
    assert message.due_at - at == rules.LONGEST_PAUSE


def test_without_an_answer_essential_goes_again_the_same_and_marketing_does_not(session: Session) -> None:
    essential, marketing = one(session), one(session, MailKind.CAMPAIGN)
    for message in (essential, marketing):
        lanes.begin(session, message, AT, LEASE, None)
    assert lanes.settle(session, essential, answer(Outcome.IN_DOUBT, 0), DIGEST, AT) is State.QUEUED
    assert lanes.settle(session, marketing, answer(Outcome.IN_DOUBT, 0), DIGEST, AT) is State.UNKNOWN
    session.refresh(essential)
    assert essential.dated_at == AT
    assert queries.attempts(session, marketing)[0].outcome is Outcome.IN_DOUBT


def test_essential_mail_in_doubt_is_not_sent_for_ever(session: Session) -> None:
    message = one(session)
    end = AT + rules.GIVE_UP_AFTER[Channel.ESSENTIAL]
    assert lanes.settle(session, message, answer(Outcome.IN_DOUBT, 0), DIGEST, end) is State.UNKNOWN


def test_accepted_messages_are_sealed_by_one_root_that_can_be_made_again(session: Session) -> None:
    digests = [f"{number:064x}" for number in range(1, 6)]
    for digest in digests:
        lanes.settle(session, one(session), answer(Outcome.ACCEPTED), digest, AT)
    assert lanes.seal(session, AT, limit=3) == 3
    assert lanes.seal(session, AT) == 2
    assert lanes.seal(session, AT) == 0
    session.commit()
    sealed = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "messages.accepted")).all()
    rows = session.execute(select(Message.batch, Message.sha256).order_by(Message.row)).all()
    for entry in sealed:
        own = [row.sha256 for row in rows if f'"{row.batch}"' in entry.subjects]
        assert f'"root":"{merkle_root(own)}"' in entry.subjects
    assert [entry.subjects.count("batch") for entry in sealed] == [1, 1]
    assert isinstance(ledger.verify(session), Whole)
