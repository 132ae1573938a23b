"""2. Redis emptied in mid-run, and Redis away: it is a doorbell and keeps the pace, and nothing is true only there."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from mailer import doorbell, redis_server, settings
from mailer.clock import now
from mailer.consent.rules import Channel
from mailer.db import transaction
from mailer.delivery import compose
from mailer.delivery.pacing.floor import FLOOR
from mailer.outbox.rules import MailKind, State
from mailer.services import actions as services
from mailer.staff.models import Staff
from tests.chaos import proof, writing
from tests.chaos.house import House, Scene, Tree, house, wait_until
from tests.chaos.proof import Told
from tests.chaos.sink import Record
from tests.front.processes import wait_for

LATE = 90.0  # seconds after which all goes out
IN_HAND = 4.0  # seconds in which mail may still go whose turn was given while Redis was there
FLUSHES = 5
_number = itertools.count(1)


@dataclass(frozen=True)
class Plan:
    """So many mails of each channel at `rate` a second, and how long Redis is away."""

    mails: int
    rate: int
    away: float
    sweep_seconds: int


SHORT = Plan(mails=120, rate=300, away=6, sweep_seconds=1)
FULL = Plan(mails=5_000, rate=1_000, away=600, sweep_seconds=30)


def flushed(plan: Plan) -> Told:
    """Empty Redis again and again while mail goes out."""
    with house(delay=0.02, sweep_seconds=plan.sweep_seconds) as here:
        author = writing.add_people(plan.mails)
        with here.up():
            return flush(Scene(here, author, plan.mails))


def flush(scene: Scene) -> Told:
    """The same in a house that stands."""
    told = Told("Redis emptied")
    since, before, most = proof.newest(), scene.taken(), scene.people
    _send_both(scene.author)
    for number in range(1, FLUSHES + 1):
        wanted = before + most * number // FLUSHES  # half of all, for some may have left meanwhile
        assert wait_until(lambda wanted=wanted: scene.taken() >= wanted, LATE)
        doorbell.redis().flushall()
    late = wait_until(lambda: proof.rest().open == 0, 2 * LATE)
    told.claim("seconds until all is out after the last flush", late or 2 * LATE, most=LATE)
    found = proof.gather(Record.load(scene.house.sink.record), since)
    proof.nothing_lost(told, found, dict.fromkeys(Channel, 0))
    proof.books_agree(told)
    return told


def away(plan: Plan) -> Told:
    """Keep Redis away for a while: doors answer, essential mail goes at its floor, marketing waits."""
    told = Told(f"Redis away for {plan.away:g} s")
    with house(sweep_seconds=plan.sweep_seconds, smtp_essential="", smtp_marketing="") as here:
        _with_pace(here, plan.rate)
        author, service = writing.add_people(plan.mails), service_of(here)
        with here.up() as tree:
            _send_both(author)
            assert wait_until(lambda: here.sink.counts()["accepted"] >= 10, LATE)
            with _redis_away(tree):
                gone_at = time.time()
                end = time.monotonic() + plan.away
                while time.monotonic() < end:
                    service.call()
                    time.sleep(plan.away / 20)
                back_at = time.time()
            waiting = {channel: _waiting(channel) for channel in Channel}
            late = wait_until(lambda: _begins_again(here, back_at), LATE)
            out = wait_until(lambda: proof.rest().open == 0, LATE + 10 * 2 * plan.mails / plan.rate)
        told.claim("webhooks not answered with 202", sum(code != 202 for code in service.codes))
        told.claim("webhooks sent", len(service.codes), most=1_000, least=5)
        told.figures["slowest_webhook_seconds"] = round(service.slowest, 3)
        told.claim("marketing mails that still waited when Redis came back", waiting[Channel.MARKETING], plan.mails, 1)
        _paces(told, here, gone_at + IN_HAND, back_at)
        told.claim("seconds until marketing goes on after Redis is back", late or 2 * LATE, most=LATE)
        told.claim("mails that never went out", int(out is None))
        proof.nothing_lost(told, proof.gather(Record.load(here.sink.record)), dict.fromkeys(Channel, 0))
        proof.books_agree(told)
    return told


def _send_both(author: Staff) -> None:
    writing.send(author, MailKind.ANNOUNCEMENT)
    writing.send(author, MailKind.CAMPAIGN)


def _with_pace(here: House, rate: int) -> None:
    """A file of routes, for only there stands a pace."""
    routes = here.folder / "routes.toml"
    routes.write_text(
        "\n".join(
            f'[[route]]\nname = "{channel}"\nchannel = "{channel}"\nhost = "127.0.0.1"\nport = {here.sink.port}\n'
            f'tls = "none"\nrate = {rate}\n'
            for channel in Channel
        )
    )
    here.change(routes=routes)


@contextmanager
def _redis_away(tree: Tree) -> Iterator[None]:
    """Kill the server of the tree and hold the lock of its folder: whatever is started for it ends at once."""
    folder = settings.current().data_dir.absolute() / "redis"
    handle = os.open(folder / "lock", os.O_RDWR)
    try:
        while redis_server.is_ready(settings.current().redis):
            for one in tree.of("redis"):
                one.kill()
            _lock(handle)
        yield
    finally:
        os.close(handle)
    wait_for(lambda: redis_server.is_ready(settings.current().redis), "Redis did not come back")


def _lock(handle: int) -> None:
    for _ in range(100):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return


def _waiting(channel: Channel) -> int:
    return sum(1 for _ in proof.gather(Record(())).of(channel, State.QUEUED))


def _begins_again(here: House, back_at: float) -> bool:
    return any(at > back_at for at in _taken_at(here, Channel.MARKETING))


def _taken_at(here: House, channel: Channel) -> list[float]:
    """When the server had the whole of each mail of a channel."""
    kept = proof.gather(Record(())).kept
    rows = [(compose.read_message_id(row.message_id), row.body_at) for row in Record.load(here.sink.record).accepted]
    return [at for row, at in rows if row is not None and row in kept and kept[row].channel is channel]


def _paces(told: Told, here: House, since: float, until: float) -> None:
    """What went out while nobody could say how fast it may go."""
    seconds = until - since
    went = {channel: sum(since < at < until for at in _taken_at(here, channel)) for channel in Channel}
    most = FLOOR * (seconds + 2)  # turns are given up to two seconds ahead
    told.claim(f"essential mails in {seconds:.0f} s without Redis", went[Channel.ESSENTIAL], most, least=1)
    told.claim(f"marketing mails in {seconds:.0f} s without Redis", went[Channel.MARKETING])


@dataclass
class Caller:
    """Another service that tells of people over real HTTP."""

    url: str
    secret: str
    codes: list[int] = field(default_factory=list)
    slowest: float = 0.0

    def call(self) -> str:
        """Tell of one more person; the words of the answer."""
        number = next(_number)
        person = {"reference": f"chaos-{number}", "email": f"chaos{number}@people.example", "origin": "account_holder"}
        body = json.dumps({"type": "contact.upserted", "timestamp": "2026-11-02T09:30:00Z", "data": person})
        at = datetime.now(UTC)
        headers = {
            "webhook-id": f"chaos-{number}",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(f"chaos-{number}", at, body),
            "content-type": "application/json",
        }
        begun = time.monotonic()
        answer = httpx.post(self.url, content=body, headers=headers, timeout=60)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.codes.append(answer.status_code)
        return answer.text


def service_of(here: House) -> Caller:
    """A service with keys, and the way to its door."""
    with transaction() as session:
        made, keys = services.create(session, name=f"trac-{next(_number)}", at=now())
        return Caller(f"{here.url}/webhooks/{made.name}", keys.secret)
