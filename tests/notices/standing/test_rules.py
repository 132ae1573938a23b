"""What binds a person and what is pending: tables of cases, reckoned by hand (S2, S4, S5)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mailer.notices.rules import Days, NoticeState
from mailer.notices.standing.rules import Agreed, Bound, Held, Standing, bound_from, stand

JOINED = date(2026, 1, 1)
EFFECTIVE = date(2027, 1, 8)
DAYS = Days(date(2026, 11, 24), date(2026, 12, 24), EFFECTIVE)
LATE = Days(date(2026, 12, 20), date(2027, 1, 19), date(2027, 1, 20))


def held(number: int = 2, **known: Any) -> Held:
    usual = {"effective_on": EFFECTIVE, "is_noticed": True, "state": NoticeState.ACCEPTED, "days": DAYS}
    return Held(f"ver_{number}", "privacy", number, **(usual | known))


FIRST = held(1, effective_on=date(2025, 1, 1), is_noticed=False, state=None, days=None)


@pytest.mark.parametrize(
    ("version", "is_consumer", "day"),
    [
        (FIRST, False, JOINED),
        (held(is_noticed=False, state=None, days=None), False, EFFECTIVE),
        (held(), False, EFFECTIVE),
        (held(days=LATE), False, date(2027, 1, 20)),
        (held(state=NoticeState.PLANNED, days=None), False, None),
        (held(state=NoticeState.UNREACHED, days=None), False, None),
        (held(state=None, days=None), False, None),
        (held(days=None), False, None),
        (held(terminated=True), False, None),
        (held(), True, None),
        (held(deemed=True), True, None),
        (held(agreed_on=date(2026, 12, 1)), True, EFFECTIVE),
        (held(agreed_on=date(2027, 2, 1)), True, date(2027, 2, 1)),
    ],
)
def test_a_version_binds_from_the_persons_own_day(version: Held, is_consumer: bool, day: date | None) -> None:
    assert bound_from(version, JOINED, is_consumer) == day


def test_before_the_day_the_old_version_binds_and_the_new_one_is_pending() -> None:
    second = held()
    assert stand([FIRST, second], JOINED, False, date(2027, 1, 7)) == Standing([Bound(FIRST, JOINED)], [second])
    assert stand([FIRST, second], JOINED, False, EFFECTIVE) == Standing([Bound(second, EFFECTIVE)], [])


def test_a_later_version_waits_for_the_one_it_builds_on() -> None:
    second, third = held(days=LATE), held(3, effective_on=date(2027, 1, 10), is_noticed=False, state=None, days=None)
    day = date(2027, 1, 19)
    assert stand([FIRST, second, third], JOINED, False, day) == Standing([Bound(FIRST, JOINED)], [second, third])
    found = stand([FIRST, second, third], JOINED, False, date(2027, 1, 20))
    assert found == Standing([Bound(third, date(2027, 1, 20))], []), "both bind on the later of the two days"


def test_the_unreached_stay_under_the_old_text_whatever_comes_after() -> None:
    second, third = held(state=NoticeState.UNREACHED, days=None), held(3, is_noticed=False, state=None, days=None)
    found = stand([FIRST, second, third], JOINED, False, date(2030, 1, 1))
    assert (found.binding, found.pending) == ([Bound(FIRST, JOINED)], [second, third])


def test_where_nothing_is_in_force_yet_nothing_binds() -> None:
    assert stand([held(1)], JOINED, False, date(2026, 12, 1)) == Standing([], [held(1)])
    assert stand([], JOINED, False, EFFECTIVE) == Standing([], [])


def test_what_was_said_counts_before_what_is_derived() -> None:
    assert held().agreed is None
    assert held(deemed=True).agreed is Agreed.DEEMED
    assert held(deemed=True, agreed_on=EFFECTIVE).agreed is Agreed.EXPRESSLY


def test_the_window_is_open_to_the_end_of_the_last_day() -> None:
    assert held().may_answer(date(2026, 12, 24))
    assert not held().may_answer(date(2026, 12, 25))
    assert not held(days=None).may_answer(date(2026, 12, 1))
    assert not held(terminated=True).may_answer(date(2026, 12, 1))
