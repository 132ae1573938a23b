"""A worker answers bells at once, and needs none: without Redis mail is late, never lost (invariant 1)."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from mailer import db, doorbell, redis_server, settings
from mailer.demo import post_office
from mailer.migrations import migrate
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from mailer.worker import Lane, work_once
from tests import factories
from tests.conftest import Configure
from tests.front.processes import free_port, started, wait_for

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BELL = ("essential", "rq_jobs.deliver.deliver", "essential")


@pytest.fixture
def caught(database: str, configure: Configure) -> Iterator[None]:
    """A post office that catches what a worker sends."""
    configure(post_office_port=free_port())
    log = settings.current().data_dir / "post-office.log"
    with started("post-office", log=log):
        wait_for(lambda: _listens(settings.current().post_office_port), "no post office")
        yield


def _listens(port: int) -> bool:
    from mailer.up import _is_taken

    return _is_taken("127.0.0.1", port)


def put(to: str) -> None:
    with db.transaction() as session:
        factories.message(session, factories.contact(session, to))


def has_come(to: str) -> bool:
    return bool(post_office.newest(to))


def test_without_any_redis_mail_goes_out_at_the_start_and_by_looking(caught: None, tmp_path: Path) -> None:
    put("first@people.example")
    with started("worker", "--lane", "essential", log=tmp_path / "log"):
        wait_for(lambda: has_come("first@"), "the start found nothing")
        put("second@people.example")
        wait_for(lambda: has_come("second@"), "looking found nothing")
    assert "Redis is away" in (tmp_path / "log").read_text()


def test_a_bell_is_answered_also_after_redis_was_emptied_or_killed(
    caught: None, configure: Configure, tmp_path: Path
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="mailer-redis-"))
    url = f"unix://{folder / 'redis.sock'}"
    configure(redis_url=url, sweep_seconds=3600)  # no look in time: what comes, comes by a bell
    with started("worker", "--lane", "essential", log=tmp_path / "log") as worker:
        for which in ("first", "again"):
            with redis_server.running(folder, folder / "redis.sock"), Redis.from_url(url) as client:
                wait_for(lambda client=client: client.scard("rq:workers") == 1, "the worker does not listen")
                put(f"{which}@people.example")
                assert doorbell.ring(*BELL)
                wait_for(lambda which=which: has_come(f"{which}@"), "the bell was not heard")
                client.flushall()
                put(f"{which}-emptied@people.example")
                assert doorbell.ring(*BELL)
                wait_for(lambda which=which: has_come(f"{which}-emptied@"), "the bell after FLUSHALL was not heard")
            assert worker.poll() is None


def test_an_idle_worker_ends_at_once_when_asked(
    database: str, redis_server: Redis, configure: Configure, tmp_path: Path
) -> None:
    configure(sweep_seconds=3600)
    for number in (signal.SIGTERM, signal.SIGINT):
        with started("worker", "--lane", "marketing", log=tmp_path / "log") as worker:
            wait_for(lambda: redis_server.scard("rq:workers") == 1, "the worker does not listen")
            worker.send_signal(number)
            assert worker.wait(3) == 0
            assert redis_server.scard("rq:workers") == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_worker_listens_on_one_queue_and_reads_no_pickle(
    database: str, redis_server: Redis, configure: Configure, tmp_path: Path
) -> None:
    with started("worker", "--lane", "chores", log=tmp_path / "log"):
        wait_for(lambda: redis_server.scard("rq:workers") == 1, "the worker does not listen")
        (key,) = redis_server.smembers("rq:workers")
        assert redis_server.hget(key, "queues") == b"chores"
    assert doorbell.queue("chores").serializer.__name__ == "JSONSerializer"


def test_a_worker_that_comes_before_its_tables_begins_when_they_stand(
    caught: None, configure: Configure, tmp_path: Path
) -> None:
    configure(database_url=f"sqlite:///{tmp_path / 'later.db'}")
    with started("worker", "--lane", "essential", log=tmp_path / "log") as worker:
        wait_for(lambda: "looking without a bell failed" in (tmp_path / "log").read_text(), "it did not notice")
        assert worker.poll() is None
        migrate()
        put("late@people.example")
        wait_for(lambda: has_come("late@"), "it did not try again")


@pytest.mark.parametrize("lane", Lane)
def test_every_lane_can_look_without_a_bell(database: str, lane: Lane) -> None:
    work_once(lane)


def test_two_looks_send_one_mail(caught: None) -> None:
    put("once@people.example")
    looks = [threading.Thread(target=work_once, args=(Lane.ESSENTIAL,)) for _ in range(2)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert len(post_office.newest("once@")) == 1
    with db.reading() as session:
        assert session.scalars(select(Message.state)).all() == [State.ACCEPTED]
