"""The health of routes, shared by all workers: one circuit breaker a route, in Redis; without it each process its own.

What is written depends on what was read: two workers never overwrite each other, and in half-open one alone tries.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from mailer import doorbell
from mailer.delivery.pacing import rules
from mailer.delivery.pacing.rules import Breaker, Gate
from mailer.outbox.rules import without_addresses

KEPT = timedelta(hours=1)  # far beyond the longest rest: whoever tries writes it anew
FRESH = 1.0  # seconds for which what was read is believed: no mail costs a call
LOOK_AGAIN = 5.0
TRIES = 5
WORDS_LIMIT = 200
PREFIX = "mailer:route"
FIELD = "breaker"

# writes only over what was read; an empty text stands for nothing
SWAP = """
if (redis.call('HGET', KEYS[1], 'breaker') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'breaker', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """How a route does, for the admin page."""

    route: str
    gate: Gate
    words: str


class Breakers:
    """The breakers of these routes, as one process sees them: what others did, it knows after `fresh` seconds."""

    def __init__(self, routes: Iterable[str], fresh: float = FRESH) -> None:
        self._fresh = fresh
        self._me = secrets.token_hex(8)
        self._known = dict.fromkeys(routes, rules.CLOSED)
        self._read_at = dict.fromkeys(self._known, float("-inf"))
        self._left_alone_until = 0.0

    def may_use(self, route: str, at: datetime) -> bool:
        """Whether a connection of this route may be opened, or a mail begun on it, now."""
        breaker = self._look(route)
        if not breaker.may_use(self._me, at):
            return False
        if breaker.gate(at) is Gate.CLOSED or breaker.is_trying(self._me, at):
            return True
        return self._change(route, lambda now: now.trying(self._me, at) if now.may_use(self._me, at) else None)

    def failed(self, route: str, words: str, at: datetime, *, refuses_us: bool | None = None) -> None:
        """It could not be reached, or does not take us as a sender; without a word on which, the words tell."""
        is_no = rules.refuses_us(words) if refuses_us is None else refuses_us
        kept = without_addresses(words)[:WORDS_LIMIT]
        self._change(route, lambda now: now.failed(kept, at, refuses_us=is_no))

    def worked(self, route: str, at: datetime) -> bool:
        """It took us. True if it was away until now: then it begins slowly (`buckets.start_slowly`)."""
        was = self._look(route)
        if was != rules.CLOSED:
            self._change(route, lambda _: rules.CLOSED)
        return was.open_until is not None

    def describe(self, at: datetime) -> list[Health]:
        """Every route with its state in words."""
        return [Health(route, now.gate(at), now.describe(at)) for route in self._known for now in [self._look(route)]]

    def _look(self, route: str) -> Breaker:
        """What is known of a route, read anew when it is a second old."""
        if time.monotonic() - self._read_at[route] >= self._fresh:
            self._read(route)
        return self._known[route]

    def _change(self, route: str, change: Callable[[Breaker], Breaker | None]) -> bool:
        """Change a route's breaker for all, here alone where Redis is away; False if `change` wants nothing."""
        for _ in range(TRIES):
            text = self._read(route)
            new = change(self._known[route])
            if new is None:
                return False
            if text is None or self._swap(route, text, new):
                self._known[route] = new
                return True
        return False  # all change it at once, and all say the same

    def _read(self, route: str) -> str | None:
        """What Redis keeps of a route; empty if nothing, and then what this process knows stands; None if away."""
        if time.monotonic() < self._left_alone_until:
            return None
        try:
            kept = doorbell.redis().hget(_key(route), FIELD)
        except RedisError as error:
            self._leave_alone(error)
            return None
        self._read_at[route] = time.monotonic()
        if kept is None:
            return ""
        text = kept if isinstance(kept, str) else kept.decode()
        self._known[route] = rules.read_breaker(text)
        return text

    def _swap(self, route: str, was: str, new: Breaker) -> bool:
        """Write over what was read; False if somebody else did in between."""
        script = doorbell.redis().register_script(SWAP)
        try:
            return bool(script(keys=[_key(route)], args=[was, new.to_json(), int(KEPT.total_seconds())]))
        except RedisError as error:
            self._leave_alone(error)
            return True

    def _leave_alone(self, error: RedisError) -> None:
        log.warning("health of routes: Redis does not answer: %s", type(error).__name__)
        self._left_alone_until = time.monotonic() + LOOK_AGAIN


def _key(route: str) -> str:
    return f"{PREFIX}:{route}"
