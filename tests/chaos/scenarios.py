"""Every scenario by its name, in full and in the short form that CI plays."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

from tests.chaos import crowding, kills, leaving, postgres, standing_still, trouble, without_redis
from tests.chaos.proof import Told


class Size(StrEnum):
    """How much of it."""

    SHORT = "short"
    FULL = "full"


def _kills_on_postgresql(plan: kills.Plan) -> Told:
    with postgres.running() as server:
        return kills.run(plan, server)


_LISTED: tuple[tuple[str, Callable[[Any], Told], object, object], ...] = (
    ("kills", kills.run, kills.SHORT, kills.FULL),
    ("kills_postgresql", _kills_on_postgresql, kills.SHORT, kills.FULL),
    ("flushed", without_redis.flushed, without_redis.SHORT, without_redis.FULL),
    ("redis_away", without_redis.away, without_redis.SHORT, without_redis.FULL),
    ("standing_still", standing_still.run, standing_still.SHORT, standing_still.FULL),
    ("leaving", leaving.run, leaving.SHORT, leaving.FULL),
    ("crowding", crowding.run, crowding.SHORT, crowding.FULL),
    ("disk_full", trouble.disk_full, trouble.SHORT, trouble.FULL),
    ("locked", trouble.database_locked, trouble.SHORT, trouble.FULL),
    ("clock_back", trouble.clock_back, trouble.SHORT, trouble.FULL),
)
_PLAYS = {
    name: {Size.SHORT: partial(play, short), Size.FULL: partial(play, full)} for name, play, short, full in _LISTED
}
NAMES = tuple(_PLAYS)


def play(name: str, size: Size) -> Told:
    """Play one and give what it came to."""
    return _PLAYS[name][size]()


def why_not(name: str) -> str:
    """Why a scenario cannot be played here; empty if it can."""
    if name == "disk_full" and not trouble.may_mount():
        return "this user may not mount a small disk to fill; root may"
    return ""
