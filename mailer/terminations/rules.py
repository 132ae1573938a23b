"""The way of a termination, and whether it came in time (S4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a request to terminate stands."""

    TO_BE_CONFIRMED = "to_be_confirmed"
    FOR_PERSON = "for_person"
    RECORDED = "recorded"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


# Standing against a deemed agreement: what is recorded ends it, what is not decided yet must not be overlooked.
TERMINATES = frozenset({State.RECORDED})
UNDECIDED = frozenset({State.TO_BE_CONFIRMED, State.FOR_PERSON})
TAKEN_BACK = frozenset({State.WITHDRAWN, State.CLOSED})
REPEAT_DAYS = 30
ANSWERS_APART = timedelta(days=7)
ANSWERS_IN_ALL = 3  # by machine, to one person in one case


class Timing(StrEnum):
    """Whether a request came within the person's window."""

    IN_TIME = "in_time"
    LATE = "late"
    NO_WINDOW = "no_window"


def timing(received_on: date, respond_by_on: date | None) -> Timing:
    """Whether a termination received on a local day counts for a window that ends with `respond_by_on`, 24:00.

    A person whose clock does not run is never late.
    """
    if respond_by_on is None:
        return Timing.NO_WINDOW
    return Timing.IN_TIME if received_on <= respond_by_on else Timing.LATE


def is_repeat(state: State, first_on: date, received_on: date) -> bool:
    """Whether a later mail only says again what this request says.

    It does while the request waits, and for 30 days after one that stands. After that the person may have come back
    in the meantime: a second termination is one of its own, with its own receipt, and never swallowed.
    """
    if state in UNDECIDED:
        return True
    return state in TERMINATES and received_on - first_on <= timedelta(days=REPEAT_DAYS)


def may_answer(earlier: Sequence[datetime], at: datetime, *, is_owed: bool) -> bool:
    """Whether a machine may answer a person in a case once more, after its answers at these instants.

    Three in all, and seven days between two, so that nothing can loop. Only a receipt, which is owed once for each
    termination, does not wait out the seven days after a question.
    """
    if len(earlier) >= ANSWERS_IN_ALL:
        return False
    return is_owed or all(at - one >= ANSWERS_APART for one in earlier)


def why_not_withdrawn(state: State) -> str | None:
    """Why a termination cannot be taken back any more, in words; None if it can."""
    if state in TAKEN_BACK:
        return "This termination does not stand any more; nothing was changed."
    return None


def is_offered(state: State, late: Timing, ordinary_at: datetime | None) -> bool:
    """Whether a person may still take up the offer to treat a late termination as an ordinary cancellation."""
    return state is State.RECORDED and late is Timing.LATE and ordinary_at is None
