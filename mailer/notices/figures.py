"""The numbers of a version's notices, added up from counts that triggers keep: as quick for a million as for ten.

People are counted as they stand; a day is a legal day, or an instant told by the company's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import cast, delete, func, insert, select
from sqlalchemy.orm import Session

from mailer import db
from mailer.clock import local_day
from mailer.consent.rules import Withheld
from mailer.db import BigInt
from mailer.notices.models import NoticeCount
from mailer.notices.rules import NoticeState

DEEMED, AGREED = "deemed", "agreed"
REFUSED, BOUNCED = "refused", "bounced"
WITHHELD = (
    Withheld.ERASED,
    Withheld.DEAD_ADDRESS,
    Withheld.NO_ADDRESS,
    Withheld.SUPPRESSED,
    Withheld.CLOSED,
    Withheld.CANCELLED,
)
CELL = (
    NoticeCount.version_id,
    NoticeCount.what,
    NoticeCount.via,
    NoticeCount.reason,
    NoticeCount.notified_on,
    NoticeCount.respond_by_on,
    NoticeCount.binding_on,
    NoticeCount.since,
)
N = cast(func.sum(NoticeCount.n), BigInt)


@dataclass(frozen=True)
class Cell:
    """So many (`n`) notices of a version, or agreements to it, that are alike; see `NoticeCount`."""

    what: str
    via: str
    reason: str
    notified_on: date | None
    respond_by_on: date | None
    binding_on: date | None
    since: datetime | None
    n: int


@dataclass(frozen=True)
class Totals:
    """How many people a version's notice concerns, and where they stand."""

    planned: int = 0
    accepted: int = 0
    unreached: int = 0
    ended: int = 0
    deemed: int = 0
    agreed: int = 0

    @property
    def concerned(self) -> int:
        return self.planned + self.accepted + self.unreached + self.ended


@dataclass(frozen=True)
class Span:
    """The first and the last of some days."""

    first: date
    last: date


@dataclass(frozen=True)
class Figures:
    """All there is to say in numbers of one version on a day."""

    cells: tuple[Cell, ...]
    today: date

    @property
    def totals(self) -> Totals:
        return Totals(**_by(self.cells, lambda cell: cell.what))

    @property
    def unreached_by_reason(self) -> dict[str, int]:
        """Why people are unreached, most first: `refused`, `bounced`, or the word of why no mail was sent."""
        why = _by(self._of(NoticeState.UNREACHED), lambda cell: cell.reason)
        return dict(sorted(why.items(), key=lambda item: (-item[1], item[0])))

    @property
    def told_by_via(self) -> dict[str, int]:
        """By what people were told: mail, announcement, letter."""
        return _by(self._of(NoticeState.ACCEPTED), lambda cell: cell.via)

    @property
    def may_answer(self) -> int:
        """Those told whose last day is not over."""
        return self._count(lambda cell: cell.respond_by_on is not None and cell.respond_by_on >= self.today)

    @property
    def bound(self) -> int:
        """Those told whom the version binds by today."""
        return self._count(lambda cell: cell.binding_on is not None and cell.binding_on <= self.today)

    def bound_later_than(self, effective_on: date) -> int:
        """Those told too late for the version to bind them on its day."""
        return self._count(lambda cell: cell.binding_on is not None and cell.binding_on > effective_on)

    def span(self, day: str) -> Span | None:
        """The first and last `notified_on`, `respond_by_on` or `binding_on` of those told; None if nobody was."""
        days = [getattr(cell, day) for cell in self._of(NoticeState.ACCEPTED)]
        return Span(min(days), max(days)) if days else None

    def told_on(self) -> Counter[date]:
        """How many of those told were told on each day."""
        return self._daily(lambda cell: cell.notified_on, NoticeState.ACCEPTED)

    def window_ends_on(self) -> Counter[date]:
        """How many of those told have each day as their last one."""
        return self._daily(lambda cell: cell.respond_by_on, NoticeState.ACCEPTED)

    def since_on(self, zone: ZoneInfo, *whats: str) -> Counter[date]:
        """How many came to be unreached or ended, or agreed, on each day of the company's."""
        return self._daily(lambda cell: local_day(cell.since, zone) if cell.since else None, *whats)

    def _of(self, *whats: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.what in whats]

    def _count(self, is_meant: Callable[[Cell], bool]) -> int:
        return sum(cell.n for cell in self._of(NoticeState.ACCEPTED) if is_meant(cell))

    def _daily(self, day_of: Callable[[Cell], date | None], *whats: str) -> Counter[date]:
        found: Counter[date] = Counter()
        for cell in self._of(*whats):
            day = day_of(cell)
            if day is not None:
                found[day] += cell.n
        return found


def of(session: Session, version_id: str, today: date) -> Figures:
    """The figures of one version."""
    query = select(*CELL[1:], N).where(NoticeCount.version_id == version_id).group_by(*CELL).having(N != 0)
    return Figures(tuple(Cell(*row) for row in session.execute(query)), today)


def totals(session: Session, version_ids: Collection[str]) -> dict[str, Totals]:
    """The totals of several versions."""
    query = select(NoticeCount.version_id, NoticeCount.what, N).where(NoticeCount.version_id.in_(version_ids))
    found: dict[str, dict[str, int]] = {version_id: {} for version_id in version_ids}
    for version_id, what, count in session.execute(query.group_by(NoticeCount.version_id, NoticeCount.what)):
        found[version_id][what] = count
    return {version_id: Totals(**counts) for version_id, counts in found.items()}


def fold(session: Session) -> None:
    """Add up what the triggers wrote row by row, so that reading stays quick. Safe beside anything else."""
    if not db.is_postgresql(session):  # a cell is one row there; only empty ones are in the way
        session.execute(delete(NoticeCount).where(NoticeCount.n == 0))
        return
    gone = delete(NoticeCount).returning(*CELL, NoticeCount.n).cte("gone")
    columns = list(chain(gone.c))
    n = cast(func.sum(columns[-1]), BigInt)
    added = select(*columns[:-1], n).group_by(*columns[:-1]).having(n != 0)
    session.execute(insert(NoticeCount).from_select([*CELL, NoticeCount.n], added))


def _by(cells: Collection[Cell], key: Callable[[Cell], str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for cell in cells:
        found[key(cell)] += cell.n
    return dict(found)
