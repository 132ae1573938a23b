"""People are told of versions, each with a clock of their own; a bounced notice is no notice (S2, S4, invariant 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason, Withheld
from mailer.contacts import actions as contacts
from mailer.contacts.rules import Origin
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices import actions as notices
from mailer.notices import figures, queries
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import MailingState, MailKind, State
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.policies.rules import QUESTIONS, Announce, ChangeClass, NotWithdrawable
from mailer.staff.models import Task
from rq_jobs.deliver import deliver
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, TODAY, WORDING, Release, accept, fan_out, message_of, settle

ALL_NO = dict.fromkeys(QUESTIONS, False)
ORDINARY = replace(WORDING, change_class=ChangeClass.ORDINARY, class_reason="It frees.", answers=ALL_NO)
ANNOUNCED = replace(ORDINARY, announce=Announce.EMAIL)


def count(session: Session, table: type, *conditions: object) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]


def test_a_material_version_is_mailed_in_every_language_to_all_it_concerns(session: Session, release: Release) -> None:
    for origin in Origin:
        factories.contact(session, origin=origin, locale="nl" if origin is Origin.SUBSCRIBER else "en")
    version, mailing = release()
    assert mailing is not None
    assert (mailing.kind, list(mailing.contents)) == (MailKind.NOTICE, ["en", "nl"])
    fan_out(session, mailing)
    assert figures.totals(session, [version.id])[version.id] == figures.Totals(planned=2), (
        "third parties are not concerned"
    )
    locales = set(session.scalars(select(Message.content_id).where(Message.mailing_id == mailing.id)))
    assert locales == set(mailing.contents.values())


def test_an_unsubscribed_person_is_told_all_the_same(session: Session, release: Release) -> None:
    reader = factories.contact(session, origin=Origin.SUBSCRIBER, topics=["news"])
    consent.leave_all(session, reader, source="test", at=AT)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    assert message_of(session, version, reader).state is State.QUEUED


@pytest.mark.parametrize(
    ("wording", "kind"),
    [
        (replace(WORDING, change_class=ChangeClass.MINOR, class_reason="A typo.", answers=ALL_NO), None),
        (replace(ORDINARY, announce=Announce.ANNOUNCEMENT), None),
        (ANNOUNCED, MailKind.ANNOUNCEMENT),
    ],
)
def test_other_classes_start_no_clock(
    session: Session, release: Release, wording: object, kind: MailKind | None
) -> None:
    factories.contact(session)
    version, mailing = release(wording)
    assert (mailing.kind if mailing else None) == kind
    if mailing is not None:
        fan_out(session, mailing)
        assert count(session, Message, Message.mailing_id == mailing.id) == 1
    assert figures.totals(session, [version.id])[version.id].concerned == 0


def test_adopting_twice_adds_nothing(session: Session, release: Release) -> None:
    for _ in range(5):
        factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    assert notices.adopt(session, mailing, AT) == 0
    assert count(session, Notice, Notice.version_id == version.id) == 5


def test_a_known_dead_address_is_unreached_with_a_task(session: Session, release: Release) -> None:
    dead = factories.contact(session, "gone@people.example")
    consent.suppress(session, "gone@people.example", SuppressionReason.HARD_BOUNCE, source="test", at=AT)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notice = queries.find(session, version.id, dead.id)
    assert notice is not None
    assert (notice.state, notice.why) == (NoticeState.UNREACHED, "dead_address")
    [(task, _)] = queries.tasks_of(session, version.id)
    assert (task.contact_id, task.due_on) == (dead.id, EFFECTIVE_ON)
    assert "gone@" not in task.text
    session.flush()
    assert count(session, Event, Event.kind == "notice.unreached") == 1


@pytest.mark.parametrize(
    ("at", "notified_on", "respond_by_on", "binding_on"),
    [
        (AT, TODAY, date(2026, 12, 24), EFFECTIVE_ON),
        (datetime.fromisoformat("2026-11-24T22:59:59+00:00"), TODAY, date(2026, 12, 24), EFFECTIVE_ON),
        (datetime.fromisoformat("2026-11-24T23:00:00+00:00"), date(2026, 11, 25), date(2026, 12, 28), EFFECTIVE_ON),
        (datetime.fromisoformat("2026-12-20T12:00:00+00:00"), date(2026, 12, 20), date(2027, 1, 19), date(2027, 1, 20)),
    ],
)
def test_the_clock_runs_from_the_local_day_of_acceptance(
    session: Session, release: Release, at: datetime, notified_on: date, respond_by_on: date, binding_on: date
) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notice = accept(session, version, anna, at)
    assert notice.state is NoticeState.ACCEPTED
    assert (notice.notified_on, notice.respond_by_on, notice.binding_on) == (notified_on, respond_by_on, binding_on)
    assert notice.computation.startswith("Accepted by the mail server on ")
    session.commit()
    assert count(session, LedgerEntry, LedgerEntry.kind == "notices.accepted") == 1
    assert count(session, Event, Event.kind == "notice.accepted") == 1
    settle(session, message_of(session, version, anna), State.ACCEPTED, at + timedelta(days=9))
    assert notice.notified_on == notified_on, "a second answer moves nothing"


def test_a_persons_dates_stand_in_the_mail_in_their_language(session: Session, release: Release) -> None:
    anna, bas = factories.contact(session), factories.contact(session, locale="nl")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    other = factories.message(session)
    rows = [message_of(session, version, anna).row, message_of(session, version, bas).row, other.row]
    mails = {mail.row: mail for mail in factories.in_hand(session, rows, AT)}
    notices.fill_in(session, list(mails.values()))
    facts = [mails[row].facts for row in rows]
    assert facts[0] is not None
    assert facts[0]["respond_by_on"] == "Thursday 24 December 2026"
    assert facts[1] is not None
    assert facts[1]["binding_on"] == "vrijdag 8 januari 2027"
    assert facts[2] is None


@pytest.mark.parametrize("state", [State.REFUSED, State.WITHHELD])
def test_a_refused_or_withheld_notice_reaches_nobody(session: Session, release: Release, state: State) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    message = message_of(session, version, anna)
    message.state, message.withheld = state, Withheld.DEAD_ADDRESS if state is State.WITHHELD else None
    session.flush()
    settle(session, message, state, AT)
    notice = queries.find(session, version.id, anna.id)
    assert notice is not None
    assert (notice.state, notice.respond_by_on) == (NoticeState.UNREACHED, None)
    assert len(queries.tasks_of(session, version.id)) == 1


def test_a_bounce_voids_the_clock_and_is_told_once(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notice = accept(session, version, anna)
    message = message_of(session, version, anna)
    for _ in range(2):
        notices.bounced(session, message, AT + timedelta(days=1), "550 5.1.1 <anna@people.example> unknown")
    assert notice.state is NoticeState.UNREACHED
    assert (notice.notified_on, notice.respond_by_on, notice.binding_on, notice.computation) == (None, None, None, "")
    assert "anna@" not in notice.why
    session.commit()
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "notice.voided")).one()
    assert '"respond_by_on":"2026-12-24"' in entry.subjects
    assert count(session, Task) == 1
    settle(session, message, State.ACCEPTED, AT + timedelta(days=2))
    assert figures.totals(session, [version.id])[version.id].unreached == 1, (
        "an answer written down late does not undo a bounce"
    )


def test_mail_that_is_no_notice_changes_none(session: Session) -> None:
    message = factories.message(session)
    settle(session, message, State.ACCEPTED, AT)
    notices.bounced(session, message, AT, "")
    assert count(session, Notice) == 0


def test_who_joins_while_a_version_is_pending_is_told_then(session: Session, release: Release) -> None:
    factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notices.catch_up(session, AT)
    assert mailing.state == MailingState.FANNED_OUT, "nobody new"
    late = factories.contact(session)
    at = AT + timedelta(days=26)
    notices.catch_up(session, at)
    assert mailing.state is MailingState.FANNING_OUT
    fan_out(session, mailing, at)
    notice = accept(session, version, late, at)
    assert (notice.notified_on, notice.binding_on) == (date(2026, 12, 20), date(2027, 1, 20))
    assert figures.totals(session, [version.id])[version.id].concerned == 2
    later = factories.contact(session)
    after = AT + timedelta(days=60)
    policies.take_effect(session, after, after.date())
    notices.catch_up(session, after)
    assert queries.find(session, version.id, later.id) is None, (
        "who joins after the change-over joined under the new text"
    )
    assert mailing.state is MailingState.FANNED_OUT


def test_a_changed_primary_address_gets_a_notice_and_a_clock_of_its_own(session: Session, release: Release) -> None:
    anna = factories.contact(session, "old@people.example", reference="a-1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    contacts.upsert(
        session, email="new@people.example", origin=Origin.ACCOUNT_HOLDER, at=AT, reference="a-1", source="test"
    )
    session.expire(anna)
    assert notices.catch_up(session, AT) == 1
    assert notices.catch_up(session, AT) == 0
    message = message_of(session, version, anna)
    assert (message.to_address, message.state) == ("new@people.example", State.QUEUED)
    again = queries.find(session, version.id, anna.id)
    assert again is not None
    assert (again.state, again.respond_by_on) == (NoticeState.PLANNED, None)
    assert accept(session, version, anna, AT + timedelta(days=2)).notified_on == date(2026, 11, 26)
    assert notices.catch_up(session, AT) == 0


def test_those_who_moved_are_told_some_at_a_time(session: Session, release: Release) -> None:
    people = [factories.contact(session, f"old{n}@people.example", reference=f"a-{n}") for n in range(3)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for number, person in enumerate(people):
        accept(session, version, person)
        new = {"reference": f"a-{number}", "origin": Origin.ACCOUNT_HOLDER, "source": "test"}
        contacts.upsert(session, email=f"new{number}@people.example", at=AT, **new)  # type: ignore[arg-type]
    session.expire_all()
    assert [notices.tell_moved(session, AT, limit=2) for _ in range(3)] == [2, 1, 0]
    assert {message_of(session, version, person).to_address[:3] for person in people} == {"new"}


def test_a_withdrawal_is_told_to_those_already_told_and_stops_the_rest(session: Session, release: Release) -> None:
    told, waiting, on_the_wire = (factories.contact(session) for _ in range(3))
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, told)
    sending = message_of(session, version, on_the_wire)
    sending.state = State.SENDING
    session.flush()
    assert notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT) == 1
    session.expire_all()
    assert message_of(session, version, waiting).withheld is Withheld.CANCELLED
    assert figures.totals(session, [version.id])[version.id].ended == 3
    letters = select(Message).where(Message.kind == MailKind.WITHDRAWAL)
    assert [letter.contact_id for letter in session.scalars(letters)] == [told.id]
    settle(session, message_of(session, version, on_the_wire), State.ACCEPTED, AT)
    assert {letter.contact_id for letter in session.scalars(letters)} == {told.id, on_the_wire.id}
    late = factories.contact(session)
    notices.catch_up(session, AT)
    assert queries.find(session, version.id, late.id) is None


Settle = Callable[[Message], None]


def _wait(message: Message) -> None:
    """The mail to the new address has not gone out."""


def _refuse(message: Message) -> None:
    message.state = State.REFUSED


@pytest.mark.parametrize("second", [_wait, _refuse])
@pytest.mark.parametrize("is_bounced", [False, True], ids=["told", "bounced"])
def test_who_was_told_at_an_earlier_address_is_told_of_the_withdrawal(
    session: Session, release: Release, second: Settle, is_bounced: bool
) -> None:
    anna = factories.contact(session, "old@people.example", reference="a-1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    if is_bounced:
        message_of(session, version, anna).bounced_at = AT
    contacts.upsert(
        session, email="new@people.example", origin=Origin.ACCOUNT_HOLDER, at=AT, reference="a-1", source="test"
    )
    session.expire(anna)
    assert notices.catch_up(session, AT) == 1
    again = message_of(session, version, anna)
    second(again)
    session.flush()
    settle(session, again, again.state, AT)
    told = notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT)
    letters = session.scalars(select(Message).where(Message.kind == MailKind.WITHDRAWAL)).all()
    assert [letter.to_address for letter in letters] == ([] if is_bounced else ["new@people.example"])
    assert told == len(letters)
    session.refresh(again)
    assert again.state in (State.WITHHELD, State.REFUSED)
    assert figures.totals(session, [version.id])[version.id] == figures.Totals(ended=1), "every notice of it is over"


def test_who_was_told_at_two_addresses_gets_one_withdrawal(session: Session, release: Release) -> None:
    anna = factories.contact(session, "old@people.example", reference="a-1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    contacts.upsert(
        session, email="new@people.example", origin=Origin.ACCOUNT_HOLDER, at=AT, reference="a-1", source="test"
    )
    session.expire(anna)
    notices.catch_up(session, AT)
    accept(session, version, anna)
    assert notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT) == 1
    assert count(session, Message, Message.kind == MailKind.WITHDRAWAL) == 1


def test_an_announced_change_that_is_withdrawn_is_taken_back_too(session: Session, release: Release) -> None:
    told, waiting, on_the_wire, back = (factories.contact(session) for _ in range(4))
    version, mailing = release(ANNOUNCED)
    assert mailing is not None
    fan_out(session, mailing)
    mails = {m.contact_id: m for m in session.scalars(select(Message).where(Message.mailing_id == mailing.id))}
    for who, state in ((told, State.ACCEPTED), (on_the_wire, State.SENDING), (back, State.ACCEPTED)):
        mails[who.id].state = state
    mails[back.id].bounced_at = AT
    session.flush()
    assert notices.ended(session, factories.in_hand(session, [mails[waiting.id].row], AT)) == set()
    assert notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT) == 1
    session.expire_all()
    assert mails[waiting.id].withheld is Withheld.CANCELLED
    row = mails[on_the_wire.id].row
    assert notices.ended(session, factories.in_hand(session, [row], AT)) == {row}
    letters = select(Message.contact_id).where(Message.kind == MailKind.WITHDRAWAL)
    assert list(session.scalars(letters)) == [told.id]
    settle(session, mails[on_the_wire.id], State.REFUSED, AT)
    settle(session, mails[on_the_wire.id], State.ACCEPTED, AT)
    assert set(session.scalars(letters)) == {told.id, on_the_wire.id}


def test_nothing_is_taken_back_where_nobody_was_told(session: Session, release: Release) -> None:
    factories.contact(session)
    version, mailing = release(replace(ORDINARY, announce=Announce.ANNOUNCEMENT))
    assert mailing is None
    assert notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT) == 0
    assert count(session, Message) == 0


def test_a_version_in_effect_is_not_withdrawn(session: Session, release: Release) -> None:
    factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    last = clock.midnight(EFFECTIVE_ON, settings.current().zone)
    with pytest.raises(NotWithdrawable, match="took effect"):
        notices.withdraw(session, version, version.author_id or "", "Late.", last)
    notices.withdraw(session, version, version.author_id or "", "In time.", last - timedelta(seconds=1))


@pytest.mark.parametrize("wording", [WORDING, ANNOUNCED], ids=["notice", "announcement"])
def test_a_mail_that_was_claimed_when_its_version_was_withdrawn_is_not_sent(
    session: Session, release: Release, wording: Wording
) -> None:
    factories.contact(session)
    version, mailing = release(wording)
    assert mailing is not None
    fan_out(session, mailing)
    [message] = session.scalars(select(Message).where(Message.mailing_id == mailing.id)).all()
    message.state, message.lease_token = State.SENDING, "lse_of_a_worker"
    session.flush()
    notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT)
    message.state, message.lease_token, message.due_at = State.QUEUED, None, clock.now()  # as after a sweep
    session.commit()
    assert deliver("essential") == 0
    session.refresh(message)
    assert (message.state, message.withheld) == (State.WITHHELD, Withheld.CANCELLED)
