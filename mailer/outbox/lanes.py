"""Send what was put: claim a batch under a lease, mark, settle, sweep, prove (DESIGN §4, §8).

Nothing here touches the network. Who lost the lease changes nothing any more: its token is the fence (TRAPS 10).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, literal, select, update
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from mailer import ids
from mailer.consent.rules import Channel, Withheld
from mailer.ledger import actions as ledger
from mailer.ledger.rules import merkle_root
from mailer.outbox import rules
from mailer.outbox.models import Attempt, Message
from mailer.outbox.queries import in_state
from mailer.outbox.rules import Outcome, State


@dataclass(frozen=True)
class Answer:
    """What a server said to one try, in our words, with its own beside."""

    outcome: Outcome
    code: int
    reply: str
    route: str


def claim(session: Session, channel: Channel, at: datetime, lease: timedelta, limit: int) -> list[Message]:
    """Take up to `limit` due messages of a channel under one lease; nobody else gets them before it ends."""
    due = (
        select(Message.row)
        .where(in_state(State.QUEUED), Message.channel == channel, Message.due_at <= at)
        .order_by(Message.due_at, Message.row)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # as a plain subquery PostgreSQL may run it more than once, past the limit
    )
    taken = session.scalars(
        update(Message)
        .where(Message.row.in_(select(due.c[0])))
        .values(state=State.SENDING, lease_token=ids.new("lse"), lease_until=at + lease, begun_at=None)
        .returning(Message.row)
        .execution_options(synchronize_session=False)
    ).all()
    messages = select(Message).where(Message.row.in_(taken)).options(joinedload(Message.content))
    in_order = messages.order_by(Message.due_at, Message.row).execution_options(populate_existing=True)
    return list(session.scalars(in_order))


def begin(session: Session, message: Message, at: datetime, lease: timedelta, facts: dict[str, str] | None) -> bool:
    """Mark that the SMTP transaction begins; False if the lease was lost, and then it must not begin.

    The day and `facts` stay as they were when an earlier try is in doubt, so that the same bytes go out again.
    The message in hand then says what the row says.
    """
    in_doubt = message.dated_at is not None
    values: dict[str, Any] = {"begun_at": at, "lease_until": at + lease}
    if not in_doubt:
        values |= {"dated_at": at} | ({} if facts is None else {"facts": facts})
    if not _change_leased(session, message, values):
        return False
    for name, value in values.items():
        set_committed_value(message, name, value)
    return True


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
    over = rules.is_over(message.channel, message.created_at, at)
    chance = random.random()  # noqa: S311 - jitter, not a secret
    again_at = rules.next_attempt_at(attempts, at, chance, was_answered=answer.code != 0)
    match answer.outcome:
        case Outcome.ACCEPTED:
            values |= {"state": State.ACCEPTED, "settled_at": at, "sha256": sha256}
        case Outcome.DEFERRED if not over:
            values |= {"state": State.QUEUED, "due_at": again_at, "dated_at": None}
        case Outcome.IN_DOUBT if message.channel is Channel.ESSENTIAL and not over:
            values |= {"state": State.QUEUED, "due_at": again_at}  # dated as before: the same bytes
        case Outcome.IN_DOUBT:
            values |= {"state": State.UNKNOWN, "settled_at": at, "sha256": sha256}
        case Outcome.REFUSED | Outcome.DEFERRED:
            values |= {"state": State.REFUSED, "settled_at": at, "sha256": sha256}
    if not _change_leased(session, message, _free(values)):
        return None
    reply = rules.without_addresses(answer.reply)
    session.add(
        Attempt(
            message_row=message.row, at=at, route=answer.route, outcome=answer.outcome, code=answer.code, reply=reply
        )
    )
    state: State = values["state"]
    return state


def sweep(session: Session, at: datetime) -> int:
    """Take back what dead workers held; how many. What was begun is in doubt: essential goes again, marketing does not.

    `dated_at` and `facts` of what was begun stay, so that it goes again as the same bytes.
    """
    lost = (in_state(State.SENDING), Message.lease_until < at)
    free: dict[str, Any] = {"lease_token": None, "lease_until": None}
    doubted = session.execute(
        update(Message)
        .where(*lost, Message.channel == Channel.MARKETING, Message.begun_at.is_not(None))
        .values(state=State.UNKNOWN, settled_at=at, **free)
        .execution_options(synchronize_session=False)
    )
    crashed = Message.begun_at.is_not(None)
    deadly = and_(crashed, Message.attempts >= rules.CRASHES_AT_ONCE)  # it may be what kills the workers
    later = literal(at + rules.LONGEST_PAUSE, Message.due_at.type)
    back = session.execute(
        update(Message)
        .where(*lost)
        .values(
            state=State.QUEUED,
            attempts=Message.attempts + case((crashed, 1), else_=0),
            due_at=case((deadly, later), else_=literal(at, Message.due_at.type)),
            begun_at=None,
            **free,
        )
        .execution_options(synchronize_session=False)
    )
    return int(doubted.rowcount) + int(back.rowcount)  # type: ignore[attr-defined]


def seal(session: Session, at: datetime, limit: int = 1_000) -> int:
    """Prove accepted messages in one ledger entry: the Merkle root of their digests (DESIGN §12). How many."""
    query = (
        select(Message.row, Message.sha256)
        .where(in_state(State.ACCEPTED), Message.batch.is_(None))
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


def _free(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"lease_token": None, "lease_until": None, "begun_at": None}


def _change_leased(session: Session, message: Message, values: dict[str, Any]) -> bool:
    """Change a message while its lease is ours; False if it was taken from us (fencing, TRAPS 10)."""
    if message.lease_token is None:
        return False
    changed = session.execute(
        update(Message)
        .where(Message.row == message.row, Message.lease_token == message.lease_token)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]
