"""What happens when with one version: each day with the reason why it is that one. Pure: days in, words out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from mailer.notices import rules
from mailer.notices.figures import Figures, Span
from mailer.policies.rules import NOTICE_DAYS, say


@dataclass(frozen=True)
class Entry:
    """A day of the calendar; `until` ends a run of days, `is_forecast` says that it may still move."""

    on: date
    title: str
    why: str
    until: date | None = None
    is_forecast: bool = False
    is_late: bool = False


@dataclass(frozen=True)
class Course:
    """What is known of the way of a version.

    `finish_on` is when the last mail that waits will be taken, None where nobody can say or none waits;
    `remind_days` how many days before their last one people are reminded, 0 for never.
    """

    released_on: date
    effective_on: date
    figures: Figures
    holidays: Container[date]
    finish_on: date | None = None
    remind_days: int = 0


def entries(course: Course) -> list[Entry]:
    """The days in their order."""
    found = [Entry(course.released_on, "Released", "The text is public from here on and never changes.")]
    found += _telling(course)
    found += _answering(course)
    found += _binding(course)
    return sorted(found, key=lambda entry: entry.on)  # of one day as they stand above


def _telling(course: Course) -> list[Entry]:
    in_time = rules.last_day_to_tell(course.effective_on, course.holidays)
    told, waits = course.figures.span("notified_on"), course.figures.totals.planned
    found = []
    if told is not None:
        last = f"{waits:,} still wait." if waits else "Nobody waits any more."
        title = "People were told" if not waits else "People are being told"
        found.append(Entry(told.first, title, f"Each person’s own days count from there. {last}", _until(told)))
    if waits and course.finish_on is not None:
        words = f"At the present pace the last of {waits:,} that wait goes out then."
        found.append(
            Entry(course.finish_on, "Last notice taken", words, is_forecast=True, is_late=course.finish_on > in_time)
        )
    words = (
        f"{NOTICE_DAYS} days after it, moved to a working day, end before {say(course.effective_on)}. "
        "Whoever is told later is bound later."
    )
    found.append(Entry(in_time, "Last day to tell people in time", words))
    return found


def _answering(course: Course) -> list[Entry]:
    window, forecast = course.figures.span("respond_by_on"), _clock_of_the_last(course)
    found = []
    if window is not None and course.remind_days:
        ahead = timedelta(days=course.remind_days)
        words = (
            f"{course.remind_days} days before each person’s last day; not to those who answered or were not reached."
        )
        found.append(
            Entry(window.first - ahead, "Reminders", words, _until(Span(window.first - ahead, window.last - ahead)))
        )
    if window is not None:
        words = f"The {NOTICE_DAYS}th day after each person was told, moved to a working day; it ends at 24:00."
        title = "Last days to answer" if window.first != window.last else "Last day to answer"
        found.append(Entry(window.first, title, words, _until(window)))
    if forecast is not None and (window is None or forecast.respond_by_on > window.last):
        words = "Of whoever’s notice is taken last, if the forecast holds."
        found.append(Entry(forecast.respond_by_on, "Last day to answer, for the last person", words, is_forecast=True))
    return found


def _binding(course: Course) -> list[Entry]:
    effective_on, binding = course.effective_on, course.figures.span("binding_on")
    found = [
        Entry(effective_on, "Takes effect", "The day that was released. It binds nobody before their window is over.")
    ]
    forecast = _clock_of_the_last(course)
    last = max((day for day in (binding and binding.last, forecast and forecast.binding_on) if day), default=None)
    if last is not None:
        is_forecast = binding is None or last > binding.last
        late = course.figures.bound_later_than(effective_on)
        words = "The later of that day and the day after each person’s last day to answer."
        if late:
            words += f" {late:,} were told too late for {say(effective_on)} and are bound after it."
        found.append(Entry(last, "Binds the last person", words, is_forecast=is_forecast, is_late=last > effective_on))
    return found


def _clock_of_the_last(course: Course) -> rules.Clock | None:
    """The days of whoever will be told last, by forecast."""
    if course.finish_on is None or not course.figures.totals.planned:
        return None
    return rules.clock_of(course.finish_on, course.effective_on, course.holidays)


def _until(span: Span) -> date | None:
    return span.last if span.last != span.first else None
