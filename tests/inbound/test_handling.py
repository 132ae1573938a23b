"""What colleagues do with a mail beside deciding it: give it, note, and take a decision back with its effects."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import settings
from mailer.inbound import clocks, decisions, handling, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.ledger.models import Event
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.outbox.rules import State as MessageState
from mailer.staff.models import Staff, Task
from mailer.terminations.rules import State
from tests.inbound.world import AT, Told, letter, sent, take_in, terminations

RECEIPT = MailKind.TERMINATION_RECEIPT


def _request(session: Session, jan: Told) -> InboundMail:
    return take_in(session, letter("Graag ontvang ik inzage in mijn gegevens.", to=jan.reply), jan.reply)


def _heard(session: Session) -> list[str]:
    return list(session.scalars(select(Event.kind).where(Event.kind.startswith("termination")).order_by(Event.id)))


def test_a_termination_taken_back_in_time_sends_no_receipt_and_can_be_decided_again(
    session: Session, sam: Staff, unsure: InboundMail
) -> None:
    decisions.decide(session, unsure, Kind.TERMINATION, sam.id, AT)
    assert handling.undo(session, unsure, sam.id, AT) == ()
    [one] = terminations(session)
    assert (one.state, one.recorded_at, unsure.state) == (State.FOR_PERSON, None, DeskState.FOR_PERSON)
    assert unsure.decided_kind is None
    assert [receipt.state for receipt in sent(session, RECEIPT)] == [MessageState.WITHHELD]
    decisions.decide(session, unsure, Kind.TERMINATION, sam.id, AT)
    session.refresh(one)
    assert one.state is State.RECORDED
    assert [receipt.state for receipt in sent(session, RECEIPT)] == [MessageState.WITHHELD, MessageState.QUEUED]
    assert _heard(session) == [
        "termination.received",
        "termination.confirmed",
        "termination.withdrawn",
        "termination.confirmed",
    ]


def test_a_repeat_taken_back_takes_back_the_request_it_settled_and_shows_it_to_a_person(
    session: Session, sam: Staff, jan: Told
) -> None:
    take_in(session, letter("Ik zeg op", to=jan.reply), jan.reply)
    repeat = take_in(session, letter("Ik zeg op", to=jan.reply, message_id="<two@example.nl>"), jan.reply)
    decisions.put_back(session, repeat, sam.id, AT)
    decisions.decide(session, repeat, Kind.TERMINATION, sam.id, AT)
    [one] = terminations(session)
    assert one.state is State.RECORDED
    assert handling.undo(session, repeat, sam.id, AT) == ()
    assert (one.state, [receipt.state for receipt in sent(session, RECEIPT)]) == (
        State.FOR_PERSON,
        [MessageState.WITHHELD],
    )
    [task] = session.scalars(select(Task))
    assert (task.subject_id, task.done_at) == (one.id, None)


def test_a_receipt_that_has_gone_is_said(session: Session, sam: Staff, unsure: InboundMail) -> None:
    decisions.decide(session, unsure, Kind.TERMINATION, sam.id, AT)
    session.execute(update(Message).where(Message.kind == RECEIPT).values(state=MessageState.ACCEPTED, due_at=None))
    [remark] = handling.undo(session, unsure, sam.id, AT)
    assert "receipt of the termination has gone out" in remark


def test_a_request_that_was_closed_by_mistake_runs_again_with_its_own_day(
    session: Session, sam: Staff, jan: Told
) -> None:
    mail = _request(session, jan)
    due_on = session.scalars(select(Task)).one().due_on
    decisions.decide(session, mail, Kind.QUESTION, sam.id, AT)
    assert session.scalars(select(Task)).one().done_at is not None
    handling.undo(session, mail, sam.id, AT)
    task = session.scalars(select(Task)).one()
    assert (task.done_at, task.due_on) == (None, due_on)


def test_a_request_that_only_the_colleague_saw_ends(session: Session, sam: Staff, unsure: InboundMail) -> None:
    decisions.decide(session, unsure, Kind.RIGHTS_REQUEST, sam.id, AT)
    handling.undo(session, unsure, sam.id, AT)
    assert session.scalars(select(Task)).one().done_at is not None


@pytest.mark.parametrize(
    ("kind", "words"), [(Kind.LEAVE_NEWSLETTERS, "newsletters stay off"), (Kind.BOUNCE, "bounce stays noted")]
)
def test_what_cannot_be_taken_back_is_said(
    session: Session, sam: Staff, unsure: InboundMail, kind: Kind, words: str
) -> None:
    decisions.decide(session, unsure, kind, sam.id, AT)
    [remark] = handling.undo(session, unsure, sam.id, AT)
    assert words in remark


def test_what_nobody_decided_is_not_undone(session: Session, sam: Staff, unsure: InboundMail) -> None:
    with pytest.raises(decisions.AlreadyDecided):
        handling.undo(session, unsure, sam.id, AT)
    decisions.decide(session, unsure, Kind.SPOOF, sam.id, AT)
    handling.undo(session, unsure, sam.id, AT)
    with pytest.raises(decisions.AlreadyDecided):
        handling.undo(session, unsure, sam.id, AT)


def test_what_the_machine_recorded_is_not_undone_by_undoing_something_else(
    session: Session, sam: Staff, jan: Told
) -> None:
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    decisions.put_back(session, mail, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    handling.undo(session, mail, sam.id, AT)
    assert terminations(session)[0].state is State.RECORDED


def test_a_mail_is_given_to_a_colleague_and_found_there(session: Session, sam: Staff, unsure: InboundMail) -> None:
    handling.give(session, unsure, sam, sam.id, AT)
    session.flush()
    assert list(queries.desk(session, assigned_to=sam.id)) == [unsure]
    assert list(queries.desk(session, assigned_to="nobody")) == []
    handling.give(session, unsure, None, sam.id, AT)
    session.flush()
    assert list(queries.desk(session, assigned_to="nobody")) == [unsure]
    sam.disabled_at = AT
    with pytest.raises(handling.NotGiven):
        handling.give(session, unsure, sam, sam.id, AT)


def test_notes_stand_in_their_order(session: Session, sam: Staff, unsure: InboundMail) -> None:
    for number in range(3):
        handling.note(session, unsure, f" Note {number}\x00 ", sam.id, AT + timedelta(seconds=number))
    session.flush()
    assert [one.text[:6] for one in queries.notes(session, unsure.id)] == ["Note 0", "Note 1", "Note 2"]
    for text in ("", "  ", "x" * (handling.NOTE_LIMIT + 1)):
        with pytest.raises(handling.NoNote):
            handling.note(session, unsure, text, sam.id, AT)


# Clocks


def _clock(session: Session, mail: InboundMail, at: datetime) -> clocks.Clock | None:
    return clocks.of(session, [mail], at, settings.current().zone).get(mail.id)


def test_the_clock_is_that_of_the_notice_that_was_answered(session: Session, unsure: InboundMail) -> None:
    clock = _clock(session, unsure, datetime.fromisoformat("2026-12-24T22:30:00+01:00"))
    assert clock is not None
    assert (clock.what, clock.ends_on, clock.hours, clock.words) == ("Window", date(2026, 12, 24), 1, "1 hour left")


@pytest.mark.parametrize(
    ("days", "words"), [(0, "23 days left"), (21, "59 hours left"), (24, "1 day over"), (26, "3 days over")]
)
def test_a_clock_says_what_is_left_of_it(session: Session, unsure: InboundMail, days: int, words: str) -> None:
    clock = _clock(session, unsure, AT + timedelta(days=days))
    assert clock is not None
    assert clock.words == words


def test_a_request_has_a_clock_of_its_own_and_the_nearest_end_counts(session: Session, jan: Told) -> None:
    clock = _clock(session, _request(session, jan), AT)
    assert clock is not None
    assert (clock.what, clock.ends_on) == ("Request", date(2026, 12, 15))


def test_a_strangers_mail_has_no_clock(session: Session) -> None:
    assert _clock(session, take_in(session, letter("Hoi")), AT) is None
