"""Real workers and a real Redis that is emptied again and again: everything goes out all the same (invariant 1)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select

from mailer import db, doorbell
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from rq_jobs import fan_out
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.front.processes import started, wait_for

READERS = 60


def send_a_campaign() -> str:
    with db.transaction() as session:
        for _ in range(READERS):
            factories.contact(session, topics=["news"])
        mailing = factories.mailing(session)
    return mailing.id


def accepted() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).where(Message.state == State.ACCEPTED)) or 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_redis_emptied_while_mail_goes_out_costs_nobody_their_mail(
    database: str, configure: Configure, redis_server: Redis, tmp_path: Path
) -> None:
    with sink.running() as server:

        def kept(_line: str) -> str:
            redis_server.flushall()  # after every single mail
            return "250 kept"

        server.replies["."] = kept
        configure(smtp_essential=server.url, smtp_marketing=server.url, sweep_seconds=1)
        mailing_id = send_a_campaign()
        with (
            started("worker", "--lane", "chores", log=tmp_path / "chores"),
            started("worker", "--lane", "marketing", log=tmp_path / "marketing"),
            started("worker", "--lane", "essential", log=tmp_path / "essential"),
            started("scheduler", log=tmp_path / "scheduler"),
        ):
            doorbell.ring("chores", fan_out.JOB, mailing_id)
            redis_server.flushall()  # nobody may have heard it
            wait_for(lambda: accepted() == READERS, "some mail was lost")
            with db.transaction() as session:
                row = factories.message(session, factories.contact(session)).row  # and no bell at all for this one
            wait_for(lambda: accepted() == READERS + 1, "an essential mail was lost")
    assert set(Counter(server.recipients).values()) == {1}
    with db.reading() as session:
        assert session.get_one(Message, row).state is State.ACCEPTED
