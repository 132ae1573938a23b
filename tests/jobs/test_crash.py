"""kill -9 of a real worker in the middle of a mail; Redis emptied or away (invariants 1 and 5)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from mailer import clock, db, doorbell
from mailer.ledger import queries as ledger
from mailer.ledger.rules import Whole
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from rq_jobs.sweep import sweep
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink
from tests.front.processes import started, wait_for


@pytest.fixture
def server(database: str, configure: Configure) -> Iterator[Sink]:
    """The next server of both lanes, in the demo, whose clock may be moved."""
    with sink.running() as running:
        database_url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=running.url, smtp_marketing=running.url, database_url=database_url, demo=True)
        yield running


def put(email: str, kind: MailKind) -> int:
    with db.transaction() as session:
        topic = "news" if kind is MailKind.CAMPAIGN else None
        to = factories.contact(session, email, topics=["news"])
        return factories.message(session, to, kind=kind, topic=topic).row


def find(row: int) -> Message:
    with db.reading() as session:
        return session.get_one(Message, row)


def hold(release: threading.Event) -> Callable[[str], str]:
    """The server has the mail, and does not answer."""

    def wait(_line: str) -> str:
        release.wait(30)
        return "drop"

    return wait


@pytest.mark.parametrize(("kind", "lane"), [(MailKind.ADMINISTRATIVE, "essential"), (MailKind.CAMPAIGN, "marketing")])
def test_a_worker_killed_in_the_middle_of_a_mail_loses_nothing(
    server: Sink, tmp_path: Path, kind: MailKind, lane: str
) -> None:
    on_the_wire, waiting = put("first@people.example", kind), put("second@people.example", kind)
    release = threading.Event()
    server.replies["."] = hold(release)
    with started("worker", "--lane", lane, log=tmp_path / "log") as process:
        wait_for(lambda: len(server.mails) == 1, "no mail came")
        process.kill()
        process.wait(10)
    release.set()
    del server.replies["."]
    assert find(on_the_wire).state is find(waiting).state is State.SENDING
    sweep()
    assert find(waiting).state is State.SENDING  # its lease still holds
    clock.move_to(clock.now() + timedelta(minutes=10))
    sweep()
    assert deliver(lane) == (2 if kind is MailKind.ADMINISTRATIVE else 1)
    assert find(waiting).state is State.ACCEPTED
    if kind is MailKind.ADMINISTRATIVE:
        assert find(on_the_wire).state is State.ACCEPTED
        assert server.mails.count(server.mails[0]) == 2  # the same Message-ID, the same bytes
        assert server.recipients.count("first@people.example") == 2
    else:
        assert find(on_the_wire).state is State.UNKNOWN
        assert server.recipients == ["first@people.example", "second@people.example"]
    with db.reading() as session:
        assert isinstance(ledger.verify(session), Whole)


def test_without_redis_a_bell_says_so_and_the_mail_goes_out_all_the_same(server: Sink) -> None:
    row = put("a@people.example", MailKind.ADMINISTRATIVE)
    assert not doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    sweep()
    assert deliver("essential") == 1
    assert find(row).state is State.ACCEPTED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_after_redis_was_emptied_the_sweep_rings_for_what_waits(server: Sink, redis_server: Redis) -> None:
    put("a@people.example", MailKind.ADMINISTRATIVE)
    assert doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    redis_server.flushall()
    assert doorbell.queue("essential").count == 0
    sweep()
    assert doorbell.queue("essential").count == 1
    assert doorbell.queue("marketing").count == 0
    (waiting,) = doorbell.queue("essential").jobs
    assert (waiting.func_name, waiting.args) == ("rq_jobs.deliver.deliver", ["essential"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_crowded_queue_gets_no_further_bell(server: Sink, redis_server: Redis) -> None:
    for _ in range(doorbell.CROWDED + 5):
        assert doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    assert doorbell.queue("essential").count == doorbell.CROWDED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_bells_of_one_job_do_not_hide_another(server: Sink, redis_server: Redis) -> None:
    for _ in range(doorbell.CROWDED):
        doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    for _ in range(2):
        assert doorbell.ring("chores", "rq_jobs.read_mail.read_mail")
        assert doorbell.ring("chores", "rq_jobs.fan_out.fan_out", "mlg_1")
    waiting = [(bell.func_name, list(bell.args)) for bell in doorbell.queue("chores").get_jobs()]
    assert waiting.count(("rq_jobs.read_mail.read_mail", [])) == 1
    assert waiting.count(("rq_jobs.fan_out.fan_out", ["mlg_1"])) == 1


def test_a_fan_out_twice_and_beside_itself_makes_one_message_each(
    server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailer.outbox import actions as outbox
    from mailer.outbox import audience

    with db.transaction() as session:
        people = {factories.contact(session, topics=["news"]).id for _ in range(30)}
        made = outbox.create_mailing(
            session,
            kind=MailKind.CAMPAIGN,
            subject_id="cmp_1",
            contents={"en": factories.content(session, MailKind.CAMPAIGN)},
            audience=audience.of_topic("news"),
            topic="news",
            at=clock.now(),
        )
    monkeypatch.setattr(outbox.fan_out_slice, "__defaults__", (4,))  # eight slices, so that the two meet
    for _ in range(2):
        threads = [threading.Thread(target=fan_out, args=(made.id,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with db.transaction() as session:
            rows = session.scalars(select(Message.contact_id).where(Message.mailing_id == made.id)).all()
            assert len(rows) == 30
            assert set(rows) == people
            outbox.again(session.get_one(type(made), made.id))
