"""Token buckets that all workers share, in Redis: one call says when each mail of a batch may go.

Virtual scheduling (GCRA, ITU-T I.371 annex A): a bucket keeps the time at which its next mail may go. The clock is
Redis's own; `at` of a caller only places the answer on the caller's clock, so a worker whose clock is wrong neither
stalls nor hurries anybody. If Redis's clock itself is set back, each bucket is moved back with it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from mailer import doorbell
from mailer.consent.rules import Channel
from mailer.delivery.pacing import rules
from mailer.delivery.pacing.floor import Floor
from mailer.delivery.pacing.wishes import Bound, DayLimit, Turn, Unavailable, Wish, domain_on

LOOK_AGAIN = timedelta(seconds=5)  # a Redis that did not answer is left alone for so long: asking may take as long
ANSWER_HOLDS = 0.25  # seconds in which a Redis that answered need not be asked whether it does
DAY_KEPT = timedelta(hours=48)
PREFIX = "mailer:pace"
_RAMP, _AHEAD, _HORIZON = (span.total_seconds() for span in (rules.RAMP, rules.AHEAD, rules.HORIZON))
_SHAPES = {Bound.ROUTE: (_RAMP, _AHEAD), Bound.DOMAIN: (_RAMP, _HORIZON), Bound.MAILING: (0, _AHEAD)}  # ramp, furthest

log = logging.getLogger(__name__)

# KEYS: the buckets of ARGV `limits`, then the counters of `days`. Answers two numbers a wish: microseconds from now
# until its turn, or, below zero, until it should ask again; and the number of the limit that it waits for.
# `gap` is `rules.gap`, word for word.
RESERVE = """
local asked = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local buckets, counters, answers = {}, {}, {}

local function gap(rate, age, ramp)
  if age >= ramp then return 1 / rate end
  local pace = rate * (asked.first + (1 - asked.first) * age / ramp)
  local growth, rest = rate * (1 - asked.first) / ramp, ramp - age
  local before_full = (pace + rate) / 2 * rest
  if before_full >= 1 then return 2 / (pace + math.sqrt(pace * pace + 2 * growth)) end
  return rest + (1 - before_full) / rate
end
local function charge(bucket)
  bucket.free = bucket.free + gap(bucket.rate, bucket.free - bucket.began, bucket.ramp)
  bucket.used = true
end

local function give(at, which)
  answers[#answers + 1] = (at - now) * 1000000
  answers[#answers + 1] = which
end
local function later(at, which)
  answers[#answers + 1] = -math.max((at - now) * 1000000, 1)
  answers[#answers + 1] = which
end

for i, limit in ipairs(asked.limits) do
  local rate, ramp, furthest = limit[1], limit[2], limit[3]
  local kept = redis.call('HMGET', KEYS[i], 'free', 'began', 'seen')
  local back = math.max((kept[3] or now) - now, 0)
  local free = math.min((kept[1] or now) - back, now + furthest + gap(rate, 0, ramp))  -- its pace may have been raised
  buckets[i] = {rate = rate, ramp = ramp, free = math.max(free, now), began = (kept[2] or now) - back}
end
for i, limit in ipairs(asked.days) do
  counters[i] = {left = limit - (redis.call('GET', KEYS[#asked.limits + i]) or 0), used = 0}
end

for _, wish in ipairs(asked.wishes) do
  local domain, lanes, day = buckets[wish[1]], wish[2], counters[wish[3]]
  local at, which = now, 0
  for _, lane in ipairs(lanes) do
    if buckets[lane].free > at then at, which = buckets[lane].free, lane end
  end
  if domain and domain.free > now + asked.horizon then
    later(domain.free - asked.horizon / 2, wish[1])
  elseif domain and domain.free > now + asked.ahead then
    give(domain.free, wish[1])
    charge(domain)
  elseif day and day.left <= 0 then
    later(now, -wish[3])
  elseif at > now + asked.ahead then
    later(at - asked.ahead / 2, which)
  else
    if domain and domain.free > at then at, which = domain.free, wish[1] end
    give(at, which)
    if domain then charge(domain) end
    for _, lane in ipairs(lanes) do charge(buckets[lane]) end
    if day then day.left, day.used = day.left - 1, day.used + 1 end
  end
end

for i, bucket in ipairs(buckets) do
  if bucket.used then
    redis.call('HSET', KEYS[i], 'free', string.format('%.6f', bucket.free),
               'began', string.format('%.6f', bucket.began), 'seen', string.format('%.6f', now))
    redis.call('PEXPIRE', KEYS[i], math.ceil((bucket.free - now + asked.rest) * 1000))
  end
end
for i, counter in ipairs(counters) do
  if counter.used > 0 then
    redis.call('INCRBY', KEYS[#asked.limits + i], counter.used)
    redis.call('EXPIRE', KEYS[#asked.limits + i], asked.kept)
  end
end
return answers
"""


class Buckets:
    """The pace of one channel's mail. Without Redis marketing stops and essential goes on at the floor."""

    def __init__(self, channel: Channel, look_again: timedelta = LOOK_AGAIN) -> None:
        self._channel = channel
        self._look_again = look_again
        self._floor = Floor()
        self._left_alone_until = 0.0
        self._answers_until = 0.0

    def reserve(self, wishes: Sequence[Wish], at: datetime) -> Sequence[Turn] | Unavailable:
        """A turn for each wish, in one call to Redis; none at all if nothing limits them.

        Turns lie at most `rules.AHEAD` ahead, or `rules.HORIZON` for a mail that its recipient's domain puts off.
        """
        batch = _Batch(at)
        places = [batch.add(wish) if wish.is_limited(at) else None for wish in wishes]
        if not batch.wishes:
            return [Turn(at) for _ in wishes]
        if time.monotonic() < self._left_alone_until:
            return self._without_redis(wishes, at)
        try:
            turns = batch.turns(_run(batch))
        except RedisError as error:
            log.warning("pace of %s mail: Redis does not answer: %s", self._channel, type(error).__name__)
            self._leave_alone()
            return self._without_redis(wishes, at)
        return [Turn(at) if place is None else turns[place] for place in places]

    def look(self, at: datetime) -> Unavailable | None:
        """Whether Redis answers; for marketing under no limit, which stops without it all the same."""
        now = time.monotonic()
        if now < self._answers_until:
            return None
        if now >= self._left_alone_until:
            try:
                doorbell.redis().ping()
            except RedisError:
                self._leave_alone()
            else:
                self._answers_until = now + ANSWER_HOLDS
                return None
        return _unavailable(at)

    def _leave_alone(self) -> None:
        self._left_alone_until = time.monotonic() + self._look_again.total_seconds()
        self._answers_until = 0.0

    def _without_redis(self, wishes: Sequence[Wish], at: datetime) -> Sequence[Turn] | Unavailable:
        match self._channel:
            case Channel.ESSENTIAL:
                return self._floor.turns(wishes, at, time.monotonic())
            case Channel.MARKETING:
                return _unavailable(at)


def start_slowly(route: str, domains: Iterable[str] = ()) -> None:
    """Let a route, and recipient domains on it, begin at a tenth again: after its breaker, after a pause.

    What is reserved stays so. What took no mail for `rules.AT_REST` begins slowly by itself.
    """
    keys = [_bucket(Bound.ROUTE, route), *(_bucket(Bound.DOMAIN, domain_on(route, domain)) for domain in domains)]
    try:
        for key in keys:
            doorbell.redis().hdel(key, "began")
    except RedisError as error:
        log.warning("pace: Redis does not answer: %s", type(error).__name__)


def sent_on(day: DayLimit) -> int | None:
    """How many mails were let go under a day's limit; None if Redis is away."""
    try:
        return int(doorbell.redis().get(_counter(day)) or 0)
    except RedisError:
        return None


@dataclass
class _Asked:
    """A bucket of a call: its number in Lua, what it bounds, and the lowest pace that was asked for it."""

    number: int
    bound: Bound
    per_second: float


@dataclass
class _Batch:
    """What one call asks: each bucket and each day once, and the wishes by their numbers; 0 is none."""

    at: datetime
    limits: dict[str, _Asked] = field(default_factory=dict)
    days: dict[DayLimit, int] = field(default_factory=dict)
    wishes: list[tuple[int, list[int], int]] = field(default_factory=list)

    def add(self, wish: Wish) -> int:
        """Take a wish in; its place among the answers."""
        asked = [self._ask(bound, name, pace) for bound, name, pace in wish.limits(self.at)]
        domain = next((bucket.number for bucket in asked if bucket.bound is Bound.DOMAIN), 0)
        lanes = [bucket.number for bucket in asked if bucket.bound is not Bound.DOMAIN]
        day = self.days.setdefault(wish.day, len(self.days) + 1) if wish.day else 0
        self.wishes.append((domain, lanes, day))
        return len(self.wishes) - 1

    def _ask(self, bound: Bound, name: str, per_second: float) -> _Asked:
        asked = self.limits.setdefault(_bucket(bound, name), _Asked(len(self.limits) + 1, bound, per_second))
        asked.per_second = min(asked.per_second, per_second)
        return asked

    def keys(self) -> list[str]:
        return [*self.limits, *map(_counter, self.days)]

    def to_json(self) -> str:
        asked = {
            "limits": [(one.per_second, *_SHAPES[one.bound]) for one in self.limits.values()],
            "days": [day.limit for day in self.days],
            "wishes": self.wishes,
            "first": rules.FIRST_SHARE,
            "ahead": _AHEAD,
            "horizon": _HORIZON,
            "rest": rules.AT_REST.total_seconds(),
            "kept": int(DAY_KEPT.total_seconds()),
        }
        return json.dumps(asked)

    def turns(self, answers: Sequence[int]) -> list[Turn]:
        bounds, days = [None, *(one.bound for one in self.limits.values())], list(self.days)
        found = []
        for micro, which in zip(answers[::2], answers[1::2], strict=True):
            if which < 0:
                found.append(Turn(days[-which - 1].ends_at, is_kept=False, bound=Bound.WARM_UP))
            else:
                then = self.at + timedelta(microseconds=abs(micro))
                found.append(Turn(then, is_kept=micro >= 0, bound=bounds[which]))
        return found


def _run(batch: _Batch) -> Sequence[int]:
    script = doorbell.redis().register_script(RESERVE)  # sends it anew where Redis forgot it
    answers: Sequence[int] = script(keys=batch.keys(), args=[batch.to_json()])
    return answers


def _bucket(bound: Bound, name: str) -> str:
    return f"{PREFIX}:{bound}:{name}"


def _counter(day: DayLimit) -> str:
    return f"{PREFIX}:day:{day.name}:{day.day}"


def _unavailable(at: datetime) -> Unavailable:
    return Unavailable("Redis is away, and with it the memory of what went out: marketing waits.", at + LOOK_AGAIN)
