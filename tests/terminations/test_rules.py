"""Whether a termination came in time, and whether a later mail says the same again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from mailer.terminations.rules import (
    TAKEN_BACK,
    TERMINATES,
    UNDECIDED,
    State,
    Timing,
    is_offered,
    is_repeat,
    may_answer,
    timing,
    why_not_withdrawn,
)


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


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("days_ago", "is_owed", "expected"),
    [
        ((), False, True),
        ((6,), False, False),
        ((7,), False, True),
        ((20, 6), False, False),
        ((20, 8), False, True),
        ((30, 20, 10), False, False),
        ((1,), True, True),
        ((30, 20, 10), True, False),
    ],
)
def test_how_often_a_machine_answers(days_ago: tuple[int, ...], is_owed: bool, expected: bool) -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    assert may_answer([at - days * DAYS for days in days_ago], at, is_owed=is_owed) is expected


@pytest.mark.parametrize("state", State)
def test_what_stands_or_waits_can_be_taken_back(state: State) -> None:
    assert (why_not_withdrawn(state) is None) is (state not in TAKEN_BACK)


@pytest.mark.parametrize(
    ("state", "when", "is_taken", "expected"),
    [
        (State.RECORDED, Timing.LATE, False, True),
        (State.RECORDED, Timing.LATE, True, False),
        (State.RECORDED, Timing.IN_TIME, False, False),
        (State.TO_BE_CONFIRMED, Timing.LATE, False, False),
        (State.WITHDRAWN, Timing.LATE, False, False),
    ],
)
def test_a_late_one_that_stands_is_offered_once(state: State, when: Timing, is_taken: bool, expected: bool) -> None:
    taken_at = datetime(2026, 12, 26, tzinfo=UTC) if is_taken else None
    assert is_offered(state, when, taken_at) is expected
