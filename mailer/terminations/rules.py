"""The way of a termination, and whether it came in time (S4)."""

from __future__ import annotations

from datetime import date, timedelta
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
REPEAT_DAYS = 30


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
