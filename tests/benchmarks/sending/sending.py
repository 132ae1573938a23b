"""One mailing through a running house: rung for, watched to its end, and proven from the rows.

The clock begins just before the first bell is rung and ends when every row of the mailing is settled and committed,
as seen from outside by looking from the first row that was not settled yet: seldom at first, for who looks takes of
the same two cores, and 50 times a second near the end. So the first claim, the connecting, the last answer's row: all
of it counts, and no instant that the product wrote is believed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from tests.benchmarks.sending import processes, sinks
from tests.benchmarks.sending.house import House, Running, StepFailed

LOOK_SECONDS = 0.02
SLOWEST = 500
"""Mails a second below which a run is given up."""
AT_A_LOOK = 2_000
"""Rows read at most by one look, by their numbers alone: a look must cost the database nothing that could be seen."""
_NEXT = text(
    "SELECT min(CASE WHEN state IN ('queued', 'sending') THEN id END), max(id) FROM "
    f"(SELECT id, state FROM messages WHERE id > :mark AND id <= :last ORDER BY id LIMIT {AT_A_LOOK}) AS following"
)


@dataclass(frozen=True)
class Mailing:
    """A mailing whose messages are made: their rows, and how long making them took."""

    id: str
    first: int
    last: int
    count: int
    seconds: float


@dataclass(frozen=True)
class Run:
    """A mailing that went: its bell (in seconds since 1970), seconds by the clock, CPU of service and database, memory.

    `connections` is the most that the sink had at any mark;
    `marks` are (seconds since the bell, mails settled from the start on), about one a second.
    """

    mails: int
    begun: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    connections: int
    marks: Sequence[tuple[float, int]]

    @property
    def ended(self) -> float:
        return self.begun + self.seconds

    @property
    def rate(self) -> float:
        return self.mails / self.seconds


def prepare(house: House, topic: str = "news") -> Mailing:
    """A campaign frozen and fanned out while nobody hears of it."""
    campaign = house.do("campaign", topic=topic)
    made = house.do("fan-out", mailing=campaign["mailing"])
    return Mailing(campaign["mailing"], made["first"], made["last"], made["count"], made["seconds"])


def send(running: Running, mailing: Mailing) -> Run:
    """Let the workers send a prepared mailing; StepFailed unless all of it went and is on record."""
    house, workers = running.house, running.workers
    with house.look() as connection:
        cpu = running.cpu_seconds()
        begun = float(house.do("ring")["at"])
        marks, most = _watch(connection, mailing, begun, house.marketing_port)
        spent = running.cpu_seconds() - cpu
        check(connection, mailing)
    if running.workers != workers:
        raise StepFailed("A worker died while it sent; look into up.log.")
    return Run(mailing.count, begun, marks[-1][0], spent, processes.peak_bytes(workers), most, marks)


def check(connection: Connection, mailing: Mailing) -> None:
    """Every mail accepted, once, with its digest and the server's answer; nothing of the mailing is left waiting."""
    given = {"mailing": mailing.id}
    row = connection.execute(
        text(
            "SELECT count(*), sum(CASE WHEN state = 'accepted' AND length(sha256) = 64 AND lease_token IS NULL "
            "AND settled_at IS NOT NULL THEN 1 ELSE 0 END), count(DISTINCT sha256) "
            "FROM messages WHERE mailing_id = :mailing"
        ),
        given,
    ).one()
    tries = connection.execute(
        text(
            "SELECT count(*), count(DISTINCT a.message_row), sum(CASE WHEN a.outcome = 'accepted' AND a.code = 250 "
            "THEN 1 ELSE 0 END) FROM attempts a WHERE a.message_row BETWEEN :first AND :last"
        ),
        {"first": mailing.first, "last": mailing.last},
    ).one()
    left = 0
    if inspect(connection).has_table("parcels"):
        left = connection.execute(text("SELECT count(*) FROM parcels WHERE mailing_id = :mailing"), given).scalar_one()
    connection.rollback()
    wanted = mailing.count
    found = {"accepted": tuple(row), "attempts": tuple(tries), "parcels left": left}
    if found != {"accepted": (wanted,) * 3, "attempts": (wanted,) * 3, "parcels left": 0}:
        raise StepFailed(f"Not every one of {wanted} mails went once and is on record: {found}.")


def _watch(connection: Connection, mailing: Mailing, begun: float, port: int) -> tuple[list[tuple[float, int]], int]:
    end = begun + 60 + mailing.count / SLOWEST
    mark, marks, most = mailing.first - 1, [(0.0, 0)], 0
    while True:
        following, last = connection.execute(_NEXT, {"mark": mark, "last": mailing.last}).one()
        connection.rollback()
        if following is None and last is not None and last < mailing.last:
            mark = last
            continue
        passed = time.time() - begun
        done = mailing.last if following is None else following - 1
        share = (done - mailing.first + 1) / (mailing.last - mailing.first + 1)
        if following is None or passed - marks[-1][0] >= 1:
            marks.append((passed, round(share * mailing.count)))
            most = max(most, sinks.connections(port))
        if following is None:
            return marks, most
        if time.time() > end:
            raise StepFailed(f"Given up after {passed:.0f} s: about {marks[-1][1]} of {mailing.count} mails settled.")
        mark = done
        time.sleep(_until_next_look(passed, share))


def _until_next_look(passed: float, share: float) -> float:
    """Seconds: a quarter of what is left at the pace so far, so that the end is never slept through."""
    left = passed * (1 - share) / share if share > 0 else 0.0
    return min(1.0, max(LOOK_SECONDS, left / 4))
