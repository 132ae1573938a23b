"""The mails in a worker's hand: which goes next, what was begun, what came of each. No database here (DESIGN §8).

Between the look at consent and the first byte there is a moment. It is kept short by the clock and not by a lock: no
mail begins when the look is older than `LOOK_HOLDS_SECONDS`, and an unsubscribe takes longer than that to answer
(invariant 3).
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice

from mailer.consent.rules import LOOK_HOLDS_SECONDS
from mailer.delivery import compose, dkim, dkim_keys
from mailer.delivery.pacing.sorting import Pacer, Placed
from mailer.delivery.pump import Job
from mailer.delivery.routes import Route, choose, domain_of
from mailer.errors import MailerError
from mailer.outbox.journal import Journal
from mailer.outbox.outgoing import Answer, Batch, Done, Outgoing
from mailer.outbox.rules import Outcome
from mailer.signing import KeyGone

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Lot:
    """A batch in hand: its journal, when it was looked at, and until when its mails may begin (monotonic seconds)."""

    batch: Batch
    journal: Journal
    looked_at: float
    begins_until: float
    written_at: float  # when what came of it was last written down; before that, when it was claimed
    is_lost: bool = False  # another has it by now: whatever is answered, nothing of it is ours to write down
    done: list[Done] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return len(self.done) >= len(self.batch.left)

    def may_begin(self, at: float) -> bool:
        return at - self.looked_at < LOOK_HOLDS_SECONDS and at < self.begins_until


@dataclass(slots=True, eq=False)
class Held:
    """One mail of a lot: its turn (None: now), the route it goes by, and its digest once it is composed."""

    mail: Outgoing
    lot: Lot
    at: datetime | None
    route: str
    sha256: str = ""


class Hand:
    """What the pump is fed from (`pump.Feed`)."""

    def __init__(
        self, pacer: Pacer, routes: Sequence[Route], may_go_on: Callable[[], bool], now: Callable[[], datetime]
    ) -> None:
        self.lots: list[Lot] = []
        self.down: dict[str, str] = {}
        self.is_stale = False  # some of it must be looked at again before it may begin
        self._pacer = pacer
        self._routes = routes
        self._may_go_on = may_go_on
        self._now = now
        self._waiting: dict[str, deque[Held]] = {route.name: deque() for route in routes}
        self._ahead: dict[int, Held] = {}  # given to the pump, and not begun
        self._barred: set[int] = set()  # of these, what the last look stopped

    def add(self, lot: Lot) -> None:
        """Take a lot in hand; `place` says which of its mails go."""
        self.lots.append(lot)

    def place(self, lot: Lot, placed: Sequence[Placed]) -> None:
        """Mails of a lot, each for its route at its turn."""
        for one in placed:
            self._waiting[one.route.name].append(Held(one.mail, lot, one.at, one.route.name))

    def wanted(self) -> dict[str, int]:
        """How many mails wait for each route."""
        return {name: len(waiting) for name, waiting in self._waiting.items() if waiting}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def next(self, route: Route) -> Job | None:
        """The next mail, composed; one that cannot be made is done, and never blocks the lane."""
        waiting = self._waiting[route.name]
        while waiting and self._may_go_on():
            held = waiting[0]
            if not held.lot.may_begin(time.monotonic()):
                self.is_stale = True
                return None
            if held.at is not None and held.at > self._now():
                return None
            waiting.popleft()
            try:
                job = _job(held, route)
            except Exception as error:
                held.lot.done.append(_failed(held.mail, error, self._now()))
                continue
            self._ahead[held.mail.row] = held
            return job
        return None

    def drop(self, lot: Lot) -> None:
        """Let go of a lot whose lease was lost."""
        lot.is_lost = True
        self.bar(lot, {mail.row for mail in self.of(lot)})
        self.lots.remove(lot)
        lot.journal.close(is_done=False)

    def take_one(self) -> Held | None:
        """Take a waiting mail out of the hand."""
        return next((waiting.popleft() for waiting in self._waiting.values() if waiting), None)

    def may_begin(self, job: Job) -> bool:
        """The mark, and after it the last look at the clock (`outbox.journal`)."""
        held: Held = job.ticket
        mail, lot = held.mail, held.lot
        if mail.row in self._barred:
            return False  # it is settled, and its journal may be gone
        lot.journal.begin(mail.row, mail.sent_from, mail.envelope_domain)
        if lot.may_begin(time.monotonic()):
            self._ahead.pop(mail.row, None)
            return True
        lot.journal.not_begun(mail.row)
        self.is_stale = True
        return False

    def answered(self, job: Job, answer: Answer) -> None:
        held: Held = job.ticket
        if held.lot.is_lost:
            return
        at = self._now()
        held.lot.journal.answered(held.mail.row, answer, held.sha256, at)
        held.lot.done.append(Done(held.mail, at, answer, held.sha256))

    def given_back(self, job: Job) -> None:
        held: Held = job.ticket
        row = held.mail.row
        self._ahead.pop(row, None)
        if row in self._barred:
            self._barred.discard(row)
        else:
            self._waiting[held.route].appendleft(held)

    def unreachable(self, route: Route, words: str) -> None:
        """What waits for this route goes by another, if one is left."""
        self.down[route.name] = words
        self._pacer.failed(route, words, self._now())
        left = [other for other in self._routes if other.name not in self.down]
        if left:
            waiting, self._waiting[route.name] = self._waiting[route.name], deque()
            for held in waiting:
                other = choose(left, (), random.random())  # noqa: S311 - shares, not a secret
                if other is not None:
                    held.route = other.name
                    self._waiting[other.name].append(held)

    def reachable(self, route: Route) -> None:
        self.down.pop(route.name, None)
        self._pacer.worked(route, self._now())

    def ages(self, at: float) -> bool:
        """Whether it is time to look again, so that nothing has to wait for it at the last moment."""
        return any(at - lot.looked_at > LOOK_HOLDS_SECONDS / 2 for lot in self.lots if self.of(lot, 1))

    def of(self, lot: Lot, limit: int | None = None) -> list[Outgoing]:
        """The mails of a lot that were not begun."""
        in_hand = chain(self._ahead.values(), *self._waiting.values())
        mails = (held.mail for held in in_hand if held.lot is lot)
        return list(islice(mails, limit))

    def bar(self, lot: Lot, rows: Collection[int]) -> None:
        """Of a lot's mails that were not begun these may not go any more."""
        if not rows:
            return
        for name, waiting in self._waiting.items():
            self._waiting[name] = deque(held for held in waiting if held.lot is not lot or held.mail.row not in rows)
        self._barred |= {row for row, held in self._ahead.items() if held.lot is lot and row in rows}


def _job(held: Held, route: Route) -> Job:
    mail = held.mail
    if not mail.is_in_doubt:  # else it goes again as it was, from whomever it came
        mail.sent_from, mail.envelope_domain = route.sent_from, route.envelope_domain
    made = compose.compose(mail)
    signature = _signature(made.data, mail) if route.dkim else b""
    held.sha256 = made.sha256
    return Job(held, made.data, made.envelope_from, made.envelope_to, is_clean=True, signature=signature)


def _signature(data: bytes, mail: Outgoing) -> bytes:
    domain = _domain(mail.sent_from or mail.content.sender)
    signer = dkim.signer_for(domain)
    if signer is None:
        raise dkim_keys.NoKey(f"No key signs for {domain}; make one with `mailer dkim new {domain}`.")
    return signer.sign(data, mail.dated_at, is_canonical=True)


_domain = lru_cache(maxsize=64)(domain_of)
_OUR_FAULT = (KeyGone, dkim_keys.NoKey, dkim_keys.BadKey, dkim_keys.BadName)


def _failed(mail: Outgoing, error: Exception, at: datetime) -> Done:
    """A mail that we could not make: over if its own values are at fault, tried again if we are (a key, a bug)."""
    is_over = isinstance(error, MailerError) and not isinstance(error, _OUR_FAULT)
    words = str(error) if isinstance(error, MailerError) else type(error).__name__  # a bug's own words may be personal
    log.error("message %s cannot be made: %s", mail.id, type(error).__name__)
    outcome = Outcome.REFUSED if is_over else Outcome.DEFERRED
    return Done(mail, at, Answer(outcome, 0, f"cannot be made: {words}", "none"))
