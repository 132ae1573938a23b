"""How what waits for a person is put in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SOON = 2  # days


@dataclass(frozen=True)
class TimeLeft:
    """The time left, in words, and how it is marked."""

    words: str
    tone: str


def time_left(due_on: date | None, today: date) -> TimeLeft | None:
    """How long something may still wait; None for what has no day."""
    if due_on is None:
        return None
    days = (due_on - today).days
    if days < 0:
        return TimeLeft(f"{_days(-days)} late", "bad")
    if days == 0:
        return TimeLeft("due today", "warn")
    return TimeLeft(f"{_days(days)} left", "warn" if days <= SOON else "quiet")


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
