"""Whether a termination came in time, and whether a later mail says the same again."""

from __future__ import annotations

from datetime import date

import pytest

from mailer.terminations.rules import TERMINATES, UNDECIDED, State, Timing, is_repeat, timing


@pytest.mark.parametrize(
    ("received_on", "respond_by_on", "expected"),
    [
        (date(2026, 12, 24), date(2026, 12, 24), Timing.IN_TIME),
        (date(2026, 11, 24), date(2026, 12, 24), Timing.IN_TIME),
        (date(2026, 12, 25), date(2026, 12, 24), Timing.LATE),
        (date(2030, 1, 1), None, Timing.NO_WINDOW),
    ],
)
def test_the_last_day_still_counts(received_on: date, respond_by_on: date | None, expected: Timing) -> None:
    assert timing(received_on, respond_by_on) is expected


@pytest.mark.parametrize(
    ("state", "days", "expected"),
    [
        (State.TO_BE_CONFIRMED, 0, True),
        (State.TO_BE_CONFIRMED, 300, True),
        (State.FOR_PERSON, 300, True),
        (State.RECORDED, 0, True),
        (State.RECORDED, 30, True),
        (State.RECORDED, 31, False),
        (State.CLOSED, 0, False),
        (State.WITHDRAWN, 0, False),
    ],
)
def test_what_a_later_mail_repeats(state: State, days: int, expected: bool) -> None:
    first_on = date(2026, 1, 1)
    assert is_repeat(state, first_on, date.fromordinal(first_on.toordinal() + days)) is expected


def test_no_state_both_terminates_and_waits() -> None:
    assert not TERMINATES & UNDECIDED
