"""Send what was put: claim under a lease, look at consent, settle, sweep (DESIGN §4, §8).

Nothing here touches the network, and nothing here costs a statement a mail. Who lost the lease changes nothing any
more: its token is the fence (TRAPS 10).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Delete,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session

from mailer import ids
from mailer.consent.rules import Channel, Withheld
from mailer.ledger import actions as ledger
from mailer.outbox import bulk, look, queries, rules
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.outgoing import Batch, Done, Outgoing, Which
from mailer.outbox.queries import HELD, in_state
from mailer.outbox.rules import Outcome, State

_QUIETLY = {"synchronize_session": False}

# What every batch asks for is spelled once: to build such a statement takes ten times as long as to run it.
_MESSAGES, _PARCELS, _MAILINGS = (cast("Table", kind.__table__) for kind in (Message, Parcel, Mailing))
_messages, _parcels, _mailings = _MESSAGES.c, _PARCELS.c, _MAILINGS.c
_DUE = (
    select(_messages.id)
    .where(
        in_state(State.QUEUED, _messages),
        _messages.channel == bindparam("of_channel"),
        _messages.due_at <= bindparam("at"),
    )
    .order_by(_messages.due_at, _messages.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")  # as a plain subquery PostgreSQL may run it more than once, past the limit
)
_CLAIM = (
    update(_MESSAGES)
    .where(_messages.id.in_(select(_DUE.c[0])))
    .values(
        state=State.SENDING,
        lease_token=bindparam("token"),
        due_at=bindparam("until"),
        dated_at=func.coalesce(_messages.dated_at, bindparam("at", type_=_messages.dated_at.type)),
    )
    .returning(_messages.id)
)
_FREE = (
    select(_parcels.id)
    .join(_MAILINGS, _mailings.id == _parcels.mailing_id)
    .where(
        _parcels.channel == bindparam("of_channel"),
        _parcels.lease_token.is_(None),
        queries.goes_on(bindparam("at"), _mailings),
    )
    .order_by(_parcels.turn, _parcels.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=_PARCELS)
    .cte("free")
)
_TAKE = (
    update(_PARCELS)
    .where(_parcels.id.in_(select(_FREE.c[0])))
    .values(lease_token=bindparam("token"), lease_until=bindparam("until"), dated_at=bindparam("at"))
    .returning(_parcels.id, _parcels.mailing_id, _parcels.first_row, _parcels.last_row)
)
_MINE = and_(_parcels.id == bindparam("parcel"), _parcels.lease_token == bindparam("token"))
_HOLD = update(_PARCELS).where(_MINE).values(turn=_parcels.turn)
_EXTEND = update(_PARCELS).where(_MINE).values(lease_until=bindparam("until"))
_FREED = update(_PARCELS).where(_MINE).values(lease_token=None, lease_until=None, dated_at=None)
_END = delete(_PARCELS).where(_MINE)
_COUNT = (
    update(_MAILINGS)
    .where(_mailings.id == bindparam("mailing"))
    .values(
        accepted=_mailings.accepted + bindparam("took"),
        window_count=_mailings.window_count + bindparam("took"),
        refused=_mailings.refused + bindparam("not_taken"),
    )
)

_SPAN = ("mailing_id", "first_row", "last_row")


def claim(session: Session, channel: Channel, at: datetime, lease: timedelta, limit: int) -> Batch | None:
    """Take up to `limit` due single messages of a channel under one lease, the oldest first; None if none is due.

    The claim is the mark: without a journal all of it is in doubt once the lease is over. `look_at` reads the mails.
    """
    token = ids.new("lse")
    said = {"of_channel": channel, "at": at, "until": at + lease, "token": token, "limit": limit}
    taken = session.scalars(_CLAIM, said).all()
    return Batch(token, None, which=(_OF_ROWS, {"rows": taken})) if taken else None


def take_parcel(session: Session, channel: Channel, at: datetime, lease: timedelta) -> Batch | None:
    """Lease the next parcel of a channel's mailings, those that may go on, in turn; None if there is none."""
    token = ids.new("lse")
    taken = session.execute(_TAKE, {"of_channel": channel, "at": at, "until": at + lease, "token": token}).first()
    if taken is None:
        return None
    return Batch(token, taken.id, which=_within(taken))


def in_parcel(parcel: Any) -> ColumnElement[bool]:
    """The messages of a parcel (or, given the table, of each) that still wait in it."""
    waits = queries.of_rows(parcel.mailing_id, parcel.first_row, parcel.last_row)
    return and_(waits, Message.state == State.QUEUED, Message.due_at.is_(None))


_OF_PARCEL = look.mails(in_parcel(SimpleNamespace(**{name: bindparam(name) for name in _SPAN})))
_OF_ROWS = look.mails(Message.row.in_(bindparam("rows", expanding=True)))
_OF_LEASE = look.mails(Message.lease_token == bindparam("token"))


def _within(parcel: Any) -> Which:
    """What reads the messages of a parcel."""
    return _OF_PARCEL, {name: getattr(parcel, name) for name in _SPAN}


def look_at(session: Session, batch: Batch, at: datetime) -> None:
    """Read the claimed mails, and by consent and suppression as they are now (invariant 3) which of them may not go.

    Writes nothing, so that nobody waits for it; `stop` settles what may not go.
    """
    assert batch.which is not None
    for mail, stop in look.read(session, *batch.which, at):
        batch.left.add(mail.row)
        if stop is None:
            batch.mails.append(mail)
        elif isinstance(stop, Withheld):
            batch.stopped.append(Done(mail, at, withheld=stop))
        else:
            batch.held.append(mail)


def stop(session: Session, batch: Batch, at: datetime) -> list[tuple[Done, State]]:
    """Settle what the look stopped; a parcel with nothing left is done."""
    waits = [Done(mail, at, put_off_until=HELD) for mail in batch.held]
    settled = settle(session, batch, [*batch.stopped, *waits], at)
    _let_go_if_done(session, batch)
    return settled


def settle(session: Session, batch: Batch, done: Sequence[Done], at: datetime) -> list[tuple[Done, State]]:
    """Write down what came of messages of a batch, and the state each is in now; first those that a server took.

    Nothing changes, and nothing is given, for what was taken from us meanwhile (fencing, TRAPS 10).
    """
    took: list[Done] = []
    others: list[tuple[Done, rules.After]] = []
    for one in done:
        if one.answer is not None and one.answer.outcome is Outcome.ACCEPTED:
            took.append(one)
        else:
            others.append((one, _after(one)))
    spelled = _spell(session, took, others)  # before the first statement, which keeps every other writer of SQLite out
    ours = _still_ours(session, batch, [one.mail.row for one in done])
    if len(ours) < len(done):
        took = [one for one in took if one.mail.row in ours]
        others = [(one, after) for one, after in others if one.mail.row in ours]
        spelled = _spell(session, took, others)
    _accept(session, spelled, at)
    _count(session, took, [one for one, after in others if after.state is State.REFUSED])
    _withhold(session, [one for one, after in others if after.state is State.WITHHELD], at)
    for one, after in others:
        if after.state is not State.WITHHELD:
            _write(session, one, after)
    batch.left.difference_update(one.mail.row for one in done)
    _let_go_if_done(session, batch)
    return [(one, State.ACCEPTED) for one in took] + [(one, after.state) for one, after in others]


def give_back(session: Session, batch: Batch, mails: Collection[Outgoing], at: datetime) -> None:
    """Give messages of a batch back untouched; none of them was begun."""
    rows = [mail.row for mail in mails]
    if batch.parcel is None:
        fresh = Message.row.in_([mail.row for mail in mails if not mail.is_in_doubt])
        session.execute(
            update(Message)
            .where(Message.row.in_(rows), Message.lease_token == batch.token)
            .values(
                state=State.QUEUED, due_at=at, lease_token=None, dated_at=case((fresh, null()), else_=Message.dated_at)
            )
            .execution_options(**_QUIETLY)
        )
    batch.left.difference_update(rows)
    batch.was_given_back = True
    _let_go_if_done(session, batch)


def extend(session: Session, batch: Batch, until: datetime) -> bool:
    """Hold the lease until then; False if it was lost."""
    if batch.parcel is not None:
        return _of_parcel(session, batch, _EXTEND, until=until) > 0
    held = update(Message).where(Message.row.in_(batch.left), Message.lease_token == batch.token)
    return _rows(session, held.values(due_at=until)) > 0


def stopped(session: Session, mails: Sequence[Outgoing], at: datetime) -> list[Done]:
    """What of these may not go any more: the look again, for what waited in hand. To be settled; writes nothing.

    A mail of a mailing that was paused meanwhile waits until it goes on.
    """
    stops = dict(look.again(session, [mail.row for mail in mails]))
    found = ((mail, stops.get(mail.row)) for mail in mails)
    return [
        Done(mail, at, withheld=stop) if isinstance(stop, Withheld) else Done(mail, at, put_off_until=HELD)
        for mail, stop in found
        if stop is not None
    ]


def of_lease(session: Session, token: str, at: datetime) -> Batch | None:
    """What is still held under a lease, as its holder had it in hand; None if nothing is."""
    parcel = session.execute(select(Parcel).where(Parcel.lease_token == token).with_for_update()).scalar()
    query, given = _within(parcel) if parcel is not None else (_OF_LEASE, {"token": token})
    day = parcel.dated_at or at if parcel is not None else at
    mails = [mail for mail, _ in look.read(session, query, given, day)]
    if parcel is None and not mails:
        return None
    return Batch(token, parcel.id if parcel is not None else None, mails)


def lost_leases(session: Session, channel: Channel, at: datetime, limit: int = 20) -> list[str]:
    """The tokens of leases that ran out: their holders are gone, or too late."""
    rows = select(Message.lease_token).where(
        in_state(State.SENDING), Message.channel == channel, Message.due_at < at, Message.lease_token.is_not(None)
    )
    parcels = select(Parcel.lease_token).where(Parcel.channel == channel, Parcel.lease_until < at)
    found = [*session.scalars(parcels.limit(limit)), *session.scalars(rows.distinct().limit(limit))]
    return [token for token in found if token is not None]


def _after(one: Done) -> rules.After:
    """What becomes of a message that no server took."""
    mail, answer = one.mail, one.answer
    if one.withheld is not None:
        return rules.After(State.WITHHELD)
    if one.put_off_until is not None:
        return rules.After(State.QUEUED, one.put_off_until, keeps_day=mail.is_in_doubt)
    if answer is None:  # nobody lives who could tell
        return rules.after_crash(mail.channel, mail.attempts + 1, one.at)
    chance = random.random()  # noqa: S311 - jitter, not a secret
    return rules.after_try(
        answer.outcome,
        mail.channel,
        mail.attempts + 1,
        one.at,
        chance,
        created_at=mail.created_at,
        code=answer.code,
    )


def _still_ours(session: Session, batch: Batch, rows: Sequence[int]) -> Collection[int]:
    """Those of the rows whose lease is still ours, locked until the commit."""
    if not rows:
        return ()
    if batch.parcel is not None:
        return frozenset(rows) if _of_parcel(session, batch, _HOLD) else ()
    query = select(Message.row).where(Message.row.in_(rows), Message.lease_token == batch.token)
    return frozenset(session.scalars(query.with_for_update()))


def _let_go_if_done(session: Session, batch: Batch) -> None:
    if batch.left or batch.parcel is None:
        return
    _of_parcel(session, batch, _FREED if batch.was_given_back else _END)  # given back: the rest still waits in it


def _spell(session: Session, took: Sequence[Done], others: Sequence[tuple[Done, rules.After]]) -> bulk.Written:
    return bulk.spell(session, took, [one for one, _ in others if one.answer is not None])


def _accept(session: Session, spelled: bulk.Written, at: datetime) -> None:
    """Settle what servers took, and prove it in one ledger entry: the Merkle root of the digests (DESIGN §12)."""
    bulk.write(session, spelled)
    if spelled.rows is not None:
        rows, count = list(spelled.rows), len(spelled.accepted)
        ledger.record(session, "messages.accepted", at, count=count, rows=rows, batch=spelled.batch, root=spelled.root)


def _count(session: Session, took: Sequence[Done], refused: Sequence[Done]) -> None:
    """Add to the numbers of the mailings what was answered to theirs."""
    accepted, not_taken = (Counter([one.mail.mailing_id for one in answered]) for answered in (took, refused))
    for mailing_id in sorted({one for one in (*accepted, *not_taken) if one is not None}):
        said = {"mailing": mailing_id, "took": accepted[mailing_id], "not_taken": not_taken[mailing_id]}
        session.execute(_COUNT, said)


def _withhold(session: Session, stopped: Sequence[Done], at: datetime) -> None:
    for why in {one.withheld for one in stopped}:
        rows = [one.mail.row for one in stopped if one.withheld is why]
        values = {"state": State.WITHHELD, "withheld": why, "settled_at": at, "due_at": None, "lease_token": None}
        session.execute(update(Message).where(Message.row.in_(rows)).values(**values).execution_options(**_QUIETLY))


def _write(session: Session, one: Done, after: rules.After) -> None:
    """What did not end well, one by one: it is rare, or the server's pace makes it so."""
    mail = one.mail
    values: dict[str, Any] = {"state": after.state, "lease_token": None, "due_at": after.due_at}
    if one.put_off_until is None:
        values["attempts"] = mail.attempts + 1
    if after.state in rules.SETTLED:
        values |= {"settled_at": one.at, "sha256": one.sha256 or None}
    values["turn_at"] = one.put_off_until if one.keeps_turn else None
    if after.keeps_day or mail.is_in_doubt:  # a server may have it, from this try or an earlier: the same bytes again
        values |= {"dated_at": mail.dated_at, "facts": mail.facts}
        values |= {"sent_from": mail.sent_from, "envelope_domain": mail.envelope_domain}
    else:
        values |= {"dated_at": None}
    waits = Message.state.in_((State.QUEUED, State.SENDING))  # what was cancelled on its way stays so
    session.execute(
        update(Message).where(Message.row == mail.row, waits).values(**values).execution_options(**_QUIETLY)
    )


def _of_parcel(session: Session, batch: Batch, change: Update | Delete, **values: Any) -> int:
    """Change the parcel of a batch while it is ours; how many rows that were."""
    result = session.execute(change, {"parcel": batch.parcel, "token": batch.token, **values})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _rows(session: Session, change: Update) -> int:
    result = session.execute(change.execution_options(**_QUIETLY))
    return int(result.rowcount)  # type: ignore[attr-defined]
