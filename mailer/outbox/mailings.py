"""What a mailing may do next: pause, go on, be cancelled, keep a pace.

Workers see it at their next look at what they hold, a fraction of a second later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mailer.consent.rules import Withheld
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.queries import HELD
from mailer.outbox.rules import MailingState, MailKind, State

CLEAR = 5_000
COUNTED = ("accepted", "bounced", "complained", "refused")
FASTEST = 3_600_000
WINDOW = timedelta(seconds=20)  # over so long a mailing's pace is measured at least
_QUIETLY = {"synchronize_session": False}


class NotRunning(Conflict):
    """A mailing that cannot do this, as it stands."""


def pause(session: Session, mailing: Mailing, why: str, at: datetime, staff_id: str = "") -> bool:
    """Let nothing of it go out until a person resumes it; False if it is paused or over already."""
    if mailing.paused_at is not None or mailing.cancelled_at is not None:
        return False
    mailing.paused_at, mailing.paused_why = at, why
    session.flush()
    ledger.record(session, "mailing.paused", at, mailing=mailing.id, by=staff_id or "itself")
    return True


def resume(session: Session, mailing: Mailing, at: datetime, staff_id: str) -> None:
    """Let it go on where it stopped; NotRunning if it is not paused."""
    if mailing.paused_at is None or mailing.cancelled_at is not None:
        raise NotRunning("This mailing is not paused; load the page again to see how it stands.")
    mailing.paused_at, mailing.paused_why, mailing.hold_until = None, "", None
    mailing.window_at, mailing.window_count = at, 0  # the pause is no part of its pace
    mailing.vouched = {name: getattr(mailing, name) for name in COUNTED}  # from here on it is judged anew
    session.flush()
    waits = Message.channel == mailing.kind.channel, Message.due_at == HELD, Message.mailing_id == mailing.id
    session.execute(update(Message).where(*waits).values(due_at=at).execution_options(**_QUIETLY))
    ledger.record(session, "mailing.resumed", at, mailing=mailing.id, by=staff_id)


def cancel(session: Session, mailing: Mailing, at: datetime, staff_id: str) -> None:
    """Let nothing more of it go out, ever; `clear` settles what waits. NotRunning if that cannot be said of it."""
    if mailing.cancelled_at is not None:
        raise NotRunning("This mailing is cancelled already.")
    if mailing.kind is MailKind.NOTICE:
        raise NotRunning("A notice cannot be cancelled by its mails: withdraw the version, and those told hear of it.")
    mailing.cancelled_at, mailing.cursor = at, ""
    session.flush()
    ledger.record(session, "mailing.cancelled", at, mailing=mailing.id, by=staff_id)


def set_pace(session: Session, mailing: Mailing, per_hour: int | None, at: datetime, staff_id: str) -> None:
    """At most so many mails an hour; None takes the limit away."""
    if per_hour is not None and not 1 <= per_hour <= FASTEST:
        raise Invalid(f"per_hour: write a number between 1 and {FASTEST:,}, or leave it empty.", field="per_hour")
    mailing.per_hour, mailing.hold_until = per_hour, None
    session.flush()
    ledger.record(session, "mailing.paced", at, mailing=mailing.id, per_hour=per_hour, by=staff_id)


def hold(session: Session, mailing_id: str, until: datetime) -> None:
    """Take nothing more of it in hand before then: its pace is used up."""
    held = update(Mailing).where(Mailing.id == mailing_id).values(hold_until=until)
    session.execute(held.execution_options(**_QUIETLY))


def to_clear(session: Session) -> Sequence[str]:
    """The cancelled mailings whose waiting messages are not settled yet."""
    return session.scalars(
        select(Mailing.id).where(Mailing.cancelled_at.is_not(None), Mailing.state != MailingState.ENDED)
    ).all()


def clear_slice(session: Session, mailing: Mailing, at: datetime, size: int = CLEAR) -> bool:
    """Settle the next slice of a cancelled mailing as withheld; True while more is left.

    What a worker has in hand is settled by that one, at its next look.
    """
    slice_ = select(Message.row, Message.contact_id).where(
        Message.mailing_id == mailing.id, Message.contact_id > mailing.cursor
    )
    found = session.execute(slice_.order_by(Message.contact_id).limit(size)).all()
    if found:
        waits = Message.row.in_([row for row, _ in found]), Message.state == State.QUEUED
        stopped = {"state": State.WITHHELD, "withheld": Withheld.CANCELLED, "settled_at": at, "due_at": None}
        session.execute(update(Message).where(*waits).values(**stopped).execution_options(**_QUIETLY))
        mailing.cursor = found[-1].contact_id or ""
        return True
    free = Parcel.mailing_id == mailing.id, Parcel.lease_token.is_(None)
    session.execute(delete(Parcel).where(*free).execution_options(**_QUIETLY))
    mailing.state = MailingState.ENDED
    return False


def measure(session: Session, at: datetime) -> None:
    """Reckon the pace of each mailing that sends, in mails a second over the last window (at least `WINDOW`)."""
    active = (Mailing.window_count > 0) | (Mailing.per_second > 0)
    for mailing in session.scalars(select(Mailing).where(active).with_for_update(skip_locked=True)):
        since = mailing.window_at or mailing.fanned_out_at or mailing.created_at
        seconds = (at - since).total_seconds()
        if seconds >= WINDOW.total_seconds() or seconds < 0:
            mailing.per_second = mailing.window_count / seconds if seconds > 0 else 0.0
            mailing.window_at, mailing.window_count = at, 0


def left(session: Session, mailing_id: str) -> int:
    """How many messages of a mailing wait or are in hand."""
    waiting = Message.mailing_id == mailing_id, Message.state.in_((State.QUEUED, State.SENDING))
    return session.scalar(select(func.count()).select_from(Message).where(*waiting)) or 0
