"""The calendar of a version names each day once, with its reason, and says what may still move."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from mailer.notices import calendar
from mailer.notices.calendar import Course, Entry
from mailer.notices.figures import Cell, Figures
from mailer.notices.rules import clock_of
from mailer.policies.rules import holidays_of

HOLIDAYS = holidays_of("NL")
EFFECTIVE_ON = date(2027, 1, 8)
TODAY = date(2026, 11, 26)


def told(on: date, n: int = 1) -> Cell:
    mine = clock_of(on, EFFECTIVE_ON, HOLIDAYS)
    return Cell("accepted", "mail", "", on, mine.respond_by_on, mine.binding_on, None, n)


def waits(n: int = 1) -> Cell:
    return Cell("planned", "mail", "", None, None, None, None, n)


def course(*cells: Cell, **more: object) -> Course:
    made = Course(date(2026, 11, 24), EFFECTIVE_ON, Figures(cells, TODAY), HOLIDAYS)
    return replace(made, **more)  # type: ignore[arg-type]


def named(found: list[Entry], title: str) -> Entry:
    [entry] = [entry for entry in found if entry.title == title]
    return entry


def test_days_come_in_their_order_from_the_release_to_the_last_person_bound() -> None:
    found = calendar.entries(course(told(date(2026, 11, 24)), told(date(2026, 11, 26), 3)))
    assert [entry.on for entry in found] == sorted(entry.on for entry in found)
    assert found[0].title == "Released"
    assert named(found, "People were told").until == date(2026, 11, 26)
    window = named(found, "Last days to answer")
    assert (window.on, window.until) == (date(2026, 12, 24), date(2026, 12, 28)), "behind Christmas and its weekend"
    last = named(found, "Binds the last person")
    assert (last.on, last.is_late, last.is_forecast) == (EFFECTIVE_ON, False, False)
    assert named(found, "Last day to tell people in time").on == date(2026, 12, 8)


def test_whoever_is_told_late_is_bound_late_and_counted() -> None:
    found = calendar.entries(course(told(date(2026, 11, 24), 5), told(date(2026, 12, 20), 2)))
    last = named(found, "Binds the last person")
    assert (last.on > EFFECTIVE_ON, last.is_late) == (True, True)
    assert "2 were told too late for Friday 8 January 2027" in last.why


def test_the_forecast_moves_the_last_days_and_says_so() -> None:
    in_time = calendar.entries(course(told(date(2026, 11, 24)), waits(7), finish_on=date(2026, 11, 30)))
    forecast = named(in_time, "Last notice taken")
    assert (forecast.on, forecast.is_forecast, forecast.is_late) == (date(2026, 11, 30), True, False)
    assert named(in_time, "Last day to answer, for the last person").on == date(2026, 12, 30)
    late = calendar.entries(course(told(date(2026, 11, 24)), waits(7), finish_on=date(2026, 12, 20)))
    assert named(late, "Last notice taken").is_late
    bound = named(late, "Binds the last person")
    assert (bound.is_forecast, bound.is_late) == (True, True)


def test_reminders_stand_before_the_last_days_only_where_they_are_sent() -> None:
    with_them = calendar.entries(course(told(date(2026, 11, 24)), remind_days=7))
    reminders = named(with_them, "Reminders")
    assert (reminders.on, reminders.until) == (date(2026, 12, 24) - timedelta(days=7), None)
    assert "Reminders" not in [entry.title for entry in calendar.entries(course(told(date(2026, 11, 24))))]


def test_before_anybody_is_told_only_what_is_certain_stands_there() -> None:
    titles = [entry.title for entry in calendar.entries(course(waits(3)))]
    assert titles == ["Released", "Last day to tell people in time", "Takes effect"]
