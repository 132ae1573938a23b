"""A worker whose lease went to another lets go of what it held, and takes other mail in hand at once (TRAPS 10)."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select, update

from mailer import clock, db
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from rq_jobs.deliver import deliver
from tests import factories
from tests.chaos import sink
from tests.conftest import Configure
from tests.front.processes import wait_for

LETTERS = 100


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_lost_the_lease_drops_what_waits_and_goes_on_with_other_mail(
    database: str, redis_server: Redis, configure: Configure, tmp_path: Path
) -> None:
    with sink.running(record=tmp_path / "mails.jsonl", delay=0.5) as server:
        configure(smtp_essential=server.url, smtp_marketing=server.url, lease_seconds=5, smtp_timeout_seconds=2)
        put(LETTERS)
        worker = threading.Thread(target=deliver, args=("essential",))
        worker.start()
        wait_for(lambda: server.counts()["accepted"] >= 4, "nothing went out")
        with db.transaction() as session:
            until = clock.now() + timedelta(hours=1)
            session.execute(
                update(Message).where(Message.state == State.SENDING).values(lease_token="lse_other", due_at=until)
            )
        (row,) = put(1)
        wait_for(lambda: state_of(row) is State.ACCEPTED, "the next letter waits behind mail that is another's", 20)
        worker.join(20)
        assert not worker.is_alive()


def put(count: int) -> list[int]:
    with db.transaction() as session:
        return [factories.message(session).row for _ in range(count)]


def state_of(row: int) -> State:
    with db.reading() as session:
        return session.scalars(select(Message.state).where(Message.row == row)).one()
