"""What colleagues do with a mail beside deciding it: give it to somebody, note something, take a decision back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import ids
from mailer.errors import Invalid
from mailer.inbound import effects
from mailer.inbound.decisions import AlreadyDecided
from mailer.inbound.desk import DeskState, storable
from mailer.inbound.models import InboundMail, InboundNote
from mailer.inbound.rules import Kind
from mailer.ledger import actions as ledger
from mailer.outbox.models import Message
from mailer.outbox.rules import SETTLED, MailKind
from mailer.staff.models import Staff, Task
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries

NOTE_LIMIT = 5_000


class NotGiven(Invalid):
    """A colleague who cannot take a mail."""

    field = "to"


class NoNote(Invalid):
    """A note without words, or with too many."""

    field = "note"


def give(session: Session, mail: InboundMail, to: Staff | None, staff_id: str, at: datetime) -> None:
    """Say which colleague looks after a mail; None gives it back to all."""
    if to is not None and to.disabled_at is not None:
        raise NotGiven("This account is disabled; choose somebody who can sign in.")
    mail.assigned_to = to.id if to else None
    given = mail.assigned_to
    ledger.record(session, "inbound.given", at, contact_id=mail.contact_id, mail=mail.id, to=given, staff=staff_id)


def note(session: Session, mail: InboundMail, text: str, staff_id: str, at: datetime) -> InboundNote:
    """Keep a note on a mail; erasing the person removes it."""
    words = storable(text).strip()
    if not words or len(words) > NOTE_LIMIT:
        raise NoNote(f"Write a note of at most {NOTE_LIMIT:,} characters.")
    made = InboundNote(id=ids.new("nte"), mail_id=mail.id, staff_id=staff_id, text=words, noted_at=at)
    session.add(made)
    ledger.record(session, "inbound.noted", at, contact_id=mail.contact_id, mail=mail.id, note=made.id, staff=staff_id)
    return made


def undo(session: Session, mail: InboundMail, staff_id: str, at: datetime) -> tuple[str, ...]:
    """Take a colleague's decision back, with what it did as far as that can be; sentences on what cannot.

    The mail is on the desk again, with its time in the sender's favour.
    """
    session.refresh(mail, with_for_update=True)
    decided, decided_at = mail.decided_kind, mail.decided_at
    taken = (InboundMail.id == mail.id, InboundMail.state == DeskState.DECIDED)
    undone = {"state": DeskState.FOR_PERSON, "decided_kind": None, "decided_by": None, "decided_at": None}
    changed = session.execute(update(InboundMail).where(*taken).values(**undone))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided("Nobody decided this mail, or it is on the desk again; nothing was changed.")
    session.refresh(mail)
    remarks = _undo_termination(session, mail, decided_at, staff_id, at)
    _open_request_again(session, mail, decided, staff_id, at)
    remarks += _cannot_be_undone(session, mail, decided)
    was = decided.value if decided else None
    ledger.record(
        session, "inbound.undone", at, contact_id=mail.contact_id, mail=mail.id, decided_as=was, staff=staff_id
    )
    return tuple(remarks)


def _undo_termination(
    session: Session, mail: InboundMail, decided_at: datetime | None, staff_id: str, at: datetime
) -> list[str]:
    """Of a mail that repeated an earlier one, it is that one's request that the decision settled."""
    termination = termination_queries.by_source(session, mail.id)
    if termination is None and mail.contact_id and decided_at:
        termination = termination_queries.recorded_at(session, mail.contact_id, decided_at)
        if termination is not None:
            terminations.show_staff(session, termination, f"{mail.id}/{at:%Y%m%d%H%M%S%f}", at)
    if termination is None or termination.decided_by is None:
        return []
    if terminations.reopen(session, termination, at, staff_id):
        return ["The receipt of the termination has gone out already: tell the person that it was a mistake."]
    return []


def _open_request_again(session: Session, mail: InboundMail, decided: Kind | None, staff_id: str, at: datetime) -> None:
    """A request that the machine found and a colleague closed runs again; one that only the colleague found ends."""
    key = f"rights/{mail.id}"
    task = session.scalar(select(Task).where(Task.key == key))
    if mail.kind is Kind.RIGHTS_REQUEST and task is not None and task.done_at is not None:
        task.done_at, task.done_by, task.note = None, None, ""
        ledger.record(session, "task.reopened", at, contact_id=mail.contact_id, task=task.id, staff=staff_id)
    elif decided is Kind.RIGHTS_REQUEST and mail.kind is not Kind.RIGHTS_REQUEST:
        effects.close_rights_task(session, mail, "The decision was taken back.", staff_id, at)


def _cannot_be_undone(session: Session, mail: InboundMail, decided: Kind | None) -> list[str]:
    remarks = []
    if decided is Kind.LEAVE_NEWSLETTERS:
        remarks.append("The newsletters stay off: only the person can subscribe again.")
    if decided is Kind.BOUNCE:
        remarks.append("The bounce stays noted at the message and its notice.")
    theirs = Message.contact_id == mail.contact_id  # there is an index of it, and none of the beginning of a key
    gone = Message.key.startswith(f"{MailKind.ANSWER}/{mail.id}/", autoescape=True), Message.state.in_(SETTLED)
    if session.scalar(select(Message.row).where(theirs, *gone).limit(1)) is not None:
        remarks.append("The answer has gone out already.")
    return remarks
