"""How a mailing goes on: where it stands, what is left, at what pace, when it will be done (docs/mailings.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer import clock, settings
from mailer.consent.rules import Channel
from mailer.delivery import routes
from mailer.delivery.pacing import buckets, rules
from mailer.delivery.pacing.rules import QuietHours, WarmUp
from mailer.delivery.pacing.wishes import DayLimit
from mailer.delivery.routes import BadRoute, Route
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState

TELLING = timedelta(minutes=1)  # after so long without a mail it does not “begin” any more: nothing moves
NOTICEABLE = timedelta(minutes=1)  # a shorter wait is just the pace


class Stand(StrEnum):
    """Where the sending of a mailing stands."""

    FANNING_OUT = "fanning_out"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    SENT = "sent"


GOES_ON = frozenset({Stand.FANNING_OUT, Stand.SENDING})
MAY_GO_ON = GOES_ON | {Stand.PAUSED}


class Wait(StrEnum):
    """Why a mailing that is not paused waits."""

    NIGHT = "night"
    PACE = "pace"


@dataclass(frozen=True)
class Outlook:
    """What a page says of the rest of a mailing.

    `pace` is in mails a second as measured lately, None while it is too early to say. `finish` is None where nobody can
    say; it is reckoned from the limits alone if not `is_measured`. `waits_until` comes with its reason `waits_for`.
    """

    stand: Stand
    left: int
    pace: float | None = None
    finish: datetime | None = None
    is_measured: bool = False
    waits_until: datetime | None = None
    waits_for: Wait | None = None
    warm_up: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.stand is Stand.SENT or (self.stand is Stand.CANCELLED and self.left == 0)

    @property
    def pace_in_words(self) -> str:
        """`12 a second`; empty where there is nothing to say."""
        return pace_in_words(self.pace) if self.stand in GOES_ON and self.pace else ""


def look(mailing: Mailing, left: int, at: datetime) -> Outlook:
    """The outlook of a mailing of which `left` messages wait or are in hand.

    Quiet hours and the days of a warm-up are reckoned in the company's time zone.
    """
    stand = _stand(mailing, left)
    if stand not in GOES_ON:
        return Outlook(stand, left)
    channel = mailing.kind.channel
    best = _first_choices(channel)
    quiet = rules.read_quiet_hours(settings.current().quiet_hours) if channel is Channel.MARKETING else None
    warm_up, warm_up_words = _warm_up(channel, best, at)
    waits_until, waits_for = _wait(mailing, quiet, at)
    measured, limit = pace_of(mailing, at), _limit(mailing, best)
    may_expect = measured is None or waits_until is not None
    pace = min(measured, limit or measured) if measured else limit if may_expect else None
    finish = None
    if stand is Stand.SENDING and pace:
        zone = settings.current().zone
        finish = rules.forecast(left, pace, at, zone=zone, quiet=quiet, warm_up=warm_up)
    return Outlook(stand, left, measured, finish, bool(measured), waits_until, waits_for, warm_up_words)


def pace_of(mailing: Mailing, at: datetime) -> float | None:
    """Mails a second that servers took lately; None while it is too early to say."""
    if mailing.per_second > 0:
        return mailing.per_second
    since = mailing.window_at or mailing.fanned_out_at or mailing.created_at
    seconds = (at - since).total_seconds()
    if mailing.window_count and seconds >= 1:
        return mailing.window_count / seconds
    return None if seconds < TELLING.total_seconds() else 0.0


def pace_in_words(per_second: float) -> str:
    """A pace by the second, the minute or the hour, whichever gives a number that one can picture."""
    for name, seconds in (("second", 1), ("minute", 60)):
        if per_second * seconds >= 1.5:
            return f"{per_second * seconds:,.0f} a {name}"
    return f"{per_second * 3600:,.0f} an hour"


def paused_by(name: str, why: str) -> str:
    """What is kept about a pause that a person made."""
    return f"Paused by {name}: {why}" if why else f"Paused by {name}."


def _stand(mailing: Mailing, left: int) -> Stand:
    if mailing.cancelled_at is not None:
        return Stand.CANCELLED
    if mailing.state is MailingState.FANNED_OUT and left == 0:
        return Stand.SENT
    if mailing.paused_at is not None:
        return Stand.PAUSED
    return Stand.SENDING if mailing.state is MailingState.FANNED_OUT else Stand.FANNING_OUT


def _first_choices(channel: Channel) -> list[Route]:
    """The routes that take this channel's mail while all is well; none if they cannot be read."""
    try:
        every = routes.routes_for(channel)
    except BadRoute:
        return []
    return [route for route in every if route.order == every[0].order]


def _limit(mailing: Mailing, best: list[Route]) -> float | None:
    """Mails a second that its own limit and its routes allow; None if nothing limits it."""
    rates = [route.rate for route in best if route.rate is not None]
    limits = [sum(rates)] if rates and len(rates) == len(best) else []
    if mailing.per_hour is not None:
        limits.append(mailing.per_hour / 3600)
    return min(limits, default=None)


def _warm_up(channel: Channel, best: list[Route], at: datetime) -> tuple[WarmUp | None, str]:
    """The warm-up that holds marketing mail back, and in words; essential mail has dates to keep and none."""
    zone = settings.current().zone
    today = clock.local_day(at, zone)
    for route in best if channel is Channel.MARKETING else ():
        started_on = route.warm_up_from
        limit = rules.warm_up_limit(started_on, today) if started_on else None
        if started_on is not None and limit is not None:
            domain = routes.domain_of(routes.sender(route))
            tomorrow = clock.midnight(today + timedelta(days=1), zone)
            sent = buckets.sent_on(DayLimit(domain, today, limit, tomorrow)) or 0
            return WarmUp(started_on, sent), rules.warm_up_in_words(started_on, today)
    return None, ""


def _wait(mailing: Mailing, quiet: QuietHours | None, at: datetime) -> tuple[datetime | None, Wait | None]:
    morning = rules.quiet_until(at, settings.current().zone, quiet) if quiet else None
    if morning is not None:
        return morning, Wait.NIGHT
    if mailing.hold_until is not None and mailing.hold_until > at + NOTICEABLE:
        return mailing.hold_until, Wait.PACE
    return None, None
