"""Put one letter, fan a mailing out, note what came back (DESIGN §8). Sending them is `outbox.lanes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from mailer import db, ids, signing
from mailer.consent import queries as consent
from mailer.consent.actions import ThirdParty
from mailer.consent.rules import Channel, Withheld, why_withheld
from mailer.contacts.models import Address, Contact
from mailer.contacts.rules import read_address
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.outbox import audience as audiences
from mailer.outbox.models import Content, Mailing, Message, Parcel
from mailer.outbox.rules import MailingState, MailKind, State

SLICE = 20_000
PARCEL = 500  # so much is in doubt if a machine is lost with its journals
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
    row = db.insert(session, Message).values(
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
        due_at=None if withheld else at,
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


@dataclass(frozen=True)
class Slice:
    """The messages that a slice of the fan-out made, by their rows."""

    rows: range


def fan_out_slice(session: Session, mailing: Mailing, at: datetime, size: int = SLICE) -> Slice | None:
    """Make the messages of the next slice of people in one INSERT … SELECT; None once nobody is left."""
    channel = mailing.kind.channel
    concerned = audiences.concerned(mailing.audience, channel)
    people = audiences.after(concerned, mailing.audience, channel, mailing.cursor)
    keys = people.with_only_columns(Contact.id).limit(size).subquery()
    last = session.scalar(select(func.max(keys.c.id)))
    if last is not None:
        made = _insert_messages(session, mailing, mailing.cursor, last, at)
        _cut(session, mailing, made)
        mailing.cursor = last
        return Slice(made)
    mailing.state, mailing.fanned_out_at = MailingState.FANNED_OUT, at
    ledger.record(session, "mailing.fanned_out", at, mailing=mailing.id)
    return None


def again(mailing: Mailing) -> None:
    """Let a mailing be fanned out once more, for people who came after; those who have a message get no second one."""
    mailing.state, mailing.cursor = MailingState.FANNING_OUT, ""


def _cut(session: Session, mailing: Mailing, rows: range) -> None:
    """Cut the messages just made into parcels. Their turn grows with the mailing, so that mailings take turns."""
    if not rows:
        return
    turn = session.scalar(select(func.max(Parcel.turn)).where(Parcel.mailing_id == mailing.id)) or 0
    parcels = [
        {
            "mailing_id": mailing.id,
            "channel": mailing.kind.channel,
            "turn": turn + number,
            "first_row": part.start,
            "last_row": part.stop - 1,
        }
        for number, part in enumerate(_parts(rows), 1)
    ]
    session.execute(insert(Parcel), parcels)


def _parts(rows: range) -> Iterator[range]:
    """Rows in parcels, the last ones smaller, so that no worker is left alone with a large one at the end."""
    while rows:
        size = min(PARCEL, max(len(rows) // 2, PARCEL // 4, 1))
        yield rows[:size]
        rows = rows[size:]


def _insert_messages(session: Session, mailing: Mailing, after: str, last: str, at: datetime) -> range:
    """The rows of the slice's messages. Other mail may lie between them on PostgreSQL, and other mailings' never do."""
    channel = mailing.kind.channel
    concerned = audiences.concerned(mailing.audience, channel)
    people = audiences.after(concerned, mailing.audience, channel, after, last)
    withheld: ColumnElement[str | None] = audiences.why_withheld(channel, mailing.topic)
    if channel is Channel.MARKETING:
        # who may not get promotion gets no row at all; the database refuses a third party's
        people, withheld = people.where(audiences.may_go(channel, mailing.topic)), type_coerce(null(), String)
    who = people.with_only_columns(*_READ, withheld.label("withheld")).subquery()
    values = {
        "mailing_id": literal(mailing.id),
        "topic": literal(mailing.topic) if mailing.topic else null(),
    } | _columns(who, mailing.kind, mailing.contents, mailing.key_id, at)
    rows = select(*values.values()).where(true())
    # SQLite reads "SELECT … ON CONFLICT" as a join unless a WHERE stands between: so it has one
    made = db.insert(session, Message).from_select(list(values), rows)
    made = made.on_conflict_do_nothing(index_elements=["mailing_id", "contact_id"])
    if db.is_postgresql(session):
        own = made.returning(Message.row).cte("made")
        first, end = session.execute(select(func.min(own.c[0]), func.max(own.c[0]))).one()
        return range(first, end + 1) if first is not None else range(0)
    before = session.scalar(select(func.max(Message.row))) or 0  # SQLite lets nobody else write meanwhile
    session.execute(made)
    return range(before + 1, (session.scalar(select(func.max(Message.row))) or 0) + 1)


_READ = (
    Contact.id,
    Contact.origin,
    Contact.locale,
    Contact.name,
    Contact.company,
    func.coalesce(Address.email, "").label("email"),
)


def _columns(
    who: Subquery, kind: MailKind, contents: Mapping[str, str], key_id: str, at: datetime
) -> dict[str, ColumnElement[Any]]:
    """What a message to each of these people holds; `who` has the columns of `_READ`, and `withheld`."""
    first = next(iter(contents.values()))
    languages = ((who.c.locale == locale, literal(content_id)) for locale, content_id in contents.items())
    goes = who.c.withheld.is_(None)
    return {
        "contact_id": who.c.id,
        "kind": literal(kind.value),
        "channel": literal(kind.channel.value),
        "origin": who.c.origin,
        "content_id": case(*languages, else_=literal(first)),
        "key_id": literal(key_id),
        "to_address": who.c.email,
        "name": who.c.name,
        "company": who.c.company,
        "state": case((goes, literal(State.QUEUED.value)), else_=literal(State.WITHHELD.value)),
        "withheld": who.c.withheld,
        "settled_at": case((goes, null()), else_=literal(at, Message.settled_at.type)),
        "created_at": literal(at, Message.created_at.type),
        "attempts": literal(0),
    }


def put_to_many(
    session: Session, *, kind: MailKind, to: Select[Any], contents: Mapping[str, str], key: str, at: datetime
) -> None:
    """One essential letter to each of these contacts, by language, in one statement.

    The key of each is `key` and the contact's id, so that a second time adds nothing.
    """
    assert kind.channel is Channel.ESSENTIAL
    withheld = audiences.why_withheld(kind.channel, None)
    primary = and_(Address.contact_id == Contact.id, Address.is_primary)
    people = select(*_READ, withheld.label("withheld")).select_from(Contact).join(Address, primary, isouter=True)
    who = people.where(Contact.id.in_(to), Contact.erased_at.is_(None)).subquery()
    due = case((who.c.withheld.is_(None), literal(at, Message.due_at.type)), else_=null())
    values = {"key": literal(key) + who.c.id, "due_at": due}
    values |= _columns(who, kind, contents, signing.newest_key_id(), at)
    made = db.insert(session, Message).from_select(list(values), select(*values.values()).where(true()))
    session.execute(made.on_conflict_do_nothing(index_elements=["key"]))


def cancel(session: Session, rows: Select[Any], at: datetime) -> None:
    """Let messages that wait not go out any more; what is being sent is asked about again at its mark."""
    session.execute(
        update(Message)
        .where(Message.row.in_(rows), Message.state == State.QUEUED)
        .values(state=State.WITHHELD, withheld=Withheld.CANCELLED, settled_at=at, due_at=None)
        .execution_options(synchronize_session=False)
    )


def note_bounce(session: Session, message: Message, at: datetime) -> bool:
    """Remember that an accepted message came back; False if that is known."""
    if message.bounced_at is not None:
        return False
    message.bounced_at = at
    _count(session, message, Mailing.bounced)
    ledger.record(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    ledger.tell(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    return True


def note_complaint(session: Session, message: Message, at: datetime) -> bool:
    """Remember that a reader reported a message as spam; False if that is known."""
    if message.complained_at is not None:
        return False
    message.complained_at = at
    _count(session, message, Mailing.complained)
    return True


def _count(session: Session, message: Message, counter: Any) -> None:
    one_more = update(Mailing).where(Mailing.id == message.mailing_id).values({counter: counter + 1})
    session.execute(one_more.execution_options(synchronize_session=False))


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
    session.execute(db.insert(session, Content).values(values).on_conflict_do_nothing(index_elements=["id"]))
    return content.id
