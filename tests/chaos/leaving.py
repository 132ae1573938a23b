"""4. People leave by the link in their mail while it goes out to all: nothing begins after the answer (invariant 3)."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

import httpx
from sqlalchemy import select

from mailer.consent import links
from mailer.consent.rules import Channel, Withheld
from mailer.db import reading
from mailer.outbox import queries
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from tests.chaos import proof, writing
from tests.chaos.house import House, Scene, house, wait_until
from tests.chaos.proof import Told
from tests.chaos.sink import Record

LEAVERS = 20
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PATIENCE = 90.0


@dataclass(frozen=True)
class Plan:
    """So many mails are queued when the first of them leave."""

    mails: int
    delay: float  # seconds of a round trip
    seed: int = 4


SHORT = Plan(mails=500, delay=0.08)
FULL = Plan(mails=5_000, delay=0.03)


@dataclass
class Leaver:
    """One of those who leave, and when the answer was here, in seconds since 1970."""

    address: str
    link: str
    answered_at: float = 0.0
    code: int = 0

    def leave(self, client: httpx.Client) -> None:
        self.code = client.post(self.link, data=ONE_CLICK).status_code
        self.answered_at = time.time()


@dataclass
class _Crowd:
    """Those who leave, one after the other, all through the sending."""

    leavers: list[Leaver] = field(default_factory=list)

    def leave_beside(self, here: House, mails: int) -> None:
        """Each at its share of the way, in a thread of its own: an answer takes its time."""
        threads = []
        with httpx.Client(base_url=here.url, timeout=60) as client:
            for number, leaver in enumerate(self.leavers):
                wanted = mails // 10 + number * mails // (2 * LEAVERS)
                assert wait_until(lambda wanted=wanted: here.sink.counts()["accepted"] >= wanted, PATIENCE)
                threads.append(threading.Thread(target=leaver.leave, args=(client,)))
                threads[-1].start()
            for thread in threads:
                thread.join()


def run(plan: Plan) -> Told:
    """Twenty leave at random places of the queue while it is sent."""
    with house(delay=plan.delay) as here:
        author = writing.add_people(plan.mails)
        with here.up():
            return leave(Scene(here, author, plan.mails), plan)


def leave(scene: Scene, plan: Plan) -> Told:
    """The same in a house that stands, where nothing was sent before."""
    told = Told(f"{LEAVERS} leave while {plan.mails:,} mails are queued")
    here, author = scene.house, scene.author
    here.sink.delay(plan.delay)
    mailing_id = writing.send(author, MailKind.CAMPAIGN)
    assert wait_until(lambda: here.sink.counts()["accepted"] > 0, PATIENCE)
    crowd = _Crowd(_choose(mailing_id, plan))
    crowd.leave_beside(here, plan.mails)
    out = wait_until(lambda: proof.rest().open == 0, PATIENCE)
    late = here.sink.counts()["late_ms"] / 1000
    told.claim("mails that never went out", int(out is None))
    told.claim("leavers not answered with 200", sum(leaver.code != 200 for leaver in crowd.leavers))
    begun = {row.envelope_to: row.mail_at for row in Record.load(here.sink.record).rows}
    # the server may read a command a moment after it came: so late was it at most, by its own measure
    after = [one for one in crowd.leavers if begun.get(one.address, 0.0) > one.answered_at + late]
    told.claim("mails begun after the answer", len(after))
    had_it = sum(one.address in begun for one in crowd.leavers)
    told.claim("leavers who still stood in the queue", LEAVERS - had_it, most=LEAVERS, least=1)
    told.figures |= {"had_it_before_or_within_the_answer": had_it, "server_late_seconds": late}
    with reading() as session:
        left_out = queries.left_out(session, mailing_id)
    told.claim(
        "leavers in the queue not withheld as such", abs(left_out.get(Withheld.UNSUBSCRIBED, 0) + had_it - LEAVERS)
    )
    found = proof.gather(Record.load(here.sink.record))
    others = [one for one in found.of(Channel.MARKETING) if one.state is not State.WITHHELD]
    told.claim("mails to the others not taken exactly once", sum(len(found.copies(one)) != 1 for one in others))
    proof.books_agree(told)
    return told


def _choose(mailing_id: str, plan: Plan) -> list[Leaver]:
    """Half of those about to be written to, half from anywhere behind them."""
    query = select(Message).where(Message.mailing_id == mailing_id, Message.state == State.QUEUED)
    with reading() as session:
        waiting = session.scalars(query.order_by(Message.row)).all()
    dice = random.Random(plan.seed)
    near = [waiting[plan.mails // 10 + number * plan.mails // (2 * LEAVERS)] for number in range(0, LEAVERS, 2)]
    far = dice.sample(waiting[plan.mails * 2 // 3 :], LEAVERS - len(near))
    mixed = [one for pair in zip(near, far, strict=True) for one in pair]
    return [Leaver(one.to_address, links.leave_url("", one.contact_id, one.id, one.key_id)) for one in mixed]
