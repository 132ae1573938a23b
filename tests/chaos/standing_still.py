"""3. A worker that stands still past its lease and goes on: what it writes then changes nothing (TRAPS 10)."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url

from mailer import redis_server, settings
from mailer.clock import local_day, now
from mailer.consent.rules import Channel
from mailer.db import reading, transaction
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices import actions as notices
from mailer.outbox import journal
from mailer.outbox.models import Attempt, Mailing, Message
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.policies.rules import approvals_needed
from mailer.staff.models import Staff
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.chaos import proof, writing
from tests.chaos.house import CONNECTIONS, House, house, wait_until
from tests.chaos.proof import Told
from tests.chaos.sink import Record

LEASE, TIMEOUT = 5, 1  # seconds; the lease of a batch is 2 × TIMEOUT + LEASE
PATIENCE = 90.0
AFTER = 2.0  # seconds in which a worker writes down what it heard
HURRY = 0.5  # seconds for a look whether somebody stands in the database's door
NOTICE = Wording(
    factories.POLICY_TEXT.replace("two years", "seven years"),
    summary="We keep your data for seven years.",
    why="The tax office asks for it.",
    impact="You will notice nothing.",
)


@dataclass(frozen=True)
class Plan:
    """So many people, each with a notice and a marketing mail."""

    people: int
    delay: float  # seconds of a round trip: there is always mail on the wire


SHORT = Plan(people=100, delay=0.25)
FULL = Plan(people=1_000, delay=0.1)


def run(plan: Plan) -> Told:
    """Two workers a lane; one of each stands still with mail in hand until all is done by the other."""
    told = Told("a worker stands still past its lease")
    with house(delay=plan.delay, lease_seconds=LEASE, smtp_timeout_seconds=TIMEOUT, sweep_seconds=1) as here:
        author = writing.add_people(plan.people)
        with _workers(here) as workers:
            fan_out(_notice(author))
            fan_out(writing.send(author, MailKind.CAMPAIGN))
            standing = _stop_one_of_each(workers)
            begun = time.monotonic()
            out = wait_until(lambda: proof.rest().open == 0, PATIENCE)
            time.sleep(max(0.0, begun + LEASE + 2 * TIMEOUT - time.monotonic()))
            told.claim("journals of workers that stand still", len(proof.journals()), most=2 * CONNECTIONS, least=1)
            before = _state()
            for one in standing:
                one.send_signal(signal.SIGCONT)
            time.sleep(AFTER)
            told.claim("workers that fell over it", sum(one.poll() is not None for one in standing))
            for one in standing:
                one.terminate()
            ended = wait_until(lambda: all(one.poll() == 0 for one in standing) and not proof.journals(), PATIENCE)
        told.claim("seconds until the others had done all of it", out or 2 * PATIENCE, most=PATIENCE)
        told.claim("workers that did not end in good order when asked", int(ended is None))
        told.claim("rows, tries, proofs and events changed by those who came late", _changes(before, _state()))
        told.claim("events told twice", sum(count > 1 for count in _notices_told().values()))
        found = proof.gather(Record.load(here.sink.record))
        told.claim("notices accepted and not told", abs(len(_notices_told()) - _accepted(found)))
        proof.nothing_lost(told, found, dict.fromkeys(Channel, CONNECTIONS))
        proof.books_agree(told)
    return told


@contextmanager
def _workers(here: House) -> Iterator[dict[str, list[Popen[bytes]]]]:
    """Two processes a lane of mail, and what they need beside them."""
    with ExitStack() as stack:
        stack.enter_context(here.started("redis"))
        redis_server.wait_until_ready(settings.current().redis)
        stack.enter_context(here.started("scheduler"))
        yield {
            lane: [stack.enter_context(here.started("worker", "--lane", lane)) for _ in range(2)]
            for lane in ("essential", "marketing")
        }


def _stop_one_of_each(workers: Mapping[str, Sequence[Popen[bytes]]]) -> list[Popen[bytes]]:
    """Of each lane one that has mail in hand stands still now."""
    standing: dict[str, Popen[bytes]] = {}
    end = time.monotonic() + PATIENCE
    while len(standing) < len(workers):
        assert time.monotonic() < end, "none of them had mail in hand"
        for lane in workers.keys() - standing.keys():
            stopped = next((one for one in workers[lane] if _is_stopped(one)), None)
            if stopped is not None:
                standing[lane] = stopped
        time.sleep(0.02)
    return list(standing.values())


def _is_stopped(worker: Popen[bytes]) -> bool:
    """SIGSTOP, taken back unless it has mail in hand and does not stand in the door of the database."""
    worker.send_signal(signal.SIGSTOP)
    if _has_mail(worker) and _is_door_free():
        return True
    worker.send_signal(signal.SIGCONT)
    return False


def _has_mail(worker: Popen[bytes]) -> bool:
    """Whether one of its journals notes a mail that was begun and not answered."""
    data_dir = settings.current().data_dir
    maps = Path(f"/proc/{worker.pid}/maps").read_text()
    own = [journal.read(data_dir, token) or [] for token in proof.journals() if token in maps]
    return any(one.answer is None for noted in own for one in noted)


def _is_door_free() -> bool:
    path = make_url(settings.current().database).database or ""
    with closing(sqlite3.connect(path, timeout=HURRY, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True


def _state() -> dict[str, list[Any]]:
    """All that a settle writes."""
    with reading() as session:
        return {
            "messages": list(session.execute(select(Message.__table__).order_by(Message.row)).all()),
            "attempts": list(session.execute(select(Attempt.__table__).order_by(Attempt.id)).all()),
            "ledger": list(session.scalars(select(LedgerEntry.hash).order_by(LedgerEntry.seq))),
            "events": list(session.scalars(select(Event.id).order_by(Event.id))),
            "counts": list(session.execute(select(Mailing.id, Mailing.accepted).order_by(Mailing.id)).all()),
        }


def _changes(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> int:
    return sum(before[name] != after[name] for name in before)


def _notices_told() -> Counter[str]:
    with reading() as session:
        told = session.scalars(select(Event.contact_id).where(Event.kind == "notice.accepted").order_by(Event.id))
        return Counter(one or "" for one in told)


def _accepted(found: proof.Evidence) -> int:
    return sum(1 for one in found.of(Channel.ESSENTIAL) if found.copies(one))


def _notice(author: Staff) -> str:
    """A material version, approved and released by others, on its way to everybody; gives its mailing."""
    at = now()
    with transaction() as session:
        others = [factories.staff(session).id for _ in range(2)]
        policy = factories.policy(session, at=at - timedelta(days=300))
        day = local_day(at, settings.current().zone) + timedelta(days=45)
        wording = Wording(NOTICE.text, effective_on=day, summary=NOTICE.summary, why=NOTICE.why, impact=NOTICE.impact)
        draft = policies.draft(session, policy, wording.text, author.id, at, wording)
        policies.submit(session, draft, author.id, at)
        for other in others[: approvals_needed(wording.change_class)]:
            policies.approve(session, draft, other, at)
        version = policies.release(session, draft, author.id, at)
        mailing = notices.plan(session, version, at)
        assert mailing is not None
    return mailing.id
