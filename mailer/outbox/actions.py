"""Put mail, fan a mailing out, claim, mark, settle, sweep (DESIGN §8). Nothing here touches the network."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from mailer import ids, signing
from mailer.consent.rules import Channel, Withheld
from mailer.contacts.models import Address, Contact
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.ledger.rules import merkle_root
from mailer.outbox import audience as audiences
from mailer.outbox.models import Attempt, Content, Mailing, Message
from mailer.outbox.rules import MailingState, MailKind, Outcome, State, is_over, next_attempt_at

SLICE = 5_000


class NoContent(Conflict):
    """A mailing without wording in any language."""


@dataclass(frozen=True)
class Answer:
    """What a server said to one try, in our words, with its own beside."""

    outcome: Outcome
    code: int
    reply: str
    route: str


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
    address = to_address or (primary.email if primary else "")
    erased = contact is not None and contact.erased_at is not None
    withheld = Withheld.ERASED if erased else None if address else Withheld.NO_ADDRESS
    message = Message(
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
        facts=facts,
        in_reply_to=in_reply_to,
        state=State.WITHHELD if withheld else State.QUEUED,
        withheld=withheld,
        settled_at=at if withheld else None,
        created_at=at,
        due_at=at,
    )
    session.add(message)
    session.flush()
    return message


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
    if (
        channel is Channel.MARKETING
    ):  # who may not get promotion gets no row at all; the database refuses a third party's
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
        "created_at": literal(at, Message.created_at.type),
        "due_at": literal(at, Message.due_at.type),
        "attempts": literal(0),
    }
    rows = query.with_only_columns(*values.values())
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # SQLite reads "SELECT … ON CONFLICT" as a join unless a WHERE stands between: the query always has one
    session.execute(make(Message).from_select(list(_columns(values)), rows).on_conflict_do_nothing())


def _columns(values: dict[str, Any]) -> Sequence[str]:
    return list(values)


def claim(session: Session, channel: Channel, at: datetime, lease: timedelta, limit: int) -> list[Message]:
    """Take up to `limit` due messages of a channel under one lease; nobody else gets them before it ends."""
    token = ids.new("lse")
    due = (
        select(Message.row)
        .where(Message.state == State.QUEUED, Message.channel == channel, Message.due_at <= at)
        .order_by(Message.due_at, Message.row)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(Message)
        .where(Message.row.in_(due))
        .values(state=State.SENDING, lease_token=token, lease_until=at + lease, begun_at=None)
        .execution_options(synchronize_session=False)
    )
    taken = (
        select(Message).where(Message.lease_token == token).options(joinedload(Message.content)).order_by(Message.row)
    )
    return list(session.scalars(taken))


def begin(session: Session, message: Message, at: datetime, lease: timedelta, facts: dict[str, str] | None) -> bool:
    """Mark that the SMTP transaction begins; False if the lease was lost, and then it must not begin.

    `facts` are kept as they were when an earlier try is in doubt, so that the same mail goes out again.
    """
    in_doubt = message.dated_at is not None
    values: dict[str, Any] = {"begun_at": at, "lease_until": at + lease}
    if not in_doubt:
        values |= {"dated_at": at, "facts": facts if facts is not None else message.facts}
    return _change_leased(session, message, values)


def withhold(session: Session, message: Message, why: Withheld, at: datetime) -> bool:
    """Settle a claimed message as not sent, with the reason; False if the lease was lost."""
    return _change_leased(session, message, _free({"state": State.WITHHELD, "withheld": why, "settled_at": at}))


def release(session: Session, message: Message) -> bool:
    """Give a claimed message back untouched."""
    return _change_leased(session, message, _free({"state": State.QUEUED}))


def settle(session: Session, message: Message, answer: Answer, sha256: str, at: datetime) -> State | None:
    """Write down what the server answered. None if the lease was lost: then nothing changes (TRAPS 10)."""
    attempts = message.attempts + 1
    values: dict[str, Any] = {"attempts": attempts}
    match answer.outcome:
        case Outcome.ACCEPTED:
            values |= {"state": State.ACCEPTED, "settled_at": at, "sha256": sha256}
        case Outcome.DEFERRED if not is_over(message.channel, message.created_at, at):
            due_at = next_attempt_at(attempts, at, random.random())  # noqa: S311 - jitter, not a secret
            values |= {"state": State.QUEUED, "due_at": due_at, "dated_at": None}
        case Outcome.REFUSED | Outcome.DEFERRED:
            values |= {"state": State.REFUSED, "settled_at": at, "sha256": sha256}
    if not _change_leased(session, message, _free(values)):
        return None
    reply = answer.reply[:1000]
    session.add(
        Attempt(
            message_row=message.row, at=at, route=answer.route, outcome=answer.outcome, code=answer.code, reply=reply
        )
    )
    state: State = values["state"]
    return state


def sweep(session: Session, at: datetime) -> int:
    """Take back what dead workers held. In doubt (begun, no answer): essential goes again, marketing does not."""
    lost = (Message.state == State.SENDING, Message.lease_until < at)
    free: dict[str, Any] = {"lease_token": None, "lease_until": None}
    doubted = session.execute(
        update(Message)
        .where(*lost, Message.channel == Channel.MARKETING, Message.begun_at.is_not(None))
        .values(state=State.UNKNOWN, settled_at=at, **free)
        .execution_options(synchronize_session=False)
    )
    back = session.execute(
        update(Message)
        .where(*lost)
        .values(state=State.QUEUED, due_at=at, **free)
        .execution_options(synchronize_session=False)
    )
    return int(doubted.rowcount) + int(back.rowcount)  # type: ignore[attr-defined]


def doubt(session: Session, message: Message, at: datetime) -> bool:
    """The connection broke after the last byte and before the answer: in doubt (invariant 5).

    Essential mail is sent again, the same bytes; marketing is marked unknown and is not.
    """
    if message.channel is Channel.MARKETING:
        return _change_leased(session, message, _free({"state": State.UNKNOWN, "settled_at": at}))
    attempts = message.attempts + 1
    due_at = next_attempt_at(attempts, at, random.random())  # noqa: S311 - jitter, not a secret
    return _change_leased(session, message, _free({"state": State.QUEUED, "due_at": due_at, "attempts": attempts}))


def seal(session: Session, at: datetime, limit: int = 1_000) -> int:
    """Prove accepted messages in one ledger entry: the Merkle root of their digests (DESIGN §12). How many."""
    query = (
        select(Message.row, Message.sha256)
        .where(Message.state == State.ACCEPTED, Message.batch.is_(None))
        .order_by(Message.row)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(query).all()
    if not rows:
        return 0
    batch = ids.new("bat")
    numbers = [number for number, _ in rows]
    session.execute(
        update(Message).where(Message.row.in_(numbers)).values(batch=batch).execution_options(synchronize_session=False)
    )
    root = merkle_root(digest or "" for _, digest in rows)
    ledger.record(session, "messages.accepted", at, batch=batch, count=len(rows), root=root)
    return len(rows)


def note_bounce(session: Session, message: Message, at: datetime) -> bool:
    """Remember that an accepted message came back; False if that is known."""
    if message.bounced_at is not None:
        return False
    message.bounced_at = at
    ledger.record(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    ledger.tell(session, "message.bounced", at, contact_id=message.contact_id, message=message.id)
    return True


def keep_content(session: Session, content: Content) -> str:
    """Keep frozen wording once; its id is its own digest."""
    if session.get(Content, content.id) is None:
        session.add(content)
        session.flush()
    return content.id


def _free(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"lease_token": None, "lease_until": None, "begun_at": None}


def _change_leased(session: Session, message: Message, values: dict[str, Any]) -> bool:
    changed = session.execute(
        update(Message)
        .where(Message.row == message.row, Message.lease_token == message.lease_token)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]
