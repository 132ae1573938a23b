"""How fast mail may go, whether a server is asked at all, and when a mailing is done (DESIGN §8, docs/pacing.md)."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

# Slow start: receivers judge by minutes. From a tenth to the whole in ten of them costs 4.5 minutes' worth of mail.
FIRST_SHARE = 0.1
RAMP = timedelta(minutes=10)
AT_REST = timedelta(minutes=10)  # what took no mail for so long begins slowly again

# How far ahead turns are given. What all mail of a lane waits for alike is kept short, for the mail is in hand
# meanwhile; a recipient domain's own mail is put off, and what is put off is lost to the pace when it is cancelled.
AHEAD = timedelta(seconds=2)
HORIZON = timedelta(hours=1)
TURN_HOLDS = timedelta(minutes=1)


def pace(rate: float, began_at: datetime, at: datetime, ramp: timedelta = RAMP) -> float:
    """Mails a second at `at`, of what reaches `rate` a ramp after it began: from a tenth, growing evenly."""
    age = max((at - began_at) / ramp, 0.0)
    return rate * min(FIRST_SHARE + (1 - FIRST_SHARE) * age, 1.0)


def gap(rate: float, age: float, ramp: float = RAMP.total_seconds()) -> float:
    """Seconds until the next mail, when one goes `age` seconds after the beginning: one mail's worth of `pace`."""
    if age >= ramp:
        return 1 / rate
    now, growth, rest = (
        rate * (FIRST_SHARE + (1 - FIRST_SHARE) * age / ramp),
        rate * (1 - FIRST_SHARE) / ramp,
        ramp - age,
    )
    before_full = (now + rate) / 2 * rest
    if before_full >= 1:
        return 2 / (now + math.sqrt(now * now + 2 * growth))  # now · x + growth · x² / 2 = 1
    return rest + (1 - before_full) / rate


def turn_holds(turn_at: datetime, at: datetime) -> bool:
    """Whether a turn that a mail was put off to still counts: not when its time is long past.

    After an outage all that was put off would go at once.
    """
    return turn_at <= at + AHEAD and at - turn_at <= TURN_HOLDS


# A domain nobody has seen yet: the usual practice is some 50 mails on the first day to those who read, and never more
# than twice the day before, until volume is what it will be (some 30 days for millions; docs/pacing.md).
WARM_UP_FIRST = 50
WARM_UP_DAYS = 12  # 102,400 on the last


def warm_up_limit(started_on: date, today: date) -> int | None:
    """How many mails a domain new on `started_on` may send today; None when it is warm."""
    passed = max((today - started_on).days, 0)
    return WARM_UP_FIRST * 2**passed if passed < WARM_UP_DAYS else None


def warm_up_in_words(started_on: date, today: date) -> str:
    """Where a warm-up stands, for a page."""
    limit = warm_up_limit(started_on, today)
    last = started_on + timedelta(days=WARM_UP_DAYS - 1)
    if limit is None:
        return f"Warm since {_say(last + timedelta(days=1))}: no daily limit."
    number = max((today - started_on).days, 0) + 1
    return (
        f"Day {number} of {WARM_UP_DAYS}: at most {limit:,} mails today, twice as many each day, "
        f"no limit after {_say(last)}."
    )


class Gate(StrEnum):
    """Whether a route is used: as always, not at all, or by one worker that tries whether it is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


FAILURES = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=5)
TRIAL = timedelta(minutes=1)  # how long one worker alone may try
# a server's no to us as a sender, as smtplib and the pump spell it: “550 …”, “(535, b'…')”, “could not connect: 554 …”
_NOT_US = re.compile(r"(?:^|\(|: )5[0-5]\d(?=[ ,-]|$)")


@dataclass(frozen=True, slots=True)
class Breaker:
    """A route's circuit breaker. It opens after 5 failures in a row or one “we do not take you”; each change is new."""

    failures: int = 0
    rests: int = 0  # how many times it opened since the last success
    open_until: datetime | None = None
    trier: str = ""
    trial_until: datetime | None = None
    words: str = ""

    def gate(self, at: datetime) -> Gate:
        """Where it stands. Nothing rests longer than `LONGEST_REST`: if it seems so, the clock was set back."""
        if self.open_until is None:
            return Gate.CLOSED
        return Gate.OPEN if _is_ahead(self.open_until, at, LONGEST_REST) else Gate.HALF_OPEN

    def may_use(self, who: str, at: datetime) -> bool:
        """Whether `who` may use the route now; half open, only the one who tries."""
        gate = self.gate(at)
        if gate is Gate.HALF_OPEN:
            return self.trier == who or not self.is_trying(self.trier, at)
        return gate is Gate.CLOSED

    def is_trying(self, who: str, at: datetime) -> bool:
        """Whether it is `who` that tries now."""
        return self.trier == who and self.trial_until is not None and _is_ahead(self.trial_until, at, TRIAL)

    def trying(self, who: str, at: datetime) -> Breaker:
        """`who` tries whether the server is back."""
        return replace(self, trier=who, trial_until=at + TRIAL)

    def failed(self, words: str, at: datetime, *, refuses_us: bool) -> Breaker:
        """The server could not be reached, or said that it does not take us."""
        failures, gate = self.failures + 1, self.gate(at)
        if gate is Gate.OPEN or (gate is Gate.CLOSED and failures < FAILURES and not refuses_us):
            return replace(self, failures=failures, words=words)
        rest = min(FIRST_REST * 2 ** min(self.rests, 10), LONGEST_REST)
        return Breaker(failures, self.rests + 1, open_until=at + rest, words=words)

    def describe(self, at: datetime) -> str:
        """Where it stands, for a person."""
        said = f" It said: {self.words}" if self.words else ""
        gate = self.gate(at)
        if gate is Gate.CLOSED and not self.failures:
            return "In use."
        if gate is Gate.CLOSED:
            return f"In use, though the last try failed ({self.failures} of {FAILURES} in a row).{said}"
        if gate is Gate.HALF_OPEN:
            return f"Not used after {self._failures()}; one worker tries whether it is back.{said}"
        seconds = math.ceil(((self.open_until or at) - at).total_seconds())
        return f"Not used after {self._failures()}; tried again in {seconds} seconds.{said}"

    def to_json(self) -> str:
        """As kept beside the workers; `read_breaker` reads it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(
            {name: str(value) if isinstance(value, datetime) else value for name, value in values.items()}
        )

    def _failures(self) -> str:
        return "1 failure" if self.failures == 1 else f"{self.failures} failures in a row"


CLOSED = Breaker()


def read_breaker(text: str) -> Breaker:
    """What `to_json` wrote; a closed one if it cannot be read, for it is only a memory."""
    try:
        values = json.loads(text)
        for name in ("open_until", "trial_until"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        return Breaker(**values)
    except (ValueError, KeyError, TypeError):
        return CLOSED


def refuses_us(words: str) -> bool:
    """Whether a failure's words are a server's own no (5yz, RFC 5321 §4.2.1) to us, not a lost connection."""
    return _NOT_US.search(words) is not None


ENOUGH_TO_JUDGE = 500
BOUNCES_IN_100 = 5
COMPLAINTS_IN_1000 = 1  # what large receivers ask bulk senders to stay below


def why_pause(accepted: int, bounced: int, complained: int, refused: int = 0) -> str | None:
    """Why a marketing mailing pauses by itself, for the person who decides what then; None if it goes on.

    `accepted` mails were taken by the next server, some of which bounced later; `refused` ones were not taken at all
    and count as bounces too.
    """
    sent, back = accepted + refused, bounced + refused
    if sent < ENOUGH_TO_JUDGE:
        return None
    if back * 100 > BOUNCES_IN_100 * sent:
        return (
            f"Paused by itself: {back:,} of {sent:,} mails came back ({back / sent:.1%}); the limit is 5 %. "
            "The addresses may be old or bought. Look where they come from, then resume or cancel it."
        )
    if complained * 1000 > COMPLAINTS_IN_1000 * sent:
        return (
            f"Paused by itself: {_people(complained)} of {sent:,} called it spam ({complained / sent:.2%}); "
            "the limit is 0.1 %. Look whether they asked for it and know the sender, then resume or cancel it."
        )
    return None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When no marketing goes out, on the recipient's clock; the same time twice means never quiet."""

    begins: time = time(21)
    ends: time = time(8)


NIGHT = QuietHours()


def read_quiet_hours(spelled: str) -> QuietHours | None:
    """`21:00-08:00`, as the settings checked it; empty: never quiet."""
    begins, _, ends = spelled.partition("-")
    return QuietHours(time.fromisoformat(begins), time.fromisoformat(ends)) if ends else None


def quiet_until(at: datetime, zone: ZoneInfo, quiet: QuietHours = NIGHT) -> datetime | None:
    """When the quiet hours around `at` end, in UTC; None if it is not quiet in `zone`.

    Where a clock change makes a time come twice or not at all, the longer quiet counts.
    """
    return next((end for begin, end in _quiet_times(at, zone, quiet) if begin <= at < end), None)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A domain that is being warmed up, and what it sent today."""

    started_on: date
    sent_today: int = 0


FORESEEN = timedelta(days=366)
_UTC = ZoneInfo("UTC")


def forecast(
    left: int,
    per_second: float,
    at: datetime,
    *,
    zone: ZoneInfo = _UTC,
    quiet: QuietHours | None = None,
    warm_up: WarmUp | None = None,
) -> datetime | None:
    """When the last of `left` mails goes out, at the pace measured lately; None if nothing moves or beyond a year.

    Days of the warm-up and quiet hours are counted in `zone`.
    """
    if left <= 0:
        return at
    if per_second <= 0:
        return None
    rest = float(left)
    sent: dict[date, float] = defaultdict(float, {at.astimezone(zone).date(): warm_up.sent_today if warm_up else 0})
    here = at
    while here < at + FORESEEN:
        silent = quiet_until(here, zone, quiet) if quiet else None
        if silent is not None:
            here = silent
            continue
        day = here.astimezone(zone).date()
        end = _stretch_end(here, zone, quiet)
        most = per_second * (end - here).total_seconds()
        limit = warm_up_limit(warm_up.started_on, day) if warm_up else None
        going = most if limit is None else min(most, max(limit - sent[day], 0))
        if rest <= going + 1e-6:
            return here + timedelta(seconds=rest / per_second)
        rest, here = rest - going, end
        sent[day] += going
    return None


def warn_late(finish: datetime | None, last_day: date, zone: ZoneInfo) -> str | None:
    """The warning that notices will not all be out by the end of `last_day` in `zone`; None if they will.

    `finish` is a forecast with mails left; None says that nothing moves.
    """
    must = f"all notices must be out by the end of {_say(last_day)} for the dates they promise to hold"
    then = "Raise the pace of the route, or withdraw the version and release it with a later effective date."
    if finish is None:
        return f"Notices wait and none goes out, yet {must}. See whether the route is reached. {then}"
    local = finish.astimezone(zone)
    if local.date() <= last_day:
        return None
    return f"At this pace the last notice goes out on {_say(local.date())} at {local:%H:%M}, yet {must}. {then}"


def _is_ahead(until: datetime, at: datetime, longest: timedelta) -> bool:
    """Whether `until` is still to come, and not further away than it can be: then the clock was set back."""
    return at < until <= at + longest


def _quiet_times(at: datetime, zone: ZoneInfo, quiet: QuietHours) -> Iterator[tuple[datetime, datetime]]:
    """The quiet times of yesterday, today and tomorrow on the local calendar."""
    if quiet.begins == quiet.ends:
        return
    today = at.astimezone(zone).date()
    for first in (today - timedelta(days=1), today, today + timedelta(days=1)):
        last = first if quiet.begins < quiet.ends else first + timedelta(days=1)
        yield min(_instants(first, quiet.begins, zone)), max(_instants(last, quiet.ends, zone))


def _instants(day: date, wall: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a time on the wall may mean, in UTC: twice the same but for a clock change (PEP 495)."""
    local = datetime.combine(day, wall, zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _stretch_end(here: datetime, zone: ZoneInfo, quiet: QuietHours | None) -> datetime:
    """The end of the local day, or the beginning of the quiet hours before it."""
    tomorrow = here.astimezone(zone).date() + timedelta(days=1)
    ends = [max(_instants(tomorrow, time(), zone))]
    if quiet is not None:
        ends += [begin for begin, _ in _quiet_times(here, zone, quiet) if begin > here]
    return min(ends)


def _say(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"
