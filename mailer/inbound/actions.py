"""Keep what comes in, and write down once how it was read (invariant 10). What it then does stands in `effects`."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from mailer import db, ids, settings
from mailer.contacts.models import Contact
from mailer.inbound import doors, effects, glance, matching, queries, rules
from mailer.inbound.desk import DeskState, storable
from mailer.inbound.matching import Match
from mailer.inbound.models import InboundArrival, InboundBytes, InboundMail, InboundNote, InboundReading
from mailer.inbound.received import Mail
from mailer.inbound.rules import Reading
from mailer.ledger import actions as ledger

LEASE = timedelta(minutes=5)
SHOWN_TEXT = 100_000  # letters of each part that the desk shows
SHOWN_HTML = 500_000
SHOWN_NAMES = 200
NAME_LIMIT = 400
ATTEMPTS = 3


def keep(
    session: Session,
    raw: bytes,
    *,
    sender: str,
    recipient: str,
    door: str,
    at: datetime,
    received_at: datetime | None = None,
    is_vouched: bool = True,
) -> str:
    """Keep the bytes before anybody reads them; the id of the mail they are.

    The same mail to the same recipient is one row, by however many doors it comes (`glance.twin`). `sender` is the
    envelope's: `desk.NULL_PATH` for a null one. A door without an envelope leaves both empty, and the header tells
    them. `received_at` is when our mail server took it, if that was before `at`.
    """
    digest, twin = hashlib.sha256(raw).hexdigest(), glance.twin(raw)
    sender, recipient = sender or glance.return_path(raw), recipient or _recipient(session, raw, twin)
    recipient = storable(recipient)[:400]
    made = session.execute(
        db.insert(session, InboundMail)
        .on_conflict_do_nothing()
        .values(
            id=ids.new("inb"),
            sha256=digest,
            twin=twin,
            size=len(raw),
            is_machine=glance.is_machine(raw, sender),
            is_vouched=is_vouched,
            sender=storable(sender)[:400],
            recipient=recipient,
            door=door,
            received_at=min(received_at or at, at),
            state=DeskState.KEPT,
            reasons=[],
        )
        .execution_options(preserve_rowcount=True)
    )
    same = or_(InboundMail.twin == twin, InboundMail.sha256 == digest)
    mail_id = session.scalars(select(InboundMail.id).where(same, InboundMail.recipient == recipient)).first()
    if mail_id is None:
        raise RuntimeError("a mail that was kept is not there")
    is_new = made.rowcount == 1  # type: ignore[attr-defined]
    _keep_bytes(session, digest, raw if is_new or not _is_forgotten(session, mail_id) else b"", len(raw))
    _note_arrival(session, mail_id, door, digest, at)
    if not is_new and received_at is not None:
        _date_back(session, mail_id, received_at, at)
    if is_new:
        ledger.record(session, "inbound.kept", at, mail=mail_id, sha256=digest, door=door)
    return mail_id


def _date_back(session: Session, mail_id: str, received_at: datetime, at: datetime) -> None:
    """The same mail had come to our mailbox before it came by another door: the earlier time stands."""
    later = InboundMail.id == mail_id, InboundMail.received_at > received_at
    changed = session.execute(update(InboundMail).where(*later).values(received_at=received_at))
    if changed.rowcount:  # type: ignore[attr-defined]
        effects.date_back(session, queries.get(session, mail_id), at)


def _is_forgotten(session: Session, mail_id: str) -> bool:
    """Whether an erasure emptied a mail: it stays empty, also when a mailbox is read anew (S11)."""
    emptied = select(InboundMail.id).join(InboundBytes, InboundBytes.sha256 == InboundMail.sha256)
    emptied = emptied.where(InboundMail.id == mail_id, func.length(InboundBytes.raw) == 0, InboundMail.size > 0)
    return session.scalar(emptied) is not None


def _keep_bytes(session: Session, digest: str, raw: bytes, size: int) -> None:
    once = db.insert(session, InboundBytes).values(sha256=digest, raw=raw, size=size)
    # what an erasure emptied comes back whole with another person's mail
    session.execute(
        once.on_conflict_do_update(
            index_elements=["sha256"], set_={"raw": once.excluded.raw}, where=func.length(InboundBytes.raw) == 0
        )
    )


def _note_arrival(session: Session, mail_id: str, door: str, digest: str, at: datetime) -> None:
    once = db.insert(session, InboundArrival).on_conflict_do_nothing(index_elements=["mail_id", "door", "sha256"])
    session.execute(once.values(mail_id=mail_id, door=door, sha256=digest, arrived_at=at))


def _recipient(session: Session, raw: bytes, twin: str) -> str:
    """Whom a mail without an envelope is to: by its header, else as the same mail came before, else the mailbox."""
    config = settings.current()
    if named := glance.recipient(raw, doors.our_addresses(config)):
        return named
    known = session.scalar(select(InboundMail.recipient).where(InboundMail.twin == twin).limit(1))
    return known or config.public_mailbox


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
    found = matching.match(session, mail.recipient, reading.mail, is_vouched=mail.is_vouched)
    _write_down(mail, reading, found)
    session.merge(reading_for_desk(mail, reading, found))
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


def forget(session: Session, contact: Contact) -> None:
    """Take an erased person out of this room: that their mails came, when, and their digests stay."""
    theirs = select(InboundMail.id).where(InboundMail.contact_id == contact.id)
    came = select(InboundArrival.sha256).where(InboundArrival.mail_id.in_(theirs))
    others = exists().where(InboundArrival.sha256 == InboundBytes.sha256, InboundArrival.mail_id.not_in(theirs))
    for change in (
        update(InboundBytes).where(InboundBytes.sha256.in_(came), ~others).values(raw=b""),
        delete(InboundReading).where(InboundReading.mail_id.in_(theirs)),
        delete(InboundNote).where(InboundNote.mail_id.in_(theirs)),
        update(InboundMail)
        .where(InboundMail.contact_id == contact.id)
        .values(sender="", from_address="", subject="", message_id_header="", visible_text="", reasons=[]),
    ):
        session.execute(change.execution_options(synchronize_session=False))


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


def reading_for_desk(mail: InboundMail, reading: Reading, found: Match) -> InboundReading:
    """What a page shows of a mail, so that one of any size is read once and looked at often."""
    read = reading.mail
    kept = InboundReading(
        mail_id=mail.id,
        is_auto=reading.auto,
        has_token=found.token,
        is_aligned=found.aligned,
        is_crossed=found.crossed,
        from_name="",
        text="",
        html="",
        headers=[],
        attachments=[],
    )
    if read is not None:
        kept.from_name = storable(read.from_name)[:NAME_LIMIT]
        kept.text, kept.html = storable(read.text[:SHOWN_TEXT]), storable((read.html or "")[:SHOWN_HTML])
        kept.headers = _shown_headers(read)
        kept.attachments = [storable(name)[:NAME_LIMIT] for name in read.attachments[:SHOWN_NAMES]]
    return kept


def _shown_headers(read: Mail) -> list[list[str]]:
    shown: list[list[str]] = []
    room = SHOWN_TEXT
    for name, value in read.headers:
        room -= len(name) + len(value)
        if room < 0:
            break
        shown.append([storable(name), storable(value)])
    return shown
