"""RQ's time-out is an exception at any line, and a failed job's words may be personal (TRAPS 9, invariant 12)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from mailer import db, doorbell
from mailer.delivery.routes import CONNECTIONS
from mailer.outbox import queries
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.worker import Lane, LaneWorker
from rq_jobs import deliver, recover
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LONGEST_SMTP_TIMEOUT = 600


@pytest.fixture
def server(database: str, redis_server: Redis, configure: Configure) -> Iterator[Sink]:
    """The next server of both lanes."""
    with sink.running() as running:
        configure(smtp_essential=running.url, smtp_marketing=running.url)
        yield running


def work(redis: Redis, lane: Lane, *ids: str, seconds: int) -> Job:
    """Let a worker of ours do one job with a time-out of so many seconds; gives the job as it is kept afterwards."""
    queue = Queue(lane.value, connection=redis, serializer=JSONSerializer)
    job = queue.enqueue(deliver.JOB, *ids, job_timeout=seconds, result_ttl=0, failure_ttl=60)
    LaneWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="WARNING")
    return Job.fetch(job.id, connection=redis, serializer=JSONSerializer)


def find(row: int) -> Message:
    with db.reading() as session:
        return session.get_one(Message, row)


@pytest.mark.parametrize(
    ("kind", "lane"), [(MailKind.ADMINISTRATIVE, Lane.ESSENTIAL), (MailKind.CAMPAIGN, Lane.MARKETING)]
)
def test_a_mail_that_the_time_out_struck_is_in_doubt(
    server: Sink, redis_server: Redis, kind: MailKind, lane: Lane
) -> None:
    with db.transaction() as session:
        reader = factories.contact(session, topics=["news"])
        row = factories.message(session, reader, kind=kind, topic="news" if kind is MailKind.CAMPAIGN else None).row
    release = threading.Event()
    server.replies["."] = lambda _line: "250 kept" if release.wait(30) else "drop"
    assert work(redis_server, lane, lane.value, seconds=1).is_failed
    release.set()
    assert len(server.mails) == 1, "the server has it"
    assert find(row).state is State.SENDING, "nobody knows yet"
    with db.reading() as session:
        assert queries.attempts(session, session.get_one(Message, row)) == []
    recover.from_journals()
    if kind is MailKind.CAMPAIGN:
        assert find(row).state is State.UNKNOWN, "it is not sent twice"
    else:
        assert find(row).state is State.QUEUED


def test_a_job_is_over_long_before_the_time_out(configure: Configure, database: str) -> None:
    configure(smtp_timeout_seconds=LONGEST_SMTP_TIMEOUT, lease_seconds=3600)
    one_mail = 2 * LONGEST_SMTP_TIMEOUT + deliver.GRACE  # connecting, and the transaction
    assert deliver.DRAIN_SECONDS + one_mail < doorbell.JOB_SECONDS


def test_no_mail_begins_when_the_time_of_a_job_is_over(server: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "DRAIN_SECONDS", 2.5)

    def slow(_line: str) -> str:
        time.sleep(1)
        return "250 kept"

    server.replies["."] = slow
    with db.transaction() as session:
        rows = [factories.message(session).row for _ in range(4 * CONNECTIONS)]
    sent = deliver.deliver("essential")
    assert 0 < sent < len(rows)
    assert {find(row).state for row in rows} == {State.ACCEPTED, State.QUEUED}, "the rest was given back"
    assert doorbell.queue("essential").count == 1, "and rung for"


def test_the_words_of_a_failed_job_stand_neither_in_the_log_nor_in_redis(
    server: Sink, redis_server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    job = work(redis_server, Lane.ESSENTIAL, "anna@people.example", seconds=10)  # no channel of ours
    assert job.is_failed
    result = job.latest_result()
    assert result is not None
    assert not result.exc_string
    assert "rq_jobs.deliver.deliver failed" in caplog.text
    assert "ValueError" in caplog.text
    assert "anna" not in caplog.text
