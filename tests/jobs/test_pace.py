"""A lane keeps its pace, fails over, lets readers sleep, and a mailing that does harm stops itself (docs/pacing.md)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import clock, db, settings
from mailer.consent.rules import LOOK_HOLDS_SECONDS
from mailer.contacts.models import Contact
from mailer.delivery.routes import CONNECTIONS
from mailer.outbox import mailings, queries
from mailer.outbox.models import Attempt, Mailing, Message
from mailer.outbox.rules import MailKind, State
from mailer.staff.models import Task
from rq_jobs import deliver as job
from rq_jobs.clear import clear
from rq_jobs.deliver import deliver
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink

A_MOMENT = 0.05  # seconds that the server takes for a mail
ROUTE = """
[[route]]
name = "{name}"
channel = "marketing"
host = "127.0.0.1"
port = {port}
tls = "none"
{more}
"""


@dataclass
class World:
    """A server, and the file that says how marketing goes to it."""

    server: Sink
    file: Path

    def write(self, *routes: tuple[str, int, str]) -> None:
        self.file.write_text("".join(ROUTE.format(name=name, port=port, more=more) for name, port, more in routes))


@pytest.fixture
def world(database: str, redis_server: Redis, configure: Configure, tmp_path: Path) -> Iterator[World]:
    """Marketing by the routes of a file; one plain route until a test says another thing."""
    with sink.running() as server:
        made = World(server, tmp_path / "routes.toml")
        made.write(("main", server.port, ""))
        configure(
            smtp_essential=server.url,
            routes=made.file,
            database_url=database if database.startswith("postgresql") else "",
        )
        yield made


def campaign(emails: list[str]) -> str:
    """A campaign to these readers, fanned out; its mailing."""
    with db.transaction() as session:
        for email in emails:
            factories.contact(session, email, topics=["news"])
        return factories.fan_out(session, factories.mailing(session)).id


def readers(count: int, domain: str = "people.example") -> list[str]:
    return [f"p{number}@{domain}" for number in range(count)]


def mailing_of(session: Session, mailing_id: str) -> Mailing:
    return session.get_one(Mailing, mailing_id)


def test_a_slow_domain_is_put_off_to_its_turns_and_delays_nobody_else(world: World) -> None:
    slow = '[route.domains."slow.example"]\nrate = 0.05'
    world.write(("main", world.server.port, slow))
    campaign([*readers(5, "slow.example"), *readers(20)])
    assert deliver("marketing") == 21
    assert sum(address.endswith("@people.example") for address in world.server.recipients) == 20
    with db.reading() as session:
        waits = session.scalars(select(Message).where(Message.state == State.QUEUED).order_by(Message.due_at)).all()
    turns = [message.due_at for message in waits if message.due_at is not None]
    assert len(turns) == 4
    assert turns[0] > clock.now()
    gaps = [later - sooner for sooner, later in pairwise(turns)]
    assert min(gaps) > timedelta(seconds=15), "one after the other, and not all at once"
    assert [message.turn_at for message in waits] == turns, "the domain keeps these moments for them"
    with db.transaction() as session:  # their time comes
        session.execute(update(Message).where(Message.state == State.QUEUED).values(due_at=clock.now()))
        session.execute(update(Message).where(Message.state == State.QUEUED).values(turn_at=clock.now()))
    assert deliver("marketing") == 4, "and the domain is not asked a second time"


def test_a_route_that_may_send_little_lets_the_rest_wait_untouched(world: World) -> None:
    world.write(("main", world.server.port, "rate = 0.02"))
    mailing_id = campaign(readers(10))
    sent = deliver("marketing")
    assert sent < 3
    with db.reading() as session:
        assert queries.progress(session, mailing_id) == {State.ACCEPTED: sent, State.QUEUED: 10 - sent}
        assert session.scalars(select(Message.attempts).where(Message.state == State.QUEUED)).all() == [0] * (10 - sent)


def test_a_domain_that_is_warmed_up_sends_no_more_than_its_day_allows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.local_day(clock.now(), settings.current().zone)
    world.write(("main", world.server.port, f"warm_up_from = {today.isoformat()}"))
    mailing_id = campaign(readers(70))
    monkeypatch.setattr(job, "DRAIN_SECONDS", 5.0)
    assert deliver("marketing") == 50
    assert deliver("marketing") == 0
    with db.reading() as session:
        assert queries.progress(session, mailing_id) == {State.ACCEPTED: 50, State.QUEUED: 20}


def test_a_mailings_own_pace_holds_that_mailing_only(world: World) -> None:
    mailing_id = campaign(readers(10))
    with db.transaction() as session:
        mailings.set_pace(session, mailing_of(session, mailing_id), 60, clock.now(), "stf_1")
        to = factories.contact(session, "single@people.example", topics=["news"])
        factories.message(session, to, kind=MailKind.CAMPAIGN, topic="news")
    sent = deliver("marketing")
    assert 1 < sent < 6
    assert "single@people.example" in world.server.recipients
    with db.reading() as session:
        hold = mailing_of(session, mailing_id).hold_until
        assert hold is not None
        assert hold > clock.now() - timedelta(seconds=5)


def test_readers_sleep_until_their_morning(world: World, configure: Configure) -> None:
    mailing_id = campaign(readers(3))
    night = clock.now().astimezone(configure().zone)
    quiet = f"{night - timedelta(hours=1):%H:%M}-{night + timedelta(hours=2):%H:%M}"
    with db.transaction() as session:
        far = session.scalars(select(Contact).order_by(Contact.id)).all()[0]
        far.time_zone = "Pacific/Auckland" if night.hour != 23 else "America/Lima"
    configure(quiet_hours=quiet)
    assert deliver("marketing") == 1, "whose day it is; the mailing sleeps as most of its readers do"
    with db.reading() as session:
        hold = mailing_of(session, mailing_id).hold_until
        assert hold is not None
        assert timedelta(hours=1) < hold - clock.now() < timedelta(hours=3)
        assert queries.progress(session, mailing_id) == {State.ACCEPTED: 1, State.QUEUED: 2}
    configure(quiet_hours="")
    with db.transaction() as session:
        mailing_of(session, mailing_id).hold_until = None
    assert deliver("marketing") == 2


def test_mail_goes_by_the_next_route_when_the_first_is_away(world: World) -> None:
    with sink.running() as gone:
        port = gone.port
    world.write(
        ("first", port, "order = 1"), ("second", world.server.port, 'order = 2\nfrom = "Us <us@second.example>"')
    )
    campaign(readers(8))
    assert deliver("marketing") == 8
    with db.reading() as session:
        assert set(session.scalars(select(Attempt.route))) == {"second"}
        assert set(session.scalars(select(Message.sent_from))) == {"Us <us@second.example>"}
    assert all(b"From: Us <us@second.example>\r\n" in mail for mail in world.server.mails)


def test_routes_share_mail_by_their_weight(world: World) -> None:
    with sink.running() as other:
        world.write(("light", other.port, "weight = 1"), ("heavy", world.server.port, "weight = 9"))
        campaign(readers(200))
        assert deliver("marketing") == 200
        assert 2 <= len(other.mails) <= 50
        assert len(other.mails) + len(world.server.mails) == 200


def test_a_mailing_that_bounces_pauses_itself_and_goes_on_when_a_person_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.replies["RCPT"] = lambda line: "550 5.1.1 gone" if "dead" in line else "250 ok"
    mailing_id = campaign([*readers(470), *(f"dead{number}@people.example" for number in range(40))])
    monkeypatch.setattr(job, "CLAIM", 50)
    deliver("marketing")
    with db.reading() as session:
        paused = mailing_of(session, mailing_id)
        assert paused.paused_at is not None
        assert paused.paused_why.startswith("Paused by itself:")
        [task] = session.scalars(select(Task).where(Task.kind == "mailing_paused")).all()
        assert (task.subject_id, task.text) == (mailing_id, paused.paused_why)
    with db.transaction() as session:
        mailings.resume(session, mailing_of(session, mailing_id), clock.now(), "stf_1")
    deliver("marketing")
    with db.reading() as session:
        assert mailing_of(session, mailing_id).paused_at is None, "it is judged anew from where a person let it go on"


def test_pause_and_cancel_act_within_a_second_while_mail_goes_out(world: World) -> None:
    mailing_id = campaign(readers(400))
    first = threading.Semaphore()
    in_a_look = CONNECTIONS * (LOOK_HOLDS_SECONDS / A_MOMENT + 2)  # what may begin until the look is stale

    def slow(_line: str) -> str:
        time.sleep(A_MOMENT)
        if len(world.server.mails) >= 40 and first.acquire(blocking=False):
            with db.transaction() as session:
                mailings.pause(session, mailing_of(session, mailing_id), "Wait.", clock.now(), "stf_1")
        return "250 kept"

    world.server.replies["."] = slow
    deliver("marketing")
    sent = len(world.server.mails)
    assert 40 <= sent <= 40 + CONNECTIONS + in_a_look
    with db.reading() as session:
        assert queries.progress(session, mailing_id) == {State.ACCEPTED: sent, State.QUEUED: 400 - sent}
    with db.transaction() as session:
        mailing = mailing_of(session, mailing_id)
        mailings.resume(session, mailing, clock.now(), "stf_1")
        mailings.cancel(session, mailing, clock.now(), "stf_1")
    assert deliver("marketing") == 0
    clear(mailing_id)
    with db.reading() as session:
        assert queries.progress(session, mailing_id) == {State.ACCEPTED: sent, State.WITHHELD: 400 - sent}


def test_a_route_that_fails_is_left_alone_for_a_while(world: World) -> None:
    with sink.running() as gone:
        port = gone.port
    world.write(("main", port, ""))
    campaign(readers(8))
    for _ in range(6):
        assert deliver("marketing") == 0
    with db.transaction() as session:
        tries = session.scalars(select(Attempt)).all()
        assert 1 <= len(tries) <= 6
    before = len(tries)
    assert deliver("marketing") == 0
    with db.reading() as session:
        assert len(session.scalars(select(Attempt)).all()) == before, "its breaker is open: nobody asks"
