"""Keep what comes in, read it once, and let it have its effect (DESIGN §9, invariants 10 and 11)."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import ids, settings
from mailer.clock import local_day
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.contacts.models import Contact
from mailer.contacts.rules import read_address
from mailer.errors import Conflict, Invalid
from mailer.inbound import desk, matching, queries
from mailer.inbound.bounces import FAILED
from mailer.inbound.desk import DeskState
from mailer.inbound.matching import Match
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import FOR_A_PERSON, Decision, Kind, Reading, proof_level
from mailer.ledger import actions as ledger
from mailer.notices import actions as notices
from mailer.notices.models import Notice
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of
from mailer.staff import tasks
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import State

LEASE = timedelta(minutes=5)
ATTEMPTS = 3
_STATE = {
    Decision.RECORD: State.RECORDED,
    Decision.CONFIRM: State.TO_BE_CONFIRMED,
    Decision.PERSON: State.FOR_PERSON,
}


class AlreadyDecided(Conflict):
    """A mail that a person decided on is not decided again."""


class CannotDecide(Invalid):
    """A decision that this mail does not allow."""


def keep(session: Session, raw: bytes, *, sender: str, recipient: str, door: str, at: datetime) -> str:
    """Keep the bytes before anybody reads them; the same mail to the same recipient is one row. Its id."""
    digest = hashlib.sha256(raw).hexdigest()
    same = (InboundMail.sha256 == digest, InboundMail.recipient == recipient[:400])
    known = session.scalar(select(InboundMail.id).where(*same))
    if known is not None:
        return known
    mail = InboundMail(
        id=ids.new("inb"),
        raw=raw,
        sha256=digest,
        sender=sender[:400],
        recipient=recipient[:400],
        door=door,
        received_at=at,
        state=DeskState.KEPT,
        reasons=[],
    )
    session.add(mail)
    session.flush()
    ledger.record(session, "inbound.kept", at, mail=mail.id, sha256=digest, door=door)
    return mail.id


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether a mail waits to be read."""
    return queries.is_waiting(session, at)


def claim(session: Session, at: datetime) -> tuple[str, bytes] | None:
    """Take the oldest unread mail under a lease; its id and bytes."""
    mail_id = session.scalar(queries.unread(at).limit(1).with_for_update(skip_locked=True))
    if mail_id is None:
        return None
    mail = queries.get(session, mail_id)
    mail.lease_until, mail.attempts = at + LEASE, mail.attempts + 1
    if mail.attempts > ATTEMPTS:  # it killed its reader more than once: a person looks, the others go on
        mail.state, mail.kind = DeskState.FOR_PERSON, Kind.UNREADABLE
        mail.reasons = [f"reading it failed {ATTEMPTS} times; read it from its source"]
        return mail.id, b""
    return mail.id, mail.raw


def act(session: Session, mail_id: str, reading: Reading, at: datetime) -> None:
    """Write down how a mail was read and let it have its effect, once."""
    claimed = update(InboundMail).where(InboundMail.id == mail_id, InboundMail.state == DeskState.KEPT)
    changed = session.execute(claimed.values(state=DeskState.SETTLED, lease_until=None))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return
    mail = queries.get(session, mail_id)
    found = matching.match(session, mail.recipient, reading.mail)
    _write_down(mail, reading, found)
    mail.state = DeskState.FOR_PERSON if _needs_person(session, mail, reading, found, at) else DeskState.SETTLED
    ledger.record(
        session,
        "inbound.read",
        at,
        contact_id=mail.contact_id,
        mail=mail.id,
        read_as=reading.kind.value,
        matched_by=found.by,
        desk=mail.state.value,
    )


def decide(session: Session, mail: InboundMail, kind: Kind, staff_id: str, at: datetime) -> None:
    """A person says what a mail is; the mail's own time stands."""
    if mail.state is not DeskState.FOR_PERSON:
        raise AlreadyDecided("This mail was decided already; nothing was changed.")
    contact = session.get(Contact, mail.contact_id) if mail.contact_id else None
    if kind in {Kind.TERMINATION, Kind.LEAVE_NEWSLETTERS} and contact is None:
        raise CannotDecide(
            "contact: say first whose mail this is; it could not be matched to a person.", field="contact"
        )
    waiting = termination_queries.by_source(session, mail.id)
    if kind is Kind.TERMINATION and contact is not None:
        _terminate(session, mail, contact, State.RECORDED, at)
    elif waiting is not None:
        terminations.close(session, waiting, at, staff_id)
    if kind is Kind.LEAVE_NEWSLETTERS and contact is not None:
        consent.leave_all(session, contact, source=f"mail {mail.id}", at=at)
    if kind is Kind.RIGHTS_REQUEST:
        _open_rights_task(session, mail, at)
    mail.state, mail.decided_kind, mail.decided_by, mail.decided_at = DeskState.DECIDED, kind, staff_id, at
    ledger.record(
        session, "inbound.decided", at, contact_id=mail.contact_id, mail=mail.id, decided_as=kind.value, staff=staff_id
    )


def assign_contact(session: Session, mail: InboundMail, contact: Contact, staff_id: str, at: datetime) -> None:
    """A person says whose mail this is."""
    if mail.state is not DeskState.FOR_PERSON:
        raise AlreadyDecided("This mail was decided already; nothing was changed.")
    mail.contact_id, mail.matched_by = contact.id, "staff"
    ledger.record(session, "inbound.assigned", at, contact_id=contact.id, mail=mail.id, staff=staff_id)


def _write_down(mail: InboundMail, reading: Reading, found: Match) -> None:
    mail.kind, mail.confidence, mail.reasons = reading.kind, reading.confidence, list(reading.reasons)
    mail.visible_text, mail.locale = _storable(reading.visible_text), reading.language or ""
    mail.matched_by = found.by
    mail.contact_id = found.contact.id if found.contact else None
    mail.message_row = found.message.row if found.message else None
    if reading.mail is not None:
        mail.subject = _storable(reading.mail.subject)
        mail.from_address = _storable(reading.mail.from_addresses[0])[:400] if reading.mail.from_addresses else ""
        mail.message_id_header = _storable(reading.mail.message_id or "")


def _needs_person(session: Session, mail: InboundMail, reading: Reading, found: Match, at: datetime) -> bool:
    """Let the mail have its effect; whether a person must look at it."""
    match reading.kind:
        case Kind.BOUNCE:
            return _bounced(session, mail, reading, found, at)
        case Kind.COMPLAINT:
            return _complained(session, found, at)
        case Kind.LEAVE_NEWSLETTERS:
            return _left(session, mail, found, at)
        case Kind.AUTO_REPLY:
            return False
        case Kind.TERMINATION:
            return _terminated(session, mail, found, at)
        case kind if kind in FOR_A_PERSON:
            if kind is Kind.RIGHTS_REQUEST:
                _open_rights_task(session, mail, at)
            return True
        case _:
            return True


def _bounced(session: Session, mail: InboundMail, reading: Reading, found: Match, at: datetime) -> bool:
    """Only a bounce with our own token counts: a forged one changes nothing (TRAPS 20)."""
    bounce, message = reading.bounce, found.message
    if bounce is None or message is None or not found.token:
        mail.reasons = [*mail.reasons, "no address of ours that proves it; nothing was changed"]
        return False
    is_final = bounce.hard is True or any(row.action in FAILED for row in (reading.mail.report if reading.mail else ()))
    if not is_final:
        return bounce.hard is None
    if bounce.hard:
        key = read_address(message.to_address).key
        consent.suppress(session, key, SuppressionReason.HARD_BOUNCE, source=f"bounce {mail.id}", at=at)
    if outbox.note_bounce(session, message, at) and message.kind is MailKind.NOTICE:
        notices.bounced(session, message, at, bounce.diagnostic or bounce.status)
    return False


def _complained(session: Session, found: Match, at: datetime) -> bool:
    if found.message is None or not found.token:
        return False
    key = read_address(found.message.to_address).key
    if consent.suppress(session, key, SuppressionReason.COMPLAINT, source="complaint", at=at):
        ledger.tell(session, "message.complained", at, contact_id=found.message.contact_id, message=found.message.id)
    return False


def _left(session: Session, mail: InboundMail, found: Match, at: datetime) -> bool:
    if found.contact is None:
        return True
    consent.leave_all(session, found.contact, source=f"mail {mail.id}", at=at)
    return False


def _terminated(session: Session, mail: InboundMail, found: Match, at: datetime) -> bool:
    if found.contact is None:
        return True
    decision = proof_level(found.token, found.aligned)
    _terminate(session, mail, found.contact, _STATE[decision], at)
    return decision is Decision.PERSON


def _terminate(session: Session, mail: InboundMail, contact: Contact, state: State, at: datetime) -> None:
    received_on = local_day(mail.received_at, settings.current().zone)
    notice = _answered_notice(session, mail, contact, received_on)
    terminations.receive(
        session,
        contact=contact,
        version=session.get(Version, notice.version_id) if notice else None,
        respond_by_on=notice.respond_by_on if notice else None,
        received_at=mail.received_at,
        received_on=received_on,
        source_id=mail.id,
        state=state,
        at=at,
        in_reply_to=mail.message_id_header if mail.message_id_header.isascii() else "",
    )


def _answered_notice(session: Session, mail: InboundMail, contact: Contact, on: date) -> Notice | None:
    """The notice a termination answers: the one it replies to, else the only one that is open."""
    notice = queries.notice_of_message(session, mail.message_row) if mail.message_row else None
    if notice is not None:
        return notice
    still_open = queries.open_notices(session, contact.id, on)
    return still_open[0] if len(still_open) == 1 else None


def _open_rights_task(session: Session, mail: InboundMail, at: datetime) -> None:
    config = settings.current()
    holidays: Container[date] = holidays_of(config.country)
    tasks.open_task(
        session,
        key=f"rights/{mail.id}",
        kind="rights_request",
        text="A person asks about their own data. Answer without delay.",
        subject_id=mail.id,
        contact_id=mail.contact_id,
        due_on=desk.rights_due(local_day(mail.received_at, config.zone), holidays),
        at=at,
    )


def _storable(text: str) -> str:
    """Text as both databases take it: no NUL, no lone surrogate."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
