"""Where an inbound mail stands on the way from the door to the desk, and how long a person has (S8)."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta
from enum import StrEnum

from mailer.policies.rules import is_day_off

RIGHTS_WORKING_DAYS = 10


class DeskState(StrEnum):
    """Kept as bytes; settled by the machine; waiting for a person; decided by a person."""

    KEPT = "kept"
    SETTLED = "settled"
    FOR_PERSON = "for_person"
    DECIDED = "decided"


def rights_due(received_on: date, holidays: Container[date]) -> date:
    """The last day to answer a request about one's own data: 10 working days, the day of receipt not counted (S8)."""
    day, left = received_on, RIGHTS_WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= not is_day_off(day, holidays)
    return day
