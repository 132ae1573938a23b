"""A chart shows each day's people once, in shapes that fill their field and in a table that says the same."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mailer.notices import chart
from mailer.notices.figures import Cell, Figures

ZONE = ZoneInfo("Europe/Amsterdam")
RELEASED_ON = date(2026, 11, 2)


def cell(what: str, n: int, told: date | None = None, since: datetime | None = None) -> Cell:
    ends = told + timedelta(days=30) if told else None
    return Cell(what, "mail", "", told, ends, ends + timedelta(days=1) if ends else None, since, n)


def figures(*cells: Cell, today: date) -> Figures:
    return Figures(cells, today)


def test_every_day_shows_everybody_concerned_once() -> None:
    found = figures(
        cell("accepted", 6, date(2026, 11, 3)),
        cell("accepted", 2, date(2026, 11, 5)),
        cell("unreached", 1, since=datetime(2026, 11, 3, 23, 30, tzinfo=UTC)),  # the 4th in Amsterdam
        cell("planned", 1),
        today=date(2026, 11, 6),
    )
    made = chart.told(found, RELEASED_ON, ZONE)
    assert made is not None
    assert made.days == tuple(RELEASED_ON + timedelta(days=at) for at in range(5))
    assert [layer.key for layer in made.layers] == ["open", "unreached", "waiting"]
    assert [counts for _, counts in made.rows] == [[0, 0, 10], [6, 0, 4], [6, 1, 3], [8, 1, 1], [8, 1, 1]]
    assert made.top == 10


def test_the_day_after_the_last_one_the_time_to_answer_is_over() -> None:
    told = date(2026, 11, 3)
    found = figures(cell("accepted", 4, told), today=told + timedelta(days=31))
    made = chart.told(found, RELEASED_ON, ZONE)
    assert made is not None
    rows = dict(made.rows)
    assert [layer.key for layer in made.layers] == ["over", "open", "waiting"]
    assert rows[told + timedelta(days=30)] == [0, 4, 0]
    assert rows[told + timedelta(days=31)] == [4, 0, 0]


def test_answers_add_up_by_day() -> None:
    found = figures(
        cell("accepted", 9, RELEASED_ON),
        cell("deemed", 5, since=datetime(2026, 12, 4, 9, tzinfo=UTC)),
        cell("agreed", 1, since=datetime(2026, 11, 3, 9, tzinfo=UTC)),
        today=date(2026, 12, 5),
    )
    made = chart.answered(found, Counter({date(2026, 11, 4): 2}), RELEASED_ON, ZONE)
    assert made is not None
    assert [layer.key for layer in made.layers] == ["deemed", "agreed", "terminated"]
    assert made.rows[-1] == (date(2026, 12, 5), [5, 1, 2])
    assert dict(made.rows)[date(2026, 11, 3)] == [0, 1, 0]
    assert chart.answered(figures(cell("planned", 3), today=RELEASED_ON), Counter(), RELEASED_ON, ZONE) is None


def test_years_later_the_chart_ends_where_the_story_did() -> None:
    told = date(2026, 11, 3)
    found = figures(cell("accepted", 4, told), today=date(2031, 1, 1))
    made = chart.told(found, RELEASED_ON, ZONE)
    assert made is not None
    assert made.days[-1] == told + timedelta(days=31 + chart.REST_DAYS)


@pytest.mark.parametrize(("days", "columns", "step"), [(1, 1, 1), (60, 60, 1), (61, 31, 2), (365, 53, 7)])
def test_long_stories_are_told_in_longer_steps_that_end_with_the_last_day(days: int, columns: int, step: int) -> None:
    last = RELEASED_ON + timedelta(days=days - 1)
    found = chart.days_of(RELEASED_ON, last)
    assert (len(found), found[-1]) == (columns, last)
    assert all((b - a).days == step for a, b in pairwise(found))


def test_what_happened_between_two_columns_counts_in_the_later_one() -> None:
    days = chart.days_of(RELEASED_ON, RELEASED_ON + timedelta(days=364))
    happened = Counter({days[0] - timedelta(days=9): 1, days[1] - timedelta(days=1): 2, days[-1]: 4})
    found = chart.running(happened, days)
    assert (found[0], found[1], found[-1]) == (1, 3, 7)


def test_the_fullest_column_fills_the_field_and_layers_meet() -> None:
    made = chart.stacked("T", (RELEASED_ON, RELEASED_ON + timedelta(days=1)), {("a", "A"): [1, 3], ("b", "B"): [1, 1]})
    assert made is not None
    boxes = [re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", layer.shape) for layer in made.layers]
    (_, low, _, _), (_, top_of_a, _, high_of_a) = boxes[0]
    (_, b_low, _, b_high_low), (left, b_top, width, b_high) = boxes[1]
    assert (float(low), float(top_of_a) + float(high_of_a)) == (75.0, 100.0)
    assert (float(b_top), float(b_top) + float(b_high)) == (0.0, float(top_of_a))
    assert float(b_low) + float(b_high_low) == float(low)
    assert float(left) + float(width) <= chart.WIDTH


def test_nobody_makes_no_chart() -> None:
    assert chart.told(figures(today=RELEASED_ON), RELEASED_ON, ZONE) is None
    assert chart.stacked("T", (RELEASED_ON,), {("a", "A"): [0]}) is None
