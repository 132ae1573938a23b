from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, select, text, update
from sqlalchemy.orm import Session

from mailer import db
from mailer.consent import actions as consent
from mailer.consent.rules import Channel, SuppressionReason, Withheld
from mailer.contacts.models import Contact
from mailer.ledger import queries as ledger
from mailer.ledger.merkle import merkle_root
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import Whole
from mailer.outbox import actions as outbox
from mailer.outbox import lanes, queries, rules
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.outgoing import Answer, Batch, Done, Outgoing
from mailer.outbox.rules import MailKind, Outcome, State
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LEASE = timedelta(minutes=2)
AFTER = AT + LEASE + timedelta(seconds=1)
DIGEST = "ab" * 32
UPDATED = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'messages'")


def answer(outcome: Outcome, code: int = 250) -> Answer:
    return Answer(outcome, code, "said <anna@people.example>", "essential")


def claim(session: Session, channel: Channel, at: datetime = AT, limit: int = 10) -> Batch:
    batch = lanes.claim(session, channel, at, LEASE, limit)
    assert batch is not None
    return looked_at(session, batch, at)


def looked_at(session: Session, batch: Batch, at: datetime) -> Batch:
    """The batch with its mails, what may not go being settled."""
    lanes.look_at(session, batch, at)
    lanes.stop(session, batch, at)
    return batch


def look_again(session: Session, batch: Batch, mails: list[Outgoing] | None = None) -> list[int]:
    """The rows that may not go any more; they are settled."""
    done = lanes.stopped(session, batch.mails if mails is None else mails, AT)
    lanes.settle(session, batch, done, AT)
    return [one.mail.row for one in done]


def take(session: Session, at: datetime = AT) -> Batch:
    """The next parcel of marketing, with its mails."""
    batch = lanes.take_parcel(session, Channel.MARKETING, at, LEASE)
    assert batch is not None
    return looked_at(session, batch, at)


def one(session: Session, kind: MailKind = MailKind.ADMINISTRATIVE) -> Batch:
    """A claimed message."""
    to = factories.contact(session, topics=["news"], at=AT)
    factories.message(session, to, kind=kind, topic="news" if kind is MailKind.CAMPAIGN else None, at=AT)
    session.flush()
    return claim(session, kind.channel)


def message_of(session: Session, batch: Batch) -> Message:
    """The row of a batch's first mail, as it is now."""
    return session.get_one(Message, batch.mails[0].row, populate_existing=True)


def settle(session: Session, batch: Batch, said: Answer | None, at: datetime = AT, digest: str = "") -> list[State]:
    """Write the same answer down for every mail of a batch; None as after a crash."""
    done = [Done(mail, at, said, digest) for mail in batch.mails]
    return [state for _, state in lanes.settle(session, batch, done, at)]


def mailing(session: Session, people: int) -> Mailing:
    """A campaign to so many readers more, fanned out."""
    for _ in range(people):
        factories.contact(session, topics=["news"], at=AT)
    return factories.fan_out(session, factories.mailing(session, at=AT), AT)


def test_a_claim_takes_what_is_due_on_its_channel_the_oldest_first_and_once(session: Session) -> None:
    to = factories.contact(session, topics=["news"], at=AT)
    late = factories.message(session, to, at=AT)
    early = factories.message(session, to, at=AT - timedelta(hours=1))
    factories.message(session, to, at=AT + timedelta(seconds=1))
    factories.message(session, to, kind=MailKind.CAMPAIGN, topic="news", at=AT)
    assert queries.is_due(session, Channel.ESSENTIAL, AT)
    assert [mail.row for mail in claim(session, Channel.ESSENTIAL, limit=1).mails] == [early.row]
    assert [mail.row for mail in claim(session, Channel.ESSENTIAL).mails] == [late.row]
    assert lanes.claim(session, Channel.ESSENTIAL, AT, LEASE, 10) is None
    assert not queries.is_due(session, Channel.ESSENTIAL, AT)
    assert [mail.kind for mail in claim(session, Channel.MARKETING).mails] == [MailKind.CAMPAIGN]


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
                if batch is None:
                    return
                looked_at(session, batch, AT)
            assert len(batch.mails) <= 7
            taken.extend(mail.row for mail in batch.mails)

    threads = [threading.Thread(target=drain) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


def test_many_take_parcels_at_once_and_no_message_is_taken_twice(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PARCEL", 5)
    with db.transaction() as session:
        mailing(session, 60)
    taken: list[int] = []
    together = threading.Barrier(4)

    def drain() -> None:
        together.wait()
        while True:
            with db.transaction() as session:
                batch = lanes.take_parcel(session, Channel.MARKETING, AT, LEASE)
                if batch is None:
                    return
                looked_at(session, batch, AT)
            assert 0 < len(batch.mails) <= 5
            taken.extend(mail.row for mail in batch.mails)

    threads = [threading.Thread(target=drain) for _ in range(4)]
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


def test_a_claim_withholds_who_may_not_get_it_any_more(session: Session) -> None:
    reader, dead = (factories.contact(session, f"{name}@people.example", topics=["news"]) for name in ("a", "b"))
    news = factories.message(session, reader, kind=MailKind.CAMPAIGN, topic="news", at=AT)
    letter = factories.message(session, reader, at=AT)
    lost = factories.message(session, dead, at=AT)
    consent.leave_all(session, reader, source="test", at=AT)
    consent.suppress(session, "b@people.example", SuppressionReason.HARD_BOUNCE, source="test", at=AT)
    assert claim(session, Channel.MARKETING).mails == []
    assert [mail.row for mail in claim(session, Channel.ESSENTIAL).mails] == [letter.row]
    for message, why in ((news, Withheld.UNSUBSCRIBED), (lost, Withheld.DEAD_ADDRESS)):
        session.refresh(message)
        assert (message.state, message.withheld, message.settled_at) == (State.WITHHELD, why, AT)
        assert (message.due_at, message.lease_token) == (None, None)


def test_an_accepted_message_holds_its_day_its_digest_and_the_answer_without_the_address(session: Session) -> None:
    batch = one(session)
    batch.mails[0].sent_from = "Us <us@company.example>"
    assert settle(session, batch, answer(Outcome.ACCEPTED), AT + timedelta(seconds=3), DIGEST) == [State.ACCEPTED]
    message = message_of(session, batch)
    assert (message.state, message.sha256, message.attempts) == (State.ACCEPTED, DIGEST, 1)
    assert (message.dated_at, message.settled_at) == (AT, AT + timedelta(seconds=3))
    assert (message.lease_token, message.due_at, message.sent_from) == (None, None, "Us <us@company.example>")
    (attempt,) = queries.attempts(session, message)
    assert (attempt.outcome, attempt.code, attempt.reply) == (Outcome.ACCEPTED, 250, "said <(address)>")
    assert attempt.at == AT + timedelta(seconds=3)


def test_a_deferred_message_goes_again_later_with_a_new_day_until_its_time_is_over(session: Session) -> None:
    batch = one(session)
    for attempt, minutes in enumerate((5, 10, 20, 40, 67, 67), 1):
        assert settle(session, batch, answer(Outcome.DEFERRED, 451)) == [State.QUEUED]
        message = message_of(session, batch)
        assert (message.attempts, message.dated_at) == (attempt, None)
        assert message.due_at is not None
        assert 0.8 * minutes <= (message.due_at - AT).total_seconds() / 60 <= 1.2 * minutes
        batch = claim(session, Channel.ESSENTIAL, message.due_at)
    end = AT + rules.GIVE_UP_AFTER[Channel.ESSENTIAL]
    assert settle(session, batch, answer(Outcome.DEFERRED, 451), end) == [State.REFUSED]


def test_marketing_is_given_up_after_a_day(session: Session) -> None:
    end = AT + rules.GIVE_UP_AFTER[Channel.MARKETING]
    assert settle(session, one(session, MailKind.CAMPAIGN), answer(Outcome.DEFERRED, 451), end) == [State.REFUSED]


def test_a_refused_message_is_over(session: Session) -> None:
    batch = one(session)
    assert settle(session, batch, answer(Outcome.REFUSED, 550)) == [State.REFUSED]
    assert message_of(session, batch).due_at is None


def test_who_lost_the_lease_changes_nothing_any_more(session: Session) -> None:
    batch = one(session)
    found = lanes.of_lease(session, batch.token, AFTER)
    assert found is not None
    lanes.give_back(session, found, found.mails, AFTER)
    again = claim(session, Channel.ESSENTIAL, AFTER)
    assert again.token != batch.token
    assert settle(session, batch, answer(Outcome.ACCEPTED), AFTER, DIGEST) == []
    assert not lanes.extend(session, Batch(batch.token, None, batch.mails), AFTER + LEASE)
    lanes.give_back(session, batch, batch.mails, AFTER)
    message = message_of(session, again)
    assert (message.state, message.sha256, message.lease_token) == (State.SENDING, None, again.token)
    assert queries.attempts(session, message) == []


def test_who_lost_a_parcel_changes_nothing_any_more(session: Session) -> None:
    mailing(session, 3)
    batch = take(session, AT)
    found = lanes.of_lease(session, batch.token, AFTER)
    assert found is not None
    lanes.give_back(session, found, found.mails, AFTER)
    again = take(session, AFTER)
    assert settle(session, batch, answer(Outcome.ACCEPTED), AFTER, DIGEST) == []
    assert settle(session, again, answer(Outcome.ACCEPTED), AFTER, DIGEST) == [State.ACCEPTED] * 3
    assert session.scalars(select(Parcel)).all() == []


def test_who_settled_once_cannot_settle_again(session: Session) -> None:
    batch = one(session)
    assert settle(session, batch, answer(Outcome.ACCEPTED), AT, DIGEST) == [State.ACCEPTED]
    assert settle(session, batch, answer(Outcome.REFUSED, 550)) == []


@pytest.mark.parametrize("kind", [MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN])
def test_a_lease_that_ran_out_is_found_and_one_that_holds_is_not(session: Session, kind: MailKind) -> None:
    batch = one(session, kind)
    assert lanes.lost_leases(session, kind.channel, AT + LEASE) == []
    assert lanes.lost_leases(session, kind.channel, AFTER) == [batch.token]
    assert lanes.extend(session, batch, AFTER + LEASE)
    assert lanes.lost_leases(session, kind.channel, AFTER) == []


def test_a_parcels_lease_that_ran_out_is_found_and_one_that_holds_is_not(session: Session) -> None:
    mailing(session, 1)
    batch = take(session, AT)
    assert lanes.lost_leases(session, Channel.MARKETING, AT + LEASE) == []
    assert lanes.lost_leases(session, Channel.MARKETING, AFTER) == [batch.token]
    assert lanes.extend(session, batch, AFTER + LEASE)
    assert lanes.lost_leases(session, Channel.MARKETING, AFTER) == []


@pytest.mark.parametrize("kind", [MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN])
def test_what_is_given_back_waits_as_before(session: Session, kind: MailKind) -> None:
    batch = one(session, kind)
    lanes.give_back(session, batch, batch.mails, AFTER)
    message = message_of(session, batch)
    assert (message.state, message.lease_token, message.attempts, message.due_at) == (State.QUEUED, None, 0, AFTER)
    assert message.dated_at is None


def test_what_a_parcel_holds_when_it_is_given_back_is_taken_again_and_the_rest_is_not(session: Session) -> None:
    mailing(session, 5)
    batch = take(session, AT)
    sent, rest = batch.mails[:2], batch.mails[2:]
    lanes.settle(session, batch, [Done(mail, AT, answer(Outcome.ACCEPTED), DIGEST) for mail in sent], AT)
    lanes.give_back(session, batch, rest, AT)
    again = take(session, AFTER)
    assert [mail.row for mail in again.mails] == [mail.row for mail in rest]
    assert {mail.dated_at for mail in again.mails} == {AFTER}


def test_what_was_on_the_wire_when_a_worker_ended_goes_again_as_it_was_if_essential_and_is_unknown_if_marketing(
    session: Session,
) -> None:
    essential, marketing = one(session), one(session, MailKind.CAMPAIGN)
    essential.mails[0].facts, essential.mails[0].envelope_domain = {"day": "1 April"}, "bounces.example"
    assert settle(session, essential, None, AFTER) == [State.QUEUED]
    assert settle(session, marketing, None, AFTER) == [State.UNKNOWN]
    unknown, message = message_of(session, marketing), message_of(session, essential)
    assert (unknown.settled_at, unknown.due_at) == (AFTER, None)
    assert (message.due_at, message.attempts) == (AFTER, 1)
    [mail] = claim(session, Channel.ESSENTIAL, AFTER).mails
    assert mail.is_in_doubt
    assert (mail.dated_at, mail.facts, mail.envelope_domain) == (AT, {"day": "1 April"}, "bounces.example")
    assert queries.attempts(session, message) == []


def test_what_was_ever_in_doubt_goes_as_the_same_bytes_however_often_a_server_says_later(session: Session) -> None:
    batch = one(session)
    batch.mails[0].facts = {"day": "1 April"}
    settle(session, batch, None, AFTER)
    for hours in (1, 3):
        at = AT + timedelta(hours=hours)
        batch = claim(session, Channel.ESSENTIAL, at)
        assert settle(session, batch, answer(Outcome.DEFERRED, 451), at) == [State.QUEUED]
    [mail] = claim(session, Channel.ESSENTIAL, AT + timedelta(hours=9)).mails
    assert (mail.dated_at, mail.facts) == (AT, {"day": "1 April"})


def test_a_mail_that_kills_each_worker_does_not_hold_up_the_lane(session: Session) -> None:
    batch = one(session)
    at = AT
    for _ in range(rules.CRASHES_AT_ONCE):
        settle(session, batch, None, at)
        at += timedelta(seconds=1)
        batch = claim(session, Channel.ESSENTIAL, at)
    settle(session, batch, None, at)
    assert message_of(session, batch).due_at == at + rules.LONGEST_PAUSE


def test_without_an_answer_essential_goes_again_the_same_and_marketing_does_not(session: Session) -> None:
    essential, marketing = one(session), one(session, MailKind.CAMPAIGN)
    assert settle(session, essential, answer(Outcome.IN_DOUBT, 0), AT, DIGEST) == [State.QUEUED]
    assert settle(session, marketing, answer(Outcome.IN_DOUBT, 0), AT, DIGEST) == [State.UNKNOWN]
    assert message_of(session, essential).dated_at == AT
    assert queries.attempts(session, message_of(session, marketing))[0].outcome is Outcome.IN_DOUBT


def test_essential_mail_in_doubt_is_not_sent_for_ever(session: Session) -> None:
    end = AT + rules.GIVE_UP_AFTER[Channel.ESSENTIAL]
    assert settle(session, one(session), answer(Outcome.IN_DOUBT, 0), end, DIGEST) == [State.UNKNOWN]


def test_a_paused_mailing_gives_nothing_out_and_its_single_mails_wait_with_it(session: Session) -> None:
    made = mailing(session, 2)
    first, second = session.scalars(select(Message).order_by(Message.row)).all()
    session.execute(update(Message).where(Message.row == first.row).values(due_at=AT))
    made.paused_at = AT
    session.flush()
    assert not session.scalars(select(Parcel.lease_token)).one()
    assert lanes.take_parcel(session, Channel.MARKETING, AT, LEASE) is None
    assert claim(session, Channel.MARKETING).mails == []
    session.refresh(first)
    assert (first.state, first.due_at) == (State.QUEUED, queries.HELD)
    made.paused_at = None
    session.flush()
    batch = take(session, AT)
    assert [mail.row for mail in batch.mails] == [second.row]


def test_what_is_in_hand_is_looked_at_again(session: Session) -> None:
    made = mailing(session, 3)
    batch = take(session, AT)
    leaver, *others = batch.mails
    consent.leave_all(session, session.get_one(Contact, leaver.contact_id), source="test", at=AT)
    assert look_again(session, batch) == [leaver.row]
    assert message_of(session, batch).withheld is Withheld.UNSUBSCRIBED
    made.cancelled_at = AT
    session.flush()
    assert look_again(session, batch, others) == [mail.row for mail in others]
    assert session.scalars(select(Message.withheld).order_by(Message.row)).all()[1:] == [Withheld.CANCELLED] * 2
    assert session.scalars(select(Parcel)).all() == [], "it is done"


@pytest.mark.parametrize(
    ("people", "sizes"), [(1, [1]), (3, [2, 1]), (8, [4, 2, 2]), (17, [8, 4, 2, 2, 1]), (40, [8, 8, 8, 8, 4, 2, 2])]
)
def test_the_last_parcels_are_smaller_so_that_no_worker_has_much_left_when_the_others_are_done(
    session: Session, monkeypatch: pytest.MonkeyPatch, people: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(outbox, "PARCEL", 8)
    mailing(session, people)
    spans = session.execute(select(Parcel.first_row, Parcel.last_row).order_by(Parcel.turn)).all()
    assert [last - first + 1 for first, last in spans] == sizes
    assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]


def test_mailings_take_turns(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PARCEL", 2)
    large, small = mailing(session, 6), mailing(session, 2)
    taken = []
    while batch := lanes.take_parcel(session, Channel.MARKETING, AT, LEASE):
        taken.append(looked_at(session, batch, AT).mails[0].mailing_id)
    assert taken[:4] == [large.id, small.id, large.id, small.id]


def test_accepted_messages_are_sealed_by_one_root_that_can_be_made_again(session: Session) -> None:
    mailing(session, 5)
    batch = take(session, AT)
    done = [Done(mail, AT, answer(Outcome.ACCEPTED), f"{mail.row:064x}") for mail in batch.mails]
    lanes.settle(session, batch, done[3:], AT)
    lanes.settle(session, batch, [done[2], done[0], done[1]], AT)
    session.commit()
    sealed = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "messages.accepted")).all()
    rows = session.execute(select(Message.row, Message.batch, Message.sha256).order_by(Message.row)).all()
    assert len(sealed) == 2
    for entry in sealed:
        own = [row for row in rows if f'"{row.batch}"' in entry.subjects]
        assert f'"root":"{merkle_root(row.sha256 for row in own)}"' in entry.subjects
        assert f'"rows":[{own[0].row},{own[-1].row}]' in entry.subjects
    assert isinstance(ledger.verify(session), Whole)
    assert session.scalars(select(Mailing.accepted)).one() == 5


def test_a_batch_with_all_kinds_of_answers_is_written_down_as_each_was(session: Session) -> None:
    mailing(session, 6)
    batch = take(session, AT)
    said = [
        Answer(Outcome.ACCEPTED, 250, "2.0.0 Ok: queued as A1", "first"),
        Answer(Outcome.REFUSED, 550, "5.1.1 no such user", "first"),
        Answer(Outcome.ACCEPTED, 250, "2.0.0 Ok: queued as “ä”", "second"),
        Answer(Outcome.DEFERRED, 451, "4.3.0 later", "second"),
        Answer(Outcome.ACCEPTED, 251, "", "second"),
        Answer(Outcome.IN_DOUBT, 0, "the connection broke", "first"),
    ]
    at = [AT + timedelta(seconds=number) for number in range(6)]
    at[2] = at[2].astimezone(ZoneInfo("Europe/Amsterdam"))  # an instant is one, whatever zone it is said in
    digests = [f"{number:064x}" for number in range(6)]
    for number, mail in enumerate(batch.mails):
        mail.sent_from, mail.envelope_domain = f"From {number} <us@company.example>", f"bounces{number}.example"
    lanes.settle(session, batch, [Done(*one) for one in zip(batch.mails, at, said, digests, strict=True)], AT)
    rows = session.scalars(select(Message).order_by(Message.row).execution_options(populate_existing=True)).all()
    assert [row.state for row in rows] == [
        State.ACCEPTED,
        State.REFUSED,
        State.ACCEPTED,
        State.QUEUED,
        State.ACCEPTED,
        State.UNKNOWN,
    ]
    for number in (0, 2, 4):
        row = rows[number]
        assert (row.sha256, row.settled_at, row.attempts, row.dated_at) == (digests[number], at[number], 1, AT)
        assert (row.sent_from, row.envelope_domain) == (
            f"From {number} <us@company.example>",
            f"bounces{number}.example",
        )
    kept = [queries.attempts(session, row) for row in rows]
    assert [[(one.outcome, one.code, one.reply, one.route) for one in of_row] for of_row in kept] == [[o] for o in said]
    assert [[one.at for one in of_row] for of_row in kept] == [[one] for one in at]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_settled_row_stays_in_its_page_so_that_no_index_is_written_to(session: Session) -> None:
    mailing(session, 600)  # 300 of them are one parcel
    session.commit()
    batch = take(session, AT)
    done = [Done(mail, AT, answer(Outcome.ACCEPTED), f"{mail.row:064x}") for mail in batch.mails]
    lanes.settle(session, batch, done, AT)
    assert session.execute(UPDATED).one() == (300, 300)


def test_what_a_server_took_was_sent_even_if_it_was_cancelled_meanwhile(session: Session) -> None:
    made = mailing(session, 2)
    batch = take(session, AT)
    outbox.cancel(session, select(Message.row).where(Message.mailing_id == made.id), AT)
    took, later = batch.mails
    lanes.settle(session, batch, [Done(took, AT, answer(Outcome.ACCEPTED), DIGEST)], AT)
    lanes.settle(session, batch, [Done(later, AT, answer(Outcome.DEFERRED, 451))], AT)
    states = session.scalars(select(Message.state).order_by(Message.row)).all()
    assert states == [State.ACCEPTED, State.WITHHELD]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_parcel_is_read_by_its_rows_and_never_by_going_through_its_mailing(session: Session) -> None:
    mailing(session, 3)
    parcel = session.scalars(select(Parcel)).one()
    waiting = select(Message.row).where(lanes.in_parcel(parcel))
    plan = session.execute(text(f"EXPLAIN QUERY PLAN {_spelled(session, waiting)}")).all()
    assert [step.detail for step in plan] == ["SEARCH messages USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]


def _spelled(session: Session, query: Select[int]) -> str:
    return str(query.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
