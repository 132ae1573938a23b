"""Sort the mails of a batch: which go now and by which route, which are put off, which wait with their lane."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mailer import clock, settings
from mailer.consent.rules import Channel
from mailer.delivery import routes as all_routes
from mailer.delivery.pacing import buckets, rules
from mailer.delivery.pacing.breaker import Breakers
from mailer.delivery.pacing.buckets import Buckets
from mailer.delivery.pacing.wishes import Bound, DayLimit, Limit, Turn, Unavailable, Wish
from mailer.delivery.routes import Route
from mailer.outbox.outgoing import Done, Outgoing


class Placed(NamedTuple):
    """A mail that may go: by which route, and not before when (None: now)."""

    mail: Outgoing
    route: Route
    at: datetime | None = None


@dataclass
class Sorted:
    """A batch, sorted. `ask_at`: before then it is of no use to claim more of this lane."""

    placed: list[Placed] = field(default_factory=list)
    put_off: list[Done] = field(default_factory=list)
    back: list[Outgoing] = field(default_factory=list)
    holds: dict[str, datetime] = field(default_factory=dict)  # mailings that wait as a whole, until when
    ask_at: datetime | None = None

    def wait(self, mail: Outgoing, until: datetime, *, with_mailing: bool) -> None:
        """The mail goes back; its mailing waits, or else the lane does."""
        self.back.append(mail)
        if with_mailing and mail.mailing_id is not None:
            self.holds[mail.mailing_id] = max(until, self.holds.get(mail.mailing_id, until))
        else:
            self.ask_at = max(until, self.ask_at or until)


class Pacer:
    """The pace of one lane as a worker keeps it: its routes, their breakers, the buckets. One a process."""

    def __init__(self, channel: Channel, routes: Sequence[Route]) -> None:
        self.channel = channel
        self.routes = tuple(routes)
        self._breakers = Breakers(route.name for route in routes)
        self._buckets = Buckets(channel)

    def usable(self, at: datetime) -> list[Route]:
        """The routes that may be tried now."""
        return [route for route in self.routes if self._breakers.may_use(route.name, at)]

    def failed(self, route: Route, words: str, at: datetime) -> None:
        self._breakers.failed(route.name, words, at)

    def worked(self, route: Route, at: datetime) -> None:
        if self._breakers.worked(route.name, at):
            buckets.start_slowly(route.name)

    def why_not_now(self, at: datetime) -> Unavailable | None:
        """Marketing waits while nobody can say how fast it may go; essential mail has its floor."""
        return self._buckets.look(at) if self.channel is Channel.MARKETING else None

    def sort(self, mails: Sequence[Outgoing], open_routes: Sequence[Route], at: datetime) -> Sorted:
        """Sort claimed mails for the routes that are open, at least one."""
        found = Sorted()
        chosen = [(mail, _choose(open_routes)) for mail in self._awake(mails, found, at)]
        if not any(map(_is_limited, open_routes)) and not any(mail.per_hour for mail in mails):
            found.placed = [Placed(mail, route) for mail, route in chosen]
            return found
        turns = self._buckets.reserve([self._wish(mail, route, at) for mail, route in chosen], at)
        if isinstance(turns, Unavailable):
            for mail, _ in chosen:
                found.wait(mail, turns.ask_at, with_mailing=False)
            return found
        for (mail, route), turn in zip(chosen, turns, strict=True):
            _place(found, mail, route, turn, at)
        return found

    def _awake(self, mails: Sequence[Outgoing], found: Sorted, at: datetime) -> list[Outgoing]:
        """Those whose readers do not sleep; marketing to the others waits for their morning."""
        quiet = _quiet_hours(settings.current().quiet_hours)
        if quiet is None or self.channel is not Channel.MARKETING:
            return list(mails)
        awake = []
        for mail in mails:
            zone = _zone(mail.time_zone) if mail.time_zone else settings.current().zone
            morning = rules.quiet_until(at, zone, quiet)
            if morning is None:
                awake.append(mail)
            elif mail.time_zone is None and mail.mailing_id is not None:
                found.wait(mail, morning, with_mailing=True)  # most of a mailing sleeps where the company does
            else:
                found.put_off.append(Done(mail, at, put_off_until=morning))
        return awake

    def _wish(self, mail: Outgoing, route: Route, at: datetime) -> Wish:
        domain = mail.to_address.rpartition("@")[2].lower()
        rate = route.rate_to(domain) if route.domains else None
        return Wish(
            route.name,
            route.rate,
            domain=Limit(domain, rate) if rate else None,
            mailing=_mailing_limit(mail.mailing_id, mail.per_hour) if mail.mailing_id and mail.per_hour else None,
            day=self._day(route, at) if route.warm_up_from is not None else None,
            turn_at=mail.turn_at,
        )

    def _day(self, route: Route, at: datetime) -> DayLimit | None:
        if self.channel is not Channel.MARKETING:
            return None
        today = clock.local_day(at, settings.current().zone)
        return _day_limit(route, today)


@lru_cache(maxsize=8)
def pacer(channel: Channel, routes: tuple[Route, ...]) -> Pacer:
    """The pacer of this process for a lane's routes; made anew when they change."""
    return Pacer(channel, routes)


def _is_limited(route: Route) -> bool:
    return route.rate is not None or bool(route.domains) or route.warm_up_from is not None


def _place(found: Sorted, mail: Outgoing, route: Route, turn: Turn, at: datetime) -> None:
    if turn.is_put_off(at):
        found.put_off.append(Done(mail, at, put_off_until=turn.at, keeps_turn=turn.is_kept))
    elif turn.is_kept:
        found.placed.append(Placed(mail, route, turn.at))
    else:
        found.wait(mail, turn.at, with_mailing=turn.bound is Bound.MAILING)


def _choose(open_routes: Sequence[Route]) -> Route:
    if len(open_routes) == 1:
        return open_routes[0]
    chosen = all_routes.choose(open_routes, (), random.random())  # noqa: S311 - shares, not a secret
    assert chosen is not None, "there is an open route"
    return chosen


@lru_cache(maxsize=64)
def _mailing_limit(mailing_id: str, per_hour: int) -> Limit:
    return Limit(mailing_id, per_hour / 3600)


@lru_cache(maxsize=64)
def _day_limit(route: Route, today: date) -> DayLimit | None:
    limit = rules.warm_up_limit(route.warm_up_from, today) if route.warm_up_from else None
    if limit is None:
        return None
    ends_at = clock.midnight(today + timedelta(days=1), settings.current().zone)
    return DayLimit(all_routes.domain_of(all_routes.sender(route)), today, limit, ends_at)


_quiet_hours = lru_cache(maxsize=8)(rules.read_quiet_hours)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
