"""The last look: may this mail still go out? Facts by one SELECT for many, judged by `consent.rules` (invariant 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, Text, and_, bindparam, func, select, text, type_coerce
from sqlalchemy.orm import Session

from mailer import db
from mailer.consent.models import Subscription, Suppression
from mailer.consent.rules import Channel, Standing, SuppressionReason, Withheld, why_withheld
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.outbox.models import Content, Mailing, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind


class Paused(Enum):
    """The mailing was paused: its mail waits until it goes on."""

    PAUSED = "paused"


CONTENTS_KEPT = 64
PAUSED = Paused.PAUSED
Given = Mapping[str, Any]
Stop = Withheld | Paused
"""Why a claimed mail does not go out now."""


class _Facts(NamedTuple):
    """What stands about one message's person, address and mailing; `reasons` are those against the address.

    The middle ones are the database's own words: a yes may be a 1.
    """

    channel: str
    topic: str | None
    has_address: bool
    is_person: bool
    origin: str | None
    is_erased: bool | None
    is_closed: bool | None
    is_subscribed: bool | None
    reasons: str | None
    mailing: _Mailing


class _Mailing(NamedTuple):
    """What stands about the mailing of a message, if it has one."""

    is_cancelled: bool = False
    is_paused: bool = False
    per_hour: int | None = None


_NO_MAILING = _Mailing()


def mails(which: ColumnElement[bool]) -> Select[Any]:
    """What reads the messages of which that holds. To be made once: building it takes longer than running it."""
    return _query(*_KEPT).where(which).order_by(_messages.id)


def read(session: Session, query: Select[Any], given: Given, at: datetime) -> Iterator[tuple[Outgoing, Stop | None]]:
    """The messages in order of their rows, each with why it may not go out; `at` is the day of those without one.

    `query` is one of `mails`, `given` the values that it leaves open.
    """
    rows = _rows(session, query, given)
    mailings = _mailings_of(session, rows)
    for (
        number, contact_id, mailing_id, to_address, channel, topic, origin, is_erased, is_closed, is_subscribed,
        reasons, kind, content_id, key_id, name, company, words, in_reply_to, created_at, attempts, dated_at,
        sent_from, envelope_domain, turn_at, time_zone,
    ) in rows:  # fmt: skip
        mailing = mailings.get(mailing_id, _NO_MAILING)
        content = _contents.get(content_id) or _content(session, content_id)
        day = _instant(dated_at) if dated_at else at
        mail = Outgoing(
            number,
            contact_id,
            mailing_id,
            _KINDS[kind],
            _CHANNELS[channel],
            topic,
            content,
            key_id,
            to_address,
            name,
            company,
            _facts_of(words) if words else None,
            in_reply_to,
            _instant(created_at),
            attempts,
            day,
            sent_from,
            envelope_domain,
            day != at,
            _instant(turn_at) if turn_at else None,
            time_zone,
            mailing.per_hour,
        )
        person = contact_id is not None, origin, is_erased, is_closed, is_subscribed
        facts = (channel, topic, to_address != "", *person, reasons, mailing)
        yield mail, _why_not(session, to_address, facts)


def again(session: Session, rows: Sequence[int]) -> Iterator[tuple[int, Stop]]:
    """Those of the messages that may not go out any more, with the reason."""
    found = _rows(session, _AGAIN, {"rows": rows})
    mailings = _mailings_of(session, found)
    for number, contact_id, mailing_id, to_address, channel, topic, *standing in found:
        mailing = mailings.get(mailing_id, _NO_MAILING)
        facts = (channel, topic, to_address != "", contact_id is not None, *standing, mailing)
        if (stop := _why_not(session, to_address, facts)) is not None:
            yield number, stop


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the driver gives it: there are millions of rows, and few different values."""
    return type_coerce(column, Text)


_messages, _contacts = Message.__table__.c, Contact.__table__.c
_contents: dict[str, Content] = {}
_OF_CONTENT = select(Content.__table__).where(Content.__table__.c.id == bindparam("content"))
_MAILING_ID = 2  # its place in what `_query` selects
_NO_SEEKING = text("SET LOCAL random_page_cost = 1.1")
_KINDS, _CHANNELS = {kind.value: kind for kind in MailKind}, {channel.value: channel for channel in Channel}
_KEPT = tuple(
    _raw(column)
    for column in (
        *(_messages[name] for name in ("kind", "content_id", "key_id", "name", "company", "facts", "in_reply_to")),
        *(
            _messages[name]
            for name in ("created_at", "attempts", "dated_at", "sent_from", "envelope_domain", "turn_at")
        ),
        _contacts.time_zone,
    )
)


@lru_cache(maxsize=4)
def _query(*more: Any) -> Select[Any]:
    """Number, person, mailing and address, the facts of the database about them, and `more` of the messages."""
    suppressions, subscriptions = Suppression.__table__.c, Subscription.__table__.c
    # an address's key is the address in lower case: it was read as ASCII (contacts.rules.read_address)
    standing = and_(suppressions.email_key == func.lower(_messages.to_address), suppressions.lifted_at.is_(None))
    reasons = select(func.aggregate_strings(_raw(suppressions.reason), ",")).where(standing).scalar_subquery()
    said = and_(subscriptions.contact_id == _messages.contact_id, subscriptions.topic == _messages.topic)
    facts = (
        _messages.channel,
        _messages.topic,
        _contacts.origin,
        _contacts.erased_at.is_not(None),
        _contacts.closed_at.is_not(None),
        subscriptions.is_subscribed,
    )
    return (
        select(
            *(_messages.id, _messages.contact_id, _messages.mailing_id, _messages.to_address),
            *map(_raw, facts),
            reasons.label("reasons"),
            *more,
        )
        .select_from(Message.__table__)
        .outerjoin(Contact.__table__, _contacts.id == _messages.contact_id)
        .outerjoin(Subscription.__table__, said)
    )


_AGAIN = _query().where(_messages.id.in_(bindparam("rows", expanding=True)))
_mailings = Mailing.__table__.c
_OF_MAILINGS = select(
    _mailings.id, _mailings.cancelled_at.is_not(None), _mailings.paused_at.is_not(None), _mailings.per_hour
).where(_mailings.id.in_(bindparam("mailings", expanding=True)))


def _rows(session: Session, query: Select[Any], given: Given) -> Sequence[Row[*tuple[Any, ...]]]:
    """What a query of messages finds.

    PostgreSQL shall find each person by the index. Its default is the price of a disk that seeks: by that it reads all
    of the contacts for a parcel of 500 as long as there are fewer than some hundred thousand, ten times the work.
    """
    connection = session.connection()
    if db.is_postgresql(session):
        connection.execute(_NO_SEEKING)
    return connection.execute(query, given).all()


def _mailings_of(session: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, _Mailing]:
    """The mailings of messages: there are few."""
    wanted = {row[_MAILING_ID] for row in rows} - {None}  # by its place: by its name a row is ten times as slow
    if not wanted:
        return {}
    found = session.connection().execute(_OF_MAILINGS, {"mailings": list(wanted)})
    return {number: _Mailing(*said) for number, *said in found}


def _content(session: Session, content_id: str) -> Content:
    """A content, kept from batch to batch: its id is the digest of all it says, so it cannot change.

    It belongs to no session, none of which could make it forget what it holds.
    """
    if len(_contents) >= CONTENTS_KEPT:
        _contents.clear()
    row = session.connection().execute(_OF_CONTENT, {"content": content_id}).one()
    return _contents.setdefault(content_id, Content(**row._mapping))


def _facts_of(words: Any) -> dict[str, str]:
    """What a driver gives of a JSON column: SQLite's its text, PostgreSQL's the value."""
    found: dict[str, str] = json.loads(words) if isinstance(words, str) else words
    return found


def _instant(value: str | datetime) -> datetime:
    """SQLite's text or PostgreSQL's instant, in UTC."""
    return _read_instant(value) if isinstance(value, str) else value.astimezone(UTC)


@lru_cache(maxsize=1024)
def _read_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _why_not(session: Session, to_address: str, facts: tuple[Any, ...]) -> Stop | None:
    stop, is_person = _judge(facts)
    if stop is not None or is_person:
        return stop
    # a bare address is nobody's whose consent could be asked; an erased person's gets nothing
    return Withheld.ERASED if contacts.is_erased(session, to_address.lower()) else None


@lru_cache(maxsize=1024)
def _judge(facts: tuple[Any, ...]) -> tuple[Stop | None, bool]:
    """The judgement of `consent.rules`, and whether the mail is to a person we know. The same facts, judged once."""
    about = _Facts(*facts)
    if about.mailing.is_cancelled:
        return Withheld.CANCELLED, about.is_person
    if about.mailing.is_paused:
        return PAUSED, about.is_person
    suppressed = frozenset(SuppressionReason(reason) for reason in (about.reasons or "").split(",") if reason)
    if not about.is_person:
        dead = SuppressionReason.HARD_BOUNCE in suppressed
        return (Withheld.DEAD_ADDRESS if dead else None), False
    topic = {about.topic} if about.topic else set()
    standing = Standing(
        origin=Origin(about.origin) if about.origin else Origin.THIRD_PARTY,
        subscribed=frozenset(topic if about.is_subscribed else ()),
        left=frozenset(topic if about.is_subscribed is not None and not about.is_subscribed else ()),
        suppressed=suppressed,
        erased=bool(about.is_erased),
        closed=bool(about.is_closed),
        has_address=about.has_address,
    )
    return why_withheld(Channel(about.channel), about.topic, standing), True
