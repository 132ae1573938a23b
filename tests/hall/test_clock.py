"""Instants are UTC, legal days are the company's (DESIGN §5, TRAPS 21)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailer import clock
from mailer.clock import ClockNotMovable
from mailer.db import UtcDateTime
from tests.conftest import Configure

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-28T22:59:59+00:00", date(2026, 3, 28)),
        ("2026-03-28T23:00:00+00:00", date(2026, 3, 29)),
        ("2026-03-29T21:59:59+00:00", date(2026, 3, 29)),  # the day of 23 hours
        ("2026-03-29T22:00:00+00:00", date(2026, 3, 30)),
        ("2026-10-25T22:59:59+00:00", date(2026, 10, 25)),  # the day of 25 hours
        ("2026-10-25T23:00:00+00:00", date(2026, 10, 26)),
    ],
)
def test_a_local_day_follows_the_clock_change(instant: str, day: date) -> None:
    assert clock.local_day(datetime.fromisoformat(instant), AMSTERDAM) == day


def test_a_day_begins_at_local_midnight_in_utc() -> None:
    spring, next_day = clock.midnight(date(2026, 3, 29), AMSTERDAM), clock.midnight(date(2026, 3, 30), AMSTERDAM)
    assert spring == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert next_day - spring == timedelta(hours=23)


def test_only_the_demo_moves_its_clock_and_it_goes_on_from_there(configure: Configure) -> None:
    with pytest.raises(ClockNotMovable):
        clock.move_to(clock.now() + timedelta(days=1))
    configure(demo=True)
    there = clock.now() + timedelta(days=40)
    clock.move_to(there)
    assert timedelta() <= clock.now() - there < timedelta(seconds=5)
    configure(demo=False)
    assert clock.now() < there - timedelta(days=39), "outside the demo the file means nothing"


def test_an_instant_without_a_time_zone_is_refused_by_the_database() -> None:
    column = UtcDateTime()
    with pytest.raises(ValueError, match="time zone"):
        column.process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]  # noqa: DTZ001
    kept = column.process_bind_param(datetime(2026, 1, 1, 12, tzinfo=AMSTERDAM), None)  # type: ignore[arg-type]
    assert kept == datetime(2026, 1, 1, 11, tzinfo=UTC)
