"""What a person decides about a mail, and answers to it. The mail's own time stands; the second of two is told so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from mailer import settings
from mailer.consent import actions as consent
from mailer.contacts.models import Contact
from mailer.contacts.rules import BadAddress, read_address
from mailer.errors import Conflict, Invalid
from mailer.inbound import desk, effects
from mailer.inbound.desk import DeskState
from mailer.inbound.mail import put_answer
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.ledger import actions as ledger
from mailer.outbox.models import Message
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import UNDECIDED, State

NEEDS_CONTACT = frozenset({Kind.TERMINATION, Kind.LEAVE_NEWSLETTERS})
ANSWERED = (Kind.QUESTION, Kind.RIGHTS_REQUEST)
TEXT_LIMIT = 20_000


class AlreadyDecided(Conflict):
    """A mail that a person decided on is not decided again, unless it is put back on the desk."""


class CannotDecide(Invalid):
    """A decision that this mail does not allow."""


class CannotAnswer(Invalid):
    """A mail that gets no answer, or an answer without words."""

    field = "text"


def decide(session: Session, mail: InboundMail, kind: Kind, staff_id: str, at: datetime) -> None:
    """A person says what a mail is, and it takes effect."""
    contact = session.get(Contact, mail.contact_id) if mail.contact_id else None
    if kind in NEEDS_CONTACT and contact is None:
        raise CannotDecide("Say first whose mail this is; it could not be matched to a person.", field="who")
    _take(session, mail, kind, staff_id, at)
    if kind is Kind.TERMINATION and contact is not None:
        effects.terminate(session, mail, contact, State.RECORDED, at, staff_id)
    else:
        _close_termination(session, mail, staff_id, at)
    if kind is Kind.RIGHTS_REQUEST:
        effects.open_rights_task(session, mail, at)
    else:
        effects.close_rights_task(session, mail, f"Not such a request; decided as: {kind.value}", staff_id, at)
    if kind is Kind.LEAVE_NEWSLETTERS and contact is not None:
        consent.leave_all(session, contact, source=f"mail {mail.id}", at=at)
    if kind is Kind.BOUNCE and (message := _answered_message(session, mail)) is not None:
        effects.come_back(session, message, "A bounce, read by a person.", at)


def answer(
    session: Session, mail: InboundMail, *, kind: Kind, text: str, auto: bool, staff_id: str, at: datetime
) -> Message:
    """Answer a mail by an essential one, and decide it with that. `auto`: a machine may have sent it."""
    if kind not in ANSWERED:
        raise CannotDecide("Only a question or a request about one's own data is answered here.", field="kind")
    if why_not := desk.why_not_answered(mail.kind or Kind.UNSURE, mail.sender, auto):
        raise CannotAnswer(why_not)
    if not text.strip() or len(text) > TEXT_LIMIT:
        raise CannotAnswer(f"Write an answer of at most {TEXT_LIMIT:,} characters.")
    contact, address = answers_to(session, mail)
    decide(session, mail, kind, staff_id, at)
    message = put_answer(session, mail, contact, address, text, at)
    ledger.record(
        session, "inbound.answered", at, contact_id=mail.contact_id, mail=mail.id, message=message.id, staff=staff_id
    )
    return message


def answers_to(session: Session, mail: InboundMail) -> tuple[Contact | None, str]:
    """Whom an answer goes to: a known person at the primary address, whoever wrote; else the address it came from."""
    contact = session.get(Contact, mail.contact_id) if mail.contact_id else None
    if contact is not None:
        if contact.primary is None:
            raise CannotAnswer("This person has no address any more; nothing can be sent.")
        return contact, contact.primary.email
    try:
        address = read_address(mail.from_address).email
    except BadAddress:
        raise CannotAnswer("This mail names no address that can be answered; say whose mail it is.") from None
    config = settings.current()
    if address.rpartition("@")[2].lower() == config.reply_domain.lower() or address == config.public_mailbox:
        raise CannotAnswer("This mail names an address of our own; an answer would come back here.")
    return None, address


def assign_contact(session: Session, mail: InboundMail, contact: Contact, staff_id: str, at: datetime) -> None:
    """A person says whose mail this is. What waited because of it in another's name is closed."""
    if mail.state is not DeskState.FOR_PERSON:
        raise AlreadyDecided("This mail is not on the desk; put it back first.")
    waiting = termination_queries.by_source(session, mail.id)
    if waiting is not None and waiting.contact_id != contact.id:
        terminations.disown(session, waiting, at, staff_id)
    mail.contact_id, mail.matched_by = contact.id, "staff"
    ledger.record(session, "inbound.assigned", at, contact_id=contact.id, mail=mail.id, staff=staff_id)


def put_back(session: Session, mail: InboundMail, staff_id: str, at: datetime) -> None:
    """Put a mail that the machine settled, or a person decided, back on the desk; what it did so far stands."""
    done = (InboundMail.id == mail.id, InboundMail.state.in_((DeskState.SETTLED, DeskState.DECIDED)))
    undone = {"state": DeskState.FOR_PERSON, "decided_kind": None, "decided_by": None, "decided_at": None}
    changed = session.execute(update(InboundMail).where(*done).values(**undone))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided("This mail is on the desk already, or not read yet; nothing was changed.")
    ledger.record(session, "inbound.put_back", at, contact_id=mail.contact_id, mail=mail.id, staff=staff_id)


def _take(session: Session, mail: InboundMail, kind: Kind, staff_id: str, at: datetime) -> None:
    """Compare and set: of two people who press at once, one decides."""
    waits = (InboundMail.id == mail.id, InboundMail.state == DeskState.FOR_PERSON)
    values = {"state": DeskState.DECIDED, "decided_kind": kind, "decided_by": staff_id, "decided_at": at}
    changed = session.execute(update(InboundMail).where(*waits).values(**values))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided("This mail was decided already; nothing was changed.")
    session.refresh(mail)
    ledger.record(
        session, "inbound.decided", at, contact_id=mail.contact_id, mail=mail.id, decided_as=kind.value, staff=staff_id
    )


def _close_termination(session: Session, mail: InboundMail, staff_id: str, at: datetime) -> None:
    waiting = termination_queries.by_source(session, mail.id)
    if waiting is None:
        return
    if waiting.state is State.RECORDED:
        raise CannotDecide("This mail is a termination that stands and is confirmed; it cannot become another thing.")
    if waiting.state in UNDECIDED:
        terminations.close(session, waiting, at, staff_id)


def _answered_message(session: Session, mail: InboundMail) -> Message | None:
    return session.get(Message, mail.message_row) if mail.message_row else None
