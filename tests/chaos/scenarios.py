"""Every scenario by its name, in full and in the short form that CI plays."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

from tests.chaos import crowding, kills, leaving, postgres, standing_still, trouble, without_redis, writing
from tests.chaos.house import Scene, house
from tests.chaos.proof import Told

A_MOMENT = 0.02  # seconds of a round trip


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


IN_ONE_HOUSE = ("leaving", "crowding", "flushed", "locked", "clock_back")  # in this order, in the short form


def play_in_one_house() -> list[Told]:
    """The short form of those that need no house of their own, one after the other: to start one takes longest."""
    people = leaving.SHORT.mails
    with house(sweep_seconds=1) as here:
        author = writing.add_people(people)
        with here.up():
            scene = Scene(here, author, people)
            told = [leaving.leave(scene, leaving.SHORT)]
            here.sink.delay(A_MOMENT)
            told += [crowding.crowd(scene), without_redis.flush(scene)]
            told += [trouble.lock(scene, trouble.SHORT), trouble.set_back(scene, trouble.SHORT)]
    return told


def play(name: str, size: Size) -> Told:
    """Play one and give what it came to."""
    return _PLAYS[name][size]()


def why_not(name: str) -> str:
    """Why a scenario cannot be played here; empty if it can."""
    if name == "disk_full" and not trouble.may_mount():
        return "this user may not mount a small disk to fill; root may"
    return ""
