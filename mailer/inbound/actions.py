"""Keep what comes in, and read it once (DESIGN §9, invariant 10). What it then does stands in `effects`."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mailer import ids
from mailer.inbound import effects, matching, queries, rules
from mailer.inbound.desk import DeskState, storable
from mailer.inbound.matching import Match
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Reading
from mailer.ledger import actions as ledger

LEASE = timedelta(minutes=5)
ATTEMPTS = 3


def keep(session: Session, raw: bytes, *, sender: str, recipient: str, door: str, at: datetime) -> str:
    """Keep the bytes before anybody reads them; the same mail to the same recipient is one row. Its id.

    `sender` is the envelope's: `desk.NULL_PATH` for a null one, empty where the door was not told.
    """
    digest, recipient = hashlib.sha256(raw).hexdigest(), storable(recipient)[:400]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": ids.new("inb"),
        "raw": raw,
        "sha256": digest,
        "sender": storable(sender)[:400],
        "recipient": recipient,
        "door": door,
        "received_at": at,
        "state": DeskState.KEPT,
        "reasons": [],
    }
    once = insert(InboundMail).on_conflict_do_nothing(index_elements=["sha256", "recipient"])
    kept = session.execute(once.values(**row).execution_options(preserve_rowcount=True))
    made = kept.rowcount == 1  # type: ignore[attr-defined]
    same = (InboundMail.sha256 == digest, InboundMail.recipient == recipient)
    mail_id = session.scalars(select(InboundMail.id).where(*same)).one()
    if made:
        ledger.record(session, "inbound.kept", at, mail=mail_id, sha256=digest, door=door)
    return mail_id


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether a mail waits to be read."""
    return queries.is_waiting(session, at)


def claim(session: Session, at: datetime) -> tuple[str, bytes] | None:
    """Take the oldest unread mail under a lease; its id and bytes. One that broke every reader goes to a person."""
    while True:
        mail_id = session.scalar(queries.unread(at).limit(1).with_for_update(skip_locked=True))
        if mail_id is None:
            return None
        mail = queries.get(session, mail_id)
        if mail.attempts < ATTEMPTS:
            mail.lease_until, mail.attempts = at + LEASE, mail.attempts + 1
            return mail.id, mail.raw
        act(session, mail.id, rules.unreadable(f"Reading it failed {ATTEMPTS} times; read it from its source."), at)


def act(session: Session, mail_id: str, reading: Reading, at: datetime) -> None:
    """Write down how a mail was read and let it have its effect, once."""
    claimed = update(InboundMail).where(InboundMail.id == mail_id, InboundMail.state == DeskState.KEPT)
    changed = session.execute(claimed.values(state=DeskState.SETTLED, lease_until=None))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return
    mail = queries.get(session, mail_id)
    found = matching.match(session, mail.recipient, reading.mail)
    _write_down(mail, reading, found)
    if effects.apply(session, mail, reading, found, at):
        mail.state = DeskState.FOR_PERSON
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


def _write_down(mail: InboundMail, reading: Reading, found: Match) -> None:
    mail.kind, mail.confidence = reading.kind, reading.confidence
    mail.reasons = [storable(reason) for reason in reading.reasons]
    mail.visible_text, mail.locale = storable(reading.visible_text), (reading.language or "")[:5]
    mail.matched_by = found.by
    mail.contact_id = found.contact.id if found.contact else None
    mail.message_row = found.message.row if found.message else None
    if reading.mail is not None:
        mail.subject = storable(reading.mail.subject)
        mail.from_address = storable(reading.mail.from_addresses[0])[:400] if reading.mail.from_addresses else ""
        mail.message_id_header = storable(reading.mail.message_id or "")
