"""What is asked of the pace and what it answers: plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailer.delivery.pacing import rules
from mailer.errors import Invalid


class Bound(StrEnum):
    """What holds a mail back."""

    ROUTE = "route"
    DOMAIN = "domain"
    MAILING = "mailing"
    WARM_UP = "warm_up"


class BadPace(Invalid):
    """A pace that nothing can go at."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many mails a second of one route, recipient domain or mailing. What has no limit has no `Limit`."""

    name: str
    per_second: float

    def __post_init__(self) -> None:
        _check(self.name, self.per_second)


@dataclass(frozen=True, slots=True)
class DayLimit:
    """At most `limit` mails of a sending domain on `day`, which ends at `ends_at`."""

    name: str
    day: date
    limit: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """One mail that wants to go, with the limits it stands under.

    `turn_at` is the time it was put off to, if it was: its recipient's domain let it go then and is not asked again.
    """

    route: str
    route_pace: float | None = None
    domain: Limit | None = None
    mailing: Limit | None = None
    day: DayLimit | None = None
    turn_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.route_pace is not None:
            _check(self.route, self.route_pace)

    def limits(self, at: datetime) -> Iterator[tuple[Bound, str, float]]:
        """What is asked: the kind, the bucket's name, mails a second."""
        if self._asks_domain(at) and self.domain is not None:
            yield Bound.DOMAIN, domain_on(self.route, self.domain.name), self.domain.per_second
        if self.route_pace is not None:
            yield Bound.ROUTE, self.route, self.route_pace
        if self.mailing is not None:
            yield Bound.MAILING, self.mailing.name, self.mailing.per_second

    def is_limited(self, at: datetime) -> bool:
        """Whether anything must be asked for it."""
        lane = self.route_pace is not None or self.mailing is not None or self.day is not None
        return lane or self._asks_domain(at)

    def _asks_domain(self, at: datetime) -> bool:
        return self.domain is not None and not (self.turn_at is not None and rules.turn_holds(self.turn_at, at))


def _check(name: str, pace: float) -> None:
    if not 0 < pace < float("inf"):
        raise BadPace(f"{name}: a pace of {pace} mails a second cannot be kept; give more than 0.")


def domain_on(route: str, domain: str) -> str:
    """The name of a recipient domain's bucket: each route has its own, so that no lane waits for another."""
    return f"{route}:{domain}"


@dataclass(frozen=True, slots=True)
class Turn:
    """When one mail may go.

    `is_kept`: it may go at `at`, and that place is its own. Otherwise nothing is kept for it: ask again at `at`.
    `bound` says what it waits for, if it waits.
    """

    at: datetime
    is_kept: bool = True
    bound: Bound | None = None

    def is_put_off(self, at: datetime) -> bool:
        """Whether this mail alone waits, for its recipient's domain, and too long to be held: its row is put off.

        All others go within `rules.AHEAD`, or wait with all that are like them.
        """
        return self.bound is Bound.DOMAIN and not (self.is_kept and self.at <= at + rules.AHEAD)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody can say when a mail may go. Nothing is to go; ask again at `ask_at`."""

    words: str
    ask_at: datetime
