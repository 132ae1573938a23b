"""Read the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from mailer import ids
from mailer.consent.rules import Channel, Withheld
from mailer.errors import NotFound
from mailer.outbox import audience as audiences
from mailer.outbox.models import Attempt, Mailing, Message, Parcel
from mailer.outbox.rules import MailingState, MailKind, State

HELD = datetime(9999, 1, 1, tzinfo=UTC)  # when a single message of a paused mailing is due


class NoSuchMessage(NotFound):
    """No message has this id."""


@dataclass(frozen=True)
class AudienceCount:
    """How many get a mailing, and why the others do not."""

    included: int
    left_out: dict[Withheld, int]

    @property
    def concerned(self) -> int:
        return self.included + sum(self.left_out.values())


def audience_count(session: Session, kind: MailKind, audience: dict[str, Any]) -> AudienceCount:
    """Count an audience as the fan-out would see it; for a topic, everybody else is left out with a reason."""
    seen = audience | {"kind": audiences.EVERYONE} if audience["kind"] == audiences.TOPIC else audience
    people = audiences.concerned(seen, kind.channel).subquery()
    rows = session.execute(select(people.c.withheld, func.count()).group_by(people.c.withheld)).all()
    counts = {why: int(n) for why, n in rows}
    included = counts.pop(None, 0)
    return AudienceCount(included, {Withheld(why): n for why, n in counts.items()})


def find(session: Session, message_id: str) -> Message | None:
    """The message with this public id."""
    row = ids.message_row(message_id)
    return session.get(Message, row) if row is not None else None


def get(session: Session, message_id: str) -> Message:
    found = find(session, message_id)
    if found is None:
        raise NoSuchMessage("There is no such message here; look it up by the address it went to.")
    return found


def search(
    session: Session,
    words: str = "",
    *,
    state: State | None = None,
    channel: Channel | None = None,
    mailing_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Message]:
    """Messages, newest first, by part of the address; a keyset page below row `before`."""
    query = select(Message).options(joinedload(Message.content)).order_by(Message.row.desc()).limit(limit)
    if words:
        query = query.where(func.lower(Message.to_address).contains(words.lower(), autoescape=True))
    if state is not None:
        query = query.where(Message.state == state)
    if channel is not None:
        query = query.where(Message.channel == channel)
    if mailing_id is not None:
        query = query.where(Message.mailing_id == mailing_id)
    if before is not None:
        query = query.where(Message.row < before)
    return session.scalars(query).all()


def of_contact(session: Session, contact_id: str, limit: int = 100) -> Sequence[Message]:
    """What one person was sent, newest first."""
    query = select(Message).where(Message.contact_id == contact_id).options(joinedload(Message.content))
    return session.scalars(query.order_by(Message.row.desc()).limit(limit)).all()


def attempts(session: Session, message: Message) -> Sequence[Attempt]:
    """Every try of a message with the server's answer, oldest first."""
    return session.scalars(select(Attempt).where(Attempt.message_row == message.row).order_by(Attempt.id)).all()


def progress(session: Session, mailing_id: str) -> dict[State, int]:
    """How many messages of a mailing are in each state."""
    query = select(Message.state, func.count()).where(Message.mailing_id == mailing_id).group_by(Message.state)
    return {state: int(n) for state, n in session.execute(query)}


def left_out(session: Session, mailing_id: str) -> dict[Withheld, int]:
    """Why messages of a mailing were withheld, and how many."""
    query = select(Message.withheld, func.count()).where(
        Message.mailing_id == mailing_id, Message.withheld.is_not(None)
    )
    return {Withheld(why): int(n) for why, n in session.execute(query.group_by(Message.withheld)) if why is not None}


def last_answer(session: Session, mailing_id: str) -> Attempt | None:
    """What a server last said to a message of this mailing that still waits; for the page that says why it waits."""
    waiting = select(Message.row).where(
        Message.mailing_id == mailing_id, Message.state == State.QUEUED, Message.attempts > 0
    )
    return session.scalar(select(Attempt).where(Attempt.message_row.in_(waiting)).order_by(Attempt.id.desc()).limit(1))


def of_rows(mailing_id: Any, first: Any, last: Any) -> ColumnElement[bool]:
    """The messages of a mailing from row `first` to row `last`.

    They are found by their rows: `coalesce` keeps SQLite from the index of mailings, of which it would read the whole
    mailing for each of its parcels.
    """
    return and_(Message.row >= first, Message.row <= last, func.coalesce(Message.mailing_id, "") == mailing_id)


def in_state(state: State, messages: Any = Message) -> ColumnElement[bool]:
    """Written out, not bound: SQLite uses a partial index only when it can read the state in the statement."""
    found: ColumnElement[bool] = messages.state == literal(state, messages.state.type, literal_execute=True)
    return found


def is_due(session: Session, channel: Channel, at: datetime) -> bool:
    """Whether a lane has something to send now."""
    single = exists().where(in_state(State.QUEUED), Message.channel == channel, Message.due_at <= at)
    parcel = exists().where(
        Parcel.channel == channel,
        Parcel.lease_token.is_(None),
        Mailing.id == Parcel.mailing_id,
        goes_on(at),
    )
    return bool(session.scalar(select(or_(single, parcel))))


def goes_on(at: Any, mailings: Any = Mailing) -> ColumnElement[bool]:
    """Whether a mailing may send at this moment: not paused, not cancelled, not waiting for its pace."""
    stands = and_(mailings.paused_at.is_(None), mailings.cancelled_at.is_(None))
    return and_(stands, or_(mailings.hold_until.is_(None), mailings.hold_until <= at))


def to_fan_out(session: Session) -> Sequence[str]:
    """The mailings whose messages are still being made."""
    query = select(Mailing.id).where(Mailing.state == MailingState.FANNING_OUT, Mailing.cancelled_at.is_(None))
    return session.scalars(query.order_by(Mailing.created_at)).all()
