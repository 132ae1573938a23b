"""How a version's notices went, day by day: columns that stand on each other, as shapes for an SVG and as a table.

Pure: numbers in, shapes out. A shape lies in a field of `WIDTH` by `HEIGHT`, which the page stretches as it likes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from mailer.notices import figures
from mailer.notices.figures import Figures
from mailer.notices.rules import NoticeState

WIDTH, HEIGHT = 1000, 100
GAP = 0.15
MOST_COLUMNS = 60
REST_DAYS = 3


@dataclass(frozen=True)
class Layer:
    """One kind of people: how many there were at the end of each day."""

    key: str
    label: str
    counts: tuple[int, ...]
    shape: str = ""


@dataclass(frozen=True)
class Chart:
    """Layers from the ground up; `top` people reach to the upper edge."""

    title: str
    days: tuple[date, ...]
    layers: tuple[Layer, ...]
    top: int

    @property
    def marks(self) -> tuple[date, ...]:
        """The days to write below: first, middle, last."""
        return tuple(dict.fromkeys((self.days[0], self.days[len(self.days) // 2], self.days[-1])))

    @property
    def rows(self) -> list[tuple[date, list[int]]]:
        """The same as a table: a row a column."""
        return [(day, [layer.counts[at] for layer in self.layers]) for at, day in enumerate(self.days)]


def days_of(first: date, last: date, most: int = MOST_COLUMNS) -> tuple[date, ...]:
    """Up to `most` days at even distance that end with `last`; every day where that is few enough."""
    step = max(1, -(-((last - first).days + 1) // most))
    back = range(0, (last - first).days + 1, step)
    return tuple(last - timedelta(days=days) for days in reversed(back))


def told(found: Figures, released_on: date, zone: ZoneInfo) -> Chart | None:
    """Where everybody concerned stood at the end of each day, as they stand today; None if nobody is concerned."""
    days = _days(found, released_on)
    told_by = running(found.told_on(), days)
    over = running(Counter({end + timedelta(days=1): n for end, n in found.window_ends_on().items()}), days)
    unreached = running(found.since_on(zone, NoticeState.UNREACHED), days)
    ended = running(found.since_on(zone, NoticeState.ENDED), days)
    still = [a - b for a, b in zip(told_by, over, strict=True)]
    known = zip(told_by, unreached, ended, strict=True)
    waiting = [found.totals.concerned - sum(each) for each in known]
    layers = {
        ("over", "told, time to answer is over"): over,
        ("open", "told, may still answer"): still,
        ("unreached", "not reached"): unreached,
        ("ended", "ended"): ended,
        ("waiting", "not told yet"): waiting,
    }
    return stacked("Who was told, day by day", days, layers)


def answered(found: Figures, terminated_on: Counter[date], released_on: date, zone: ZoneInfo) -> Chart | None:
    """Who agreed and who terminated by the end of each day; None while nobody did either."""
    days = _days(found, released_on, terminated_on)
    layers = {
        ("deemed", "deemed to agree"): running(found.since_on(zone, figures.DEEMED), days),
        ("agreed", "agreed by a click"): running(found.since_on(zone, figures.AGREED), days),
        ("terminated", "terminated"): running(terminated_on, days),
    }
    return stacked("Who agreed and who terminated, day by day", days, layers)


def running(counted: Counter[date], days: Sequence[date]) -> list[int]:
    """How many there are by the end of each of these days."""
    added = [sum(n for day, n in counted.items() if day <= days[0])]
    for before, until in pairwise(days):
        added.append(sum(n for day, n in counted.items() if before < day <= until))
    return list(accumulate(added))


def stacked(title: str, days: tuple[date, ...], counts: Mapping[tuple[str, str], Sequence[int]]) -> Chart | None:
    """A chart of these layers, those left out in which nobody ever is; None if all are."""
    shown = {name: row for name, row in counts.items() if any(row)}
    if not shown:
        return None
    top = max(sum(column) for column in zip(*shown.values(), strict=True))
    grounds = [0] * len(days)
    layers = []
    for (key, label), row in shown.items():
        layers.append(Layer(key, label, tuple(row), _shape(grounds, row, top)))
        grounds = [ground + n for ground, n in zip(grounds, row, strict=True)]
    return Chart(title, days, tuple(layers), top)


def _days(found: Figures, released_on: date, more: Counter[date] | None = None) -> tuple[date, ...]:
    """The days from the release until today, or until a little after the last of them on which something happens."""
    ends = [span.last for name in ("notified_on", "binding_on") if (span := found.span(name))]
    ends += [day for day in more or () if day <= found.today]
    agreed = [cell.since.date() for cell in found.cells if cell.since]
    last = min(found.today, max([released_on, *ends, *agreed]) + timedelta(days=REST_DAYS))
    starts = [span.first] if (span := found.span("notified_on")) else []
    return days_of(min(released_on, last, *starts), last)


def _shape(grounds: Sequence[int], counts: Sequence[int], top: int) -> str:
    """The path of one layer: a box a column."""
    wide = WIDTH / len(counts)
    boxes = []
    for at, (ground, n) in enumerate(zip(grounds, counts, strict=True)):
        if n > 0:
            left, width = (at + GAP / 2) * wide, (1 - GAP) * wide
            upper, high = HEIGHT * (1 - (ground + n) / top), HEIGHT * n / top
            boxes.append(f"M{left:.1f} {upper:.2f}h{width:.1f}v{high:.2f}h-{width:.1f}z")
    return "".join(boxes)
