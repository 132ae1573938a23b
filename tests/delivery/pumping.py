"""The pump at work on a few mails: who feeds it, and a round until all are done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from mailer.delivery.pump import Job, Pump
from mailer.delivery.routes import Route, Tls
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

TIMEOUT = 5.0
GUARD = 20.0  # seconds; a test that waits so long has failed


def job(ticket: object = "one", to: str = "anna@people.example", data: bytes | None = None) -> Job:
    """A mail whose Message-ID names its ticket."""
    made = data if data is not None else f"Message-ID: <{ticket}@x.example>\r\n\r\nHello {ticket}\r\n".encode()
    return Job(ticket, made, "bounce+x@reply.example", to)


def route(port: int, tls: Tls = Tls.NONE, name: str = "relay", connections: int = 64) -> Route:
    return Route(name, "127.0.0.1", port, tls, connections=connections)


@dataclass
class Feeder:
    """A feed over a list of jobs, which keeps what it was told (`pump.Feed`)."""

    jobs: deque[Job]
    may_begin_: Callable[[Job], bool] = lambda _job: True
    tries_again: bool = False  # what was given back or deferred waits again
    begun: list[object] = field(default_factory=list)
    answers: dict[object, list[Answer]] = field(default_factory=dict)
    back: list[object] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    up: list[str] = field(default_factory=list)

    def next(self, route: Route) -> Job | None:
        return self.jobs.popleft() if self.jobs else None

    def may_begin(self, job: Job) -> bool:
        if not self.may_begin_(job):
            return False
        self.begun.append(job.ticket)
        return True

    def answered(self, job: Job, answer: Answer) -> None:
        self.answers.setdefault(job.ticket, []).append(answer)
        if self.tries_again and answer.outcome is Outcome.DEFERRED:
            self.jobs.append(job)

    def given_back(self, job: Job) -> None:
        self.back.append(job.ticket)
        if self.tries_again:
            self.jobs.append(job)

    def unreachable(self, route: Route, words: str) -> None:
        self.down.append(words)

    def reachable(self, route: Route) -> None:
        self.up.append(route.name)

    @property
    def outcomes(self) -> list[Outcome]:
        """What came of each mail in the end, in the order of the first answers."""
        return [answers[-1].outcome for answers in self.answers.values()]


def feeder(*jobs: Job) -> Feeder:
    return Feeder(deque(jobs or [job()]))


def turn_until(pump: Pump, feed: Feeder, is_done: Callable[[], object]) -> None:
    until = time.monotonic() + GUARD
    while not is_done():
        assert time.monotonic() < until, (feed, pump.busy)
        pump.turn(0.05, len(feed.jobs))


def drain(feed: Feeder, *routes: Route, connections: int = 1, timeout: float = TIMEOUT) -> Feeder:
    """Work until every mail was answered or given back, or no route can be reached, and close."""
    pump = Pump(routes, feed, connections, timeout)
    try:
        turn_until(pump, feed, lambda: (feed.down and not pump.busy) or not (feed.jobs or pump.busy))
    finally:
        pump.close(1)
    return feed


def send(route: Route, jobs: Iterable[Job]) -> list[Answer]:
    """Hand mails over one after the other on one connection; the answers."""
    feed = drain(Feeder(deque(jobs)), route)
    if feed.down or feed.back:
        pytest.fail(f"not all were sent: {feed}")
    return [answer for answers in feed.answers.values() for answer in answers]
