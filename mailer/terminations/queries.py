"""Find terminations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Select, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from mailer import signing
from mailer.consent.rules import Withheld
from mailer.errors import NotFound
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.outbox.rules import State as MessageState
from mailer.staff.models import Task
from mailer.terminations.models import Termination
from mailer.terminations.rules import TERMINATES, UNDECIDED, State, Timing, is_repeat

CONFIRM, ORDINARY = "confirm-termination", "ordinary-termination"

RECEIPTS_AT_MOST = 50  # of one termination, all but the last stopped before they went out

ANSWERS = (MailKind.TERMINATION_RECEIPT, MailKind.TERMINATION_CONFIRM)


class NoSuchTermination(NotFound):
    """No termination has this id."""


def by_token(session: Session, token: str, purpose: str = CONFIRM) -> Termination:
    """The termination that a link of ours concerns; BadToken on anything forged."""
    found = session.get(Termination, signing.read(purpose, token))
    if found is None:
        raise NoSuchTermination(
            "This link is not one of ours, or it was cut off. Open it again from the mail it came in."
        )
    return found


def get(session: Session, termination_id: str) -> Termination:
    """The termination with this id."""
    found = session.get(Termination, termination_id)
    if found is None:
        raise NoSuchTermination("There is no such termination here; look it up on the person's page.")
    return found


def by_source(session: Session, source_id: str) -> Termination | None:
    """The termination that came of one mail or webhook."""
    return session.scalar(select(Termination).where(Termination.source_id == source_id))


def recorded_at(session: Session, contact_id: str, at: datetime) -> Termination | None:
    """The termination of a person that a colleague's decision of this very instant recorded."""
    then = Termination.contact_id == contact_id, Termination.recorded_at == at, Termination.decided_by.is_not(None)
    return session.scalar(select(Termination).where(*then))


def find_first(session: Session, contact_id: str, version_id: str | None, received_on: date) -> Termination | None:
    """The request that a mail of this day repeats; a mail about no version in particular may repeat any of them."""
    query = select(Termination).where(Termination.contact_id == contact_id)
    if version_id is not None:
        query = query.where(Termination.version_id == version_id)
    earlier = session.scalars(query.order_by(Termination.received_at, Termination.id))
    return next((one for one in earlier if is_repeat(one.state, one.received_on, received_on)), None)


def answered_at(session: Session, contact_id: str, version_id: str | None) -> Sequence[datetime]:
    """When a machine answered this person in this case: each receipt and each question, oldest first."""
    case = select(Termination.id).where(Termination.contact_id == contact_id, Termination.version_id == version_id)
    begins = [f"{kind}/{one}" for one in session.scalars(case) for kind in ANSWERS]
    if not begins:
        return ()
    put = select(Message.created_at).where(Message.contact_id == contact_id, Message.kind.in_(ANSWERS))
    keyed = or_(*(Message.key.startswith(begin, autoescape=True) for begin in begins))
    return session.scalars(put.where(keyed).order_by(Message.created_at)).all()


def unanswered(session: Session, before: datetime) -> Sequence[Termination]:
    """The requests of before an instant that still wait for a press at the primary address, and for nobody else."""
    waiting = Termination.state == State.TO_BE_CONFIRMED, Termination.received_at <= before
    is_shown = exists().where(Task.key == literal("termination/") + Termination.id)
    return session.scalars(select(Termination).where(*waiting, ~is_shown).order_by(Termination.id)).all()


def receipts(termination_id: str) -> Select[int]:
    """The rows of every receipt of a termination; by whole keys, for no index finds the beginning of one."""
    first = f"{MailKind.TERMINATION_RECEIPT}/{termination_id}"
    ends = ["", *(f"/{number}" for number in range(2, RECEIPTS_AT_MOST + 1))]
    keys = [f"{begin}{end}" for begin in (first, f"{first}/corrected") for end in ends]
    return select(Message.row).where(Message.key.in_(keys))


def stopped_receipts(session: Session, termination_id: str) -> int:
    """How many receipts of a termination were stopped before they went out."""
    stopped = Message.row.in_(receipts(termination_id)), Message.withheld == Withheld.CANCELLED
    return session.scalar(select(func.count()).select_from(Message).where(*stopped)) or 0


def has_live_receipt(session: Session, termination_id: str) -> bool:
    """Whether a receipt of a termination has gone out, or is going."""
    live = Message.row.in_(receipts(termination_id)), Message.state != MessageState.WITHHELD
    return session.scalar(select(Message.row).where(*live).limit(1)) is not None


def recorded(version_id: str) -> Select[str]:
    """The contacts who terminated over this version, or altogether."""
    return _contacts(version_id).where(Termination.state.in_(TERMINATES))


def in_time_among(session: Session, version_id: str, contact_ids: Collection[str]) -> set[str]:
    """Those of these contacts who terminated over this version, or altogether, and not too late to stay unbound."""
    among = Termination.contact_id.in_(contact_ids), Termination.timing != Timing.LATE
    return set(session.scalars(recorded(version_id).where(*among))) if contact_ids else set()


def undecided(version_id: str) -> Select[str]:
    """The contacts whose mail may be a termination; nobody may overlook it."""
    return _contacts(version_id).where(Termination.state.in_(UNDECIDED))


def _contacts(version_id: str) -> Select[str]:
    concerns = or_(Termination.version_id == version_id, Termination.version_id.is_(None))
    return select(Termination.contact_id).where(concerns)
