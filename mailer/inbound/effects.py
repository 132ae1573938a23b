"""What a mail does once it is read. No machine refuses a termination; what is not proven waits for a person."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import settings
from mailer.clock import local_day
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.contacts.models import Contact
from mailer.contacts.rules import read_address
from mailer.delivery.pacing.pausing import pause_if_harmful
from mailer.inbound import desk, doors, loops, matching, queries
from mailer.inbound.matching import Match
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Decision, Kind, Reading, proof_level
from mailer.ledger import actions as ledger
from mailer.notices import actions as notices
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of, rights_due
from mailer.staff import tasks
from mailer.staff.models import Task
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.mail import LINK
from mailer.terminations.models import Termination
from mailer.terminations.rules import State, is_repeat

_EARLIER_WAITS = "an earlier request of this person waits for a person, too"
_ANSWERED_ENOUGH = "this person was answered by machine often enough in this case"
_STATE = {
    Decision.RECORD: State.RECORDED,
    Decision.CONFIRM: State.TO_BE_CONFIRMED,
    Decision.PERSON: State.FOR_PERSON,
}


def apply(session: Session, mail: InboundMail, reading: Reading, found: Match, at: datetime) -> bool:
    """Let the mail have its effect; whether a person must look at it."""
    match reading.kind:
        case Kind.BOUNCE:
            return _bounced(session, mail, reading, found, at)
        case Kind.COMPLAINT:
            return _complained(session, mail, found, at)
        case Kind.LEAVE_NEWSLETTERS:
            return _left(session, mail, found, at)
        case Kind.AUTO_REPLY:
            return False
        case Kind.TERMINATION:
            return _terminated(session, mail, reading, found, at)
        case Kind.RIGHTS_REQUEST:
            open_rights_task(session, mail, at)
            return True
        case Kind.QUESTION | Kind.SPOOF | Kind.UNREADABLE | Kind.UNSURE:
            return True


def terminate(
    session: Session, mail: InboundMail, contact: Contact, state: State, at: datetime, staff_id: str | None = None
) -> Termination:
    """Receive the termination that a mail is; its time is that of the mail."""
    received_on = _received_on(mail)
    answered = _answered(session, mail.message_row, contact, received_on)
    return terminations.receive(
        session,
        contact=contact,
        version=session.get(Version, answered.version_id) if answered.version_id else None,
        respond_by_on=answered.respond_by_on,
        received_at=mail.received_at,
        received_on=received_on,
        source_id=mail.id,
        state=state,
        at=at,
        in_reply_to=desk.threadable(mail.message_id_header),
        staff_id=staff_id,
        answers_mail=staff_id is None,
    )


def date_back(session: Session, mail: InboundMail, at: datetime) -> None:
    """The time of a mail turned out to be an earlier one; so is that of the termination it is."""
    termination = termination_queries.by_source(session, mail.id)
    if termination is not None:
        terminations.date_back(session, termination, mail.received_at, _received_on(mail), at)


def terminate_by_link(session: Session, message: Message, contact: Contact, at: datetime) -> Termination:
    """Receive the termination that somebody began from the link of a notice, and ask at the primary address.

    Whoever was sent a copy of the notice has the link, too: it proves as much as a reply without a proven sender.
    """
    received_on = local_day(at, settings.current().zone)
    answered = _answered(session, message.row, contact, received_on)
    made = terminations.receive(
        session,
        contact=contact,
        version=session.get(Version, answered.version_id) if answered.version_id else None,
        respond_by_on=answered.respond_by_on,
        received_at=at,
        received_on=received_on,
        source_id=_source_of_link(session, message, contact, received_on),
        state=State.TO_BE_CONFIRMED,
        at=at,
        answers_mail=True,
    )
    if made.state is State.FOR_PERSON and made.source_id.startswith(LINK):  # no mail of it lies on the desk
        terminations.show_staff(session, made, "pressed", at)
    return made


def _source_of_link(session: Session, message: Message, contact: Contact, on: date) -> str:
    """What a press of a day is known by: what the last press began, or a request of its own if that ended meanwhile."""
    before = queries.links_of(session, message.id, contact.id)
    if before and is_repeat(before[-1].state, before[-1].received_on, on):
        return before[-1].source_id
    return f"{LINK}{message.id}/{len(before) + 1}" if before else f"{LINK}{message.id}"


def open_rights_task(session: Session, mail: InboundMail, at: datetime) -> None:
    """Put a request about one's own data on the desk, with its last day (S8)."""
    holidays: Container[date] = holidays_of(settings.current().country)
    tasks.open_task(
        session,
        key=f"rights/{mail.id}",
        kind="rights_request",
        text="A person asks about their own data. Answer without delay.",
        subject_id=mail.id,
        contact_id=mail.contact_id,
        due_on=rights_due(_received_on(mail), holidays),
        at=at,
    )


def close_rights_task(session: Session, mail: InboundMail, note: str, staff_id: str, at: datetime) -> None:
    """Take the request that a mail was taken for off the desk, if it is open."""
    task = session.scalar(select(Task).where(Task.key == f"rights/{mail.id}", Task.done_at.is_(None)))
    if task is not None:
        tasks.finish(session, task, staff_id, note, at)


def come_back(session: Session, message: Message, why: str, at: datetime) -> None:
    """A message of ours came back; a notice that did is no notice (S2)."""
    if not outbox.note_bounce(session, message, at):
        return
    pause_if_harmful(session, message.mailing_id, at)
    if message.kind is MailKind.NOTICE:
        notices.bounced(session, message, at, desk.storable(why))


def _bounced(session: Session, mail: InboundMail, reading: Reading, found: Match, at: datetime) -> bool:
    """Only what came to a message's own bounce address counts: a forged bounce changes nothing (TRAPS 20)."""
    bounce, message = reading.bounce, found.message
    if bounce is None or message is None:
        _add_reason(mail, "it names no mail of ours; nothing was changed")
        return False
    is_final = bounce.hard is True or bounce.final
    if found.word != matching.BOUNCE:
        _add_reason(mail, "it did not come to that mail's own bounce address and may be forged; nothing was changed")
        return is_final and message.kind is MailKind.NOTICE
    if not is_final:
        return bounce.hard is None
    if bounce.hard:
        key = read_address(message.to_address).key
        consent.suppress(session, key, SuppressionReason.HARD_BOUNCE, source=f"bounce {mail.id}", at=at)
    come_back(session, message, bounce.diagnostic or bounce.status, at)
    return False


def _complained(session: Session, mail: InboundMail, found: Match, at: datetime) -> bool:
    """Who reports a mail as spam gets no marketing any more; essential mail goes on (invariant 4)."""
    message = found.message
    if message is None:
        _add_reason(mail, "it names no mail of ours; nothing was changed")
        return True
    key = read_address(message.to_address).key
    consent.suppress(session, key, SuppressionReason.COMPLAINT, source=f"complaint {mail.id}", at=at)
    if outbox.note_complaint(session, message, at):
        pause_if_harmful(session, message.mailing_id, at)
        ledger.record(session, "message.complained", at, contact_id=message.contact_id, message=message.id)
        ledger.tell(session, "message.complained", at, contact_id=message.contact_id, message=message.id)
    return False


def _left(session: Session, mail: InboundMail, found: Match, at: datetime) -> bool:
    if found.contact is None:
        return True
    consent.leave_all(session, found.contact, source=f"mail {mail.id}", at=at)
    return False


def _terminated(session: Session, mail: InboundMail, reading: Reading, found: Match, at: datetime) -> bool:
    if found.contact is None:
        return True
    decision = proof_level(found.token, found.aligned)
    if found.crossed:
        _add_reason(mail, "it answers a mail to somebody else; say whose termination it is")
        decision = Decision.PERSON
    elif not found.token and len(queries.open_notices(session, found.contact.id, _received_on(mail))) > 1:
        _add_reason(mail, "more than one notice to this person is open")
        decision = Decision.PERSON
    elif why := _why_silent(mail, reading, found.contact):
        _add_reason(mail, why)
        decision = Decision.PERSON
    made = terminate(session, mail, found.contact, _STATE[decision], at)
    is_held = made.state is State.FOR_PERSON  # also a repeat: whoever decides the first one must see this one, too
    is_held |= decision is Decision.RECORD and made.state is not State.RECORDED
    if is_held and decision is not Decision.PERSON:
        is_second = made.source_id != mail.id and made.state is State.FOR_PERSON
        _add_reason(mail, _EARLIER_WAITS if is_second else _ANSWERED_ENOUGH)
    return is_held or decision is Decision.PERSON


def _why_silent(mail: InboundMail, reading: Reading, contact: Contact) -> str | None:
    """Why no machine may answer this mail; then a person looks at it, with its time in the sender's favour."""
    goes_to = contact.primary.email if contact.primary else ""
    ours = doors.our_addresses(settings.current())
    return loops.why_silent(mail.sender, reading.mail, goes_to, ours | loops.senders(settings.current()))


@dataclass(frozen=True)
class _Answered:
    """The version that a termination is about, none if about none in particular; and the window it falls in."""

    version_id: str | None = None
    respond_by_on: date | None = None


def _answered(session: Session, message_row: int | None, contact: Contact, on: date) -> _Answered:
    """What a termination answers: the notice it replies to, else the one that is open, else all that are; where none
    is, the one whose window has just closed, so that plain mail is late as a reply would be."""
    notice = queries.notice_of_message(session, message_row) if message_row else None
    if notice is not None and queries.is_theirs(session, notice, contact):
        return _Answered(notice.version_id, queries.last_day_of(session, notice, contact))
    still_open = queries.open_notices(session, contact.id, on)
    if len(still_open) == 1:
        return _Answered(still_open[0].version_id, still_open[0].respond_by_on)
    if not still_open and (closed := queries.just_closed(session, contact.id, on)) is not None:
        return _Answered(closed.version_id, closed.respond_by_on)
    ends = [one.respond_by_on for one in still_open if one.respond_by_on is not None]
    return _Answered(None, min(ends, default=None))


def _received_on(mail: InboundMail) -> date:
    return local_day(mail.received_at, settings.current().zone)


def _add_reason(mail: InboundMail, reason: str) -> None:
    mail.reasons = [*mail.reasons, reason]
