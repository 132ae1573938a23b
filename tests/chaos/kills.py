"""1. `kill -9` of any process at any time, while the server that takes the mail misbehaves a little (invariant 5)."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import psutil

from mailer import clock, ids
from mailer.app import create_app
from mailer.consent.rules import Channel
from mailer.outbox.rules import MailKind, State
from mailer.staff.models import Staff
from tests import factories
from tests.chaos import proof, writing
from tests.chaos.house import CONNECTIONS, ROLES, Tree, house, wait_until
from tests.chaos.postgres import Server
from tests.chaos.proof import Told
from tests.chaos.sink import Deed, Moment, Record, Rule

RECOVERY = 90.0  # seconds from the last kill until all is settled that may be tried at once
POSTGRESQL = "postgresql"
ROUNDS = 8  # of letting time pass for what the server put off


@dataclass(frozen=True)
class Plan:
    """How much: `mails` of each channel, `letters` of them single ones, and so many kills."""

    mails: int
    letters: int
    kills: int
    delay: float  # seconds of a round trip to the server
    seed: int = 4
    sweep_seconds: int = 30


SHORT = Plan(mails=300, letters=30, kills=6, delay=0.02, sweep_seconds=1)
FULL = Plan(mails=20_000, letters=2_000, kills=200, delay=0.004)

# a hundredth of all mails meets one of these
MISBEHAVIOUR = (
    Rule(Moment.DOT, Deed.DROP, chance=0.004),
    Rule(Moment.DOT, Deed.HALF, chance=0.002),
    Rule(Moment.DOT, text="451 4.3.0 try again later", chance=0.004),
    Rule(Moment.DOT, text="421 4.7.0 closing", chance=0.002),
    Rule(Moment.MAIL, text="421 4.3.2 going down", chance=0.002),
    Rule(Moment.RCPT, text="451 4.7.1 greylisted", chance=0.004),
)


def run(plan: Plan, server: Server | None = None) -> Told:
    """Send, kill, let it recover, and hold the sink's record against the database."""
    told = Told(f"kills, {'PostgreSQL' if server else 'SQLite'}")
    database = server.new_database() if server else ""
    delay, sweep = plan.delay, plan.sweep_seconds
    with house(*MISBEHAVIOUR, seed=plan.seed, delay=delay, database=database, sweep_seconds=sweep) as here:
        author = writing.add_people(plan.mails - plan.letters)
        letters = writing.Letters(plan.letters, pause=0.02)
        with here.up() as tree:
            writing.send(author, MailKind.ANNOUNCEMENT)
            writing.send(author, MailKind.CAMPAIGN)
            begun = time.monotonic()
            with letters.on_their_way():
                killed = _kill(tree, plan, server)
            told.figures["seconds_of_kills"] = round(time.monotonic() - begun, 1)
            recovered = wait_until(lambda: proof.rest().open == 0, 2 * RECOVERY)
            here.sink.rules()
            _let_time_pass()
        told.claim("seconds until all is settled after the last kill", recovered or 2 * RECOVERY, most=RECOVERY)
        told.claim("processes killed", sum(killed.values()), most=plan.kills, least=plan.kills)
        told.figures |= {f"killed_{role.replace(' ', '_')}": count for role, count in sorted(killed.items())}
        found = proof.gather(Record.load(here.sink.record))
        doubts = {channel: CONNECTIONS * killed[f"worker {channel}"] for channel in Channel}
        proof.nothing_lost(told, found, doubts)
        proof.books_agree(told)
        told.claim("letters put and not in the record", len(set(letters.kept) - set(found.kept)))
        unknown = {one.row for one in found.kept.values() if one.state is State.UNKNOWN}
        told.claim("mails in doubt that the staff's list does not show", len(unknown - set(_listed(author))))
    return told


def _kill(tree: Tree, plan: Plan, server: Server | None) -> Counter[str]:
    """Kill at moments told by how far the sending is, so that they fall among the mails on any machine."""
    dice = random.Random(plan.seed)
    total = 2 * plan.mails
    moments = sorted(dice.sample(range(total // 50, total - total // 20), plan.kills))
    roles = [*ROLES, POSTGRESQL] if server else list(ROLES)
    killed: Counter[str] = Counter()
    for moment in moments:
        wait_until(lambda moment=moment: _taken(tree) >= moment, 120)
        time.sleep(dice.uniform(0, 0.05))
        role = dice.choice(roles)
        if role == POSTGRESQL and server is not None:
            server.kill_and_start()
            killed[role] += 1
        else:
            killed[_kill_one(tree, role, dice)] += 1
    return killed


def _taken(tree: Tree) -> int:
    return tree.house.sink.counts()["accepted"]


def _kill_one(tree: Tree, role: str, dice: random.Random) -> str:
    """Kill a process of this role, or of the next that lives; which it was."""
    after = [*ROLES, *ROLES][ROLES.index(role) :]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for one in after:
            living = tree.of(one)
            if living:
                with suppress(psutil.NoSuchProcess):
                    dice.choice(living).kill()
                    return one
        time.sleep(0.05)
    raise AssertionError("nothing came back to be killed")


def _let_time_pass() -> None:
    """Move the clock to the last of the later tries, until none is left; the server has come to its senses."""
    for _ in range(ROUNDS):
        left = proof.rest()
        if left.later + left.open == 0:
            return
        if left.latest is not None:
            clock.move_to(left.latest + timedelta(seconds=1))
        wait_until(lambda: proof.rest().open == 0, 60)


def _listed(reader: Staff) -> Iterator[int]:
    """The mails in doubt as the staff's list shows them, page by page."""
    app = create_app()
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    browser = app.test_client()
    browser.post("/admin/sign-in", data={"email": reader.email, "password": factories.PASSWORD})
    before: dict[str, str] = {}
    while True:
        page = browser.get("/admin/messages/", query_string={"state": "unknown", "format": "csv"} | before)
        rows = [ids.message_row(line.partition(",")[0]) for line in page.text.splitlines()[1:]]
        yield from (row for row in rows if row is not None)
        if not rows:
            return
        before = {"before": str(rows[-1])}
