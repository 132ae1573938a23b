"""A house with people and running workers, shown first to send what its record says."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from tests.benchmarks.sending import people, postgres, sending, sinks
from tests.benchmarks.sending.house import House, Lines, Running, StepFailed, house
from tests.benchmarks.sending.postgres import Server
from tests.front.processes import wait_for

DATABASES = ("sqlite", "postgresql")
SIGNER = "news.leadmark.example"


@dataclass(frozen=True)
class Plan:
    """How much is sent; `--quick` takes little of everything."""

    mails: int = 100_000
    mails_signed: int = 30_000
    mails_slowly: int = 30_000
    small: int = 10_000
    large: int = 1_000_000
    shown: int = 50
    rounds: int = 3
    letters_a_second: int = 8
    letters_idle: int = 110
    idle_seconds: int = 60


QUICK = Plan(
    mails=400,
    mails_signed=200,
    mails_slowly=400,
    small=200,
    large=2_000,
    shown=20,
    rounds=1,
    letters_a_second=5,
    letters_idle=10,
    idle_seconds=5,
)


@dataclass(frozen=True)
class Stage:
    """A running house, and the mean size of its mails on the wire."""

    running: Running
    mail_bytes: int

    @property
    def house(self) -> House:
        return self.running.house

    @property
    def port(self) -> int:
        return self.house.marketing_port


@contextmanager
def server_for(database: str) -> Iterator[Server | None]:
    """The server of `postgresql`; SQLite needs none."""
    if database == "sqlite":
        yield None
        return
    with postgres.running() as server:
        yield server


@contextmanager
def stage(
    database: str, count: int, shown: int, lines: Lines | None = None, server: Server | None = None
) -> Iterator[Stage]:
    """`count` people in a house that is up; `shown` of them got a mail that was compared with its row, byte by byte."""
    with ExitStack() as stack:
        server = server or stack.enter_context(server_for(database))
        made = stack.enter_context(house(server, lines))
        made.do("people", people=count, few=shown)
        if lines and lines.dkim:
            sign(made)
        running = stack.enter_context(made.up())
        yield Stage(running, show(running, is_signed=bool(lines and lines.dkim)))


def sign(made: House) -> None:
    """A key for the domain that campaigns come from, in use at once: nobody looks for its record."""
    made.mailer("dkim", "new", SIGNER)
    (key,) = (made.folder / "var" / "dkim" / SIGNER).glob("*.pem")
    made.mailer("dkim", "use", SIGNER, key.stem)


def show(running: Running, *, is_signed: bool) -> int:
    """Send a few mails to our own sink and compare what arrived with the record; their mean size in bytes."""
    record = running.house.folder / "shown.jsonl"
    mailing = sending.prepare(running.house, people.FEW)
    with sinks.own_sink(running.house.marketing_port, record=record):
        sending.send(running, mailing)
        wait_for(lambda: len(sinks.taken(record)) >= mailing.count, "the sink did not write down what it took")
    came = sinks.taken(record)
    with running.house.look() as connection:
        query = text("SELECT to_address, sha256 FROM messages WHERE mailing_id = :mailing")
        rows = connection.execute(query, {"mailing": mailing.id}).all()
    if {(mail.to, mail.sha256) for mail in came} != {(to, digest) for to, digest in rows}:
        raise StepFailed("What arrived is not what the record says.")
    if {mail.is_signed for mail in came} != {is_signed}:
        raise StepFailed(f"Mails should {'all' if is_signed else 'never'} carry a DKIM-Signature, and do not.")
    return round(statistics.mean(mail.bytes for mail in came))
