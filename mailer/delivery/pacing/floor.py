"""The floor: the pace of essential mail while Redis is away, kept by each process for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from mailer.delivery.pacing import rules
from mailer.delivery.pacing.wishes import Bound, Turn, Wish

FLOOR = 10.0  # mails a second and process: no receiver minds, and 10,000 notices are out in a quarter of an hour
KEPT = 1_000  # buckets, then those at rest are forgotten


class Floor:
    """Buckets of this process alone. No slow start and no day's number: both need the memory that is away."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def __len__(self) -> int:
        """How many buckets it remembers."""
        return len(self._next)

    def turns(self, wishes: Sequence[Wish], at: datetime, seconds: float) -> list[Turn]:
        """A turn for each wish; `seconds` is a clock that never goes back."""
        if len(self._next) > KEPT:
            self._next = {name: free for name, free in self._next.items() if free > seconds}
        return [self._turn(wish, at, seconds) if wish.is_limited(at) else Turn(at) for wish in wishes]

    def _turn(self, wish: Wish, at: datetime, seconds: float) -> Turn:
        buckets = list(_buckets(wish, at))
        bound, free = None, seconds
        for kind, name, _ in buckets:
            if self._next.get(name, seconds) > free:
                bound, free = kind, self._next[name]
        ahead = rules.AHEAD.total_seconds()
        if free - seconds > ahead:
            return Turn(at + timedelta(seconds=free - seconds - ahead / 2), is_kept=False, bound=bound)
        for _, name, rate in buckets:
            self._next[name] = max(self._next.get(name, seconds), seconds) + 1 / rate
        return Turn(at + timedelta(seconds=free - seconds), bound=bound)


def _buckets(wish: Wish, at: datetime) -> Iterator[tuple[Bound, str, float]]:
    yield Bound.ROUTE, "", FLOOR
    for bound, name, pace in wish.limits(at):
        yield bound, f"{bound}:{name}", pace
