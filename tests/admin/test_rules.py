from datetime import date

import pytest

from mailer.admin.rules import TimeLeft, time_left

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("due_on", "left"),
    [
        (None, None),
        (date(2026, 11, 22), TimeLeft("2 days late", "bad")),
        (date(2026, 11, 23), TimeLeft("1 day late", "bad")),
        (date(2026, 11, 24), TimeLeft("due today", "warn")),
        (date(2026, 11, 25), TimeLeft("1 day left", "warn")),
        (date(2026, 11, 26), TimeLeft("2 days left", "warn")),
        (date(2026, 11, 27), TimeLeft("3 days left", "quiet")),
    ],
)
def test_the_time_left_is_said_in_days(due_on: date | None, left: TimeLeft | None) -> None:
    assert time_left(due_on, TODAY) == left
