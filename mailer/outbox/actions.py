"""Put one letter, fan a mailing out, note what came back (DESIGN §8). Sending them is `outbox.lanes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mailer import ids, signing
from mailer.consent import queries as consent
from mailer.consent.actions import ThirdParty
from mailer.consent.rules import Channel, Withheld, why_withheld
from mailer.contacts.models import Address, Contact
from mailer.contacts.rules import read_address
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.outbox import audience as audiences
from mailer.outbox.models import Content, Mailing, Message
from mailer.outbox.rules import MailingState, MailKind, State

SLICE = 5_000
IN_REPLY_TO_LIMIT = 998


class NoContent(Conflict):
    """A mailing without wording in any language."""


def put(
    session: Session,
    *,
    kind: MailKind,
    contact: Contact | None,
    content_id: str,
    key: str,
    at: datetime,
    to_address: str | None = None,
    name: str = "",
    topic: str | None = None,
    facts: dict[str, str] | None = None,
    in_reply_to: str | None = None,
) -> Message:
    """One letter to one person. The same key gives the first row back: one fact, one key, one row."""
    known = session.scalar(select(Message).where(Message.key == key))
    if known is not None:
        return known
    primary = contact.primary if contact else None
    address = read_address(to_address).email if to_address else primary.email if primary else ""
    withheld = _why_not_put(session, kind, topic, contact, address)
    row = _insert(session)(Message).values(
        key=key,
        contact_id=contact.id if contact else None,
        kind=kind,
        channel=kind.channel,
        topic=topic,
        origin=contact.origin if contact else None,
        content_id=content_id,
        key_id=signing.newest_key_id(),
        to_address=address,
        name=name or (contact.name if contact else ""),
        company=contact.company if contact else "",
        facts=facts or None,
        in_reply_to=in_reply_to if in_reply_to and len(in_reply_to) <= IN_REPLY_TO_LIMIT else None,
        state=State.WITHHELD if withheld else State.QUEUED,
        withheld=withheld,
        settled_at=at if withheld else None,
        created_at=at,
        due_at=at,
    )
    session.execute(row.on_conflict_do_nothing(index_elements=["key"]))  # somebody may have been quicker
    return session.scalars(select(Message).where(Message.key == key)).one()


def _why_not_put(
    session: Session, kind: MailKind, topic: str | None, contact: Contact | None, address: str
) -> Withheld | None:
    """The first of the looks at consent and suppression (invariant 3); a test mail concerns no contact."""
    if contact is None:
        return None if address else Withheld.NO_ADDRESS
    why = why_withheld(kind.channel, topic, consent.standing(session, contact, address))
    if why is Withheld.THIRD_PARTY:
        raise ThirdParty("origin: this person was entered by a customer and may not be written to for promotion.")
    return why


def create_mailing(
    session: Session,
    *,
    kind: MailKind,
    subject_id: str,
    contents: dict[str, str],
    audience: dict[str, Any],
    at: datetime,
    topic: str | None = None,
) -> Mailing:
    """One send to many: frozen contents by language, frozen audience; `fan_out_slice` makes the messages."""
    if not contents:
        raise NoContent("A mailing needs wording in at least one language.")
    mailing = Mailing(
        id=ids.new("mlg"),
        kind=kind,
        topic=topic,
        subject_id=subject_id,
        contents=contents,
        audience=audience,
        key_id=signing.newest_key_id(),
        state=MailingState.FANNING_OUT,
        created_at=at,
    )
    session.add(mailing)
    session.flush()
    ledger.record(
        session, "mailing.created", at, mailing=mailing.id, mail=kind.value, subject=subject_id, contents=contents
    )
    return mailing


def fan_out_slice(session: Session, mailing: Mailing, at: datetime, size: int = SLICE) -> bool:
    """Make the messages of the next slice of people in one INSERT … SELECT; True while more are left."""
    people = audiences.concerned(mailing.audience, mailing.kind.channel).with_only_columns(Contact.id)
    keys = people.where(Contact.id > mailing.cursor).order_by(Contact.id).limit(size).subquery()
    last = session.scalar(select(func.max(keys.c.id)))
    if last is not None:
        _insert_messages(session, mailing, mailing.cursor, last, at)
        mailing.cursor = last
        return True
    mailing.state, mailing.fanned_out_at = MailingState.FANNED_OUT, at
    ledger.record(session, "mailing.fanned_out", at, mailing=mailing.id)
    return False


def again(mailing: Mailing) -> None:
    """Let a mailing be fanned out once more, for people who came after; those who have a message get no second one."""
    mailing.state, mailing.cursor = MailingState.FANNING_OUT, ""


def _insert_messages(session: Session, mailing: Mailing, after: str, last: str, at: datetime) -> None:
    channel = mailing.kind.channel
    query = audiences.concerned(mailing.audience, channel).where(Contact.id > after, Contact.id <= last)
    withheld = audiences.why_withheld(channel, mailing.topic)
    if channel is Channel.MARKETING:
        # who may not get promotion gets no row at all; the database refuses a third party's
        query = query.where(withheld.is_(None))
    first = next(iter(mailing.contents.values()))
    content = case(
        *((Contact.locale == locale, literal(content_id)) for locale, content_id in mailing.contents.items()),
        else_=literal(first),
    )
    values: dict[str, Any] = {
        "mailing_id": literal(mailing.id),
        "contact_id": Contact.id,
        "kind": literal(mailing.kind.value),
        "channel": literal(channel.value),
        "topic": literal(mailing.topic) if mailing.topic else null(),
        "origin": Contact.origin,
        "content_id": content,
        "key_id": literal(mailing.key_id),
        "to_address": case((Address.email.is_(None), literal("")), else_=Address.email),
        "name": Contact.name,
        "company": Contact.company,
        "state": case((withheld.is_(None), literal(State.QUEUED.value)), else_=literal(State.WITHHELD.value)),
        "withheld": withheld,
        "settled_at": case((withheld.is_(None), null()), else_=literal(at, Message.settled_at.type)),
        "created_at": literal(at, Message.created_at.type),
        "due_at": literal(at, Message.due_at.type),
        "attempts": literal(0),
    }
    rows = query.with_only_columns(*values.values())
    # SQLite reads "SELECT … ON CONFLICT" as a join unless a WHERE stands between: the query always has one
    insert = _insert(session)(Message).from_select(list(values), rows)
    session.execute(insert.on_conflict_do_nothing(index_elements=["mailing_id", "contact_id"]))


def cancel(session: Session, rows: Select[Any], at: datetime) -> None:
    """Let messages that wait not go out any more; what is being sent is asked about again at its mark."""
    session.execute(
        update(Message)
        .where(Message.row.in_(rows), Message.state == State.QUEUED)
        .values(state=State.WITHHELD, withheld=Withheld.CANCELLED, settled_at=at)
        .execution_options(synchronize_session=False)
    )


def note_bounce(session: Session, message: Message, at: datetime) -> bool:
    """Remember that an accepted message came back; False if that is known."""
    if message.bounced_at is not None:
        return False
    message.bounced_at = at
    ledger.record(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    ledger.tell(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    return True


def forget(session: Session, contact: Contact) -> None:
    """Take an erased person out of this room: that mail went, when, and its digest stay."""
    session.execute(
        update(Message)
        .where(Message.contact_id == contact.id)
        .values(to_address="", name="", company="", facts=None, in_reply_to=None)
        .execution_options(synchronize_session=False)
    )


def keep_content(session: Session, content: Content) -> str:
    """Keep frozen wording once; its id is its own digest."""
    values = {column.key: getattr(content, column.key) for column in Content.__table__.columns}
    session.execute(_insert(session)(Content).values(values).on_conflict_do_nothing(index_elements=["id"]))
    return content.id


def _insert(session: Session) -> Any:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
