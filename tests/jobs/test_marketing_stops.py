"""Marketing under no limit stops without Redis too, and not only when its worker's turn is over (DESIGN §8, pacing)."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest

from mailer import db, redis_server
from mailer.outbox import actions as outbox
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.chaos import sink
from tests.conftest import Configure
from tests.front.processes import wait_for

READERS = 400
SOON = 4.0  # seconds; what is in hand may still go


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_marketing_under_no_limit_stops_soon_after_redis_is_gone(
    database: str, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PARCEL", 50)
    folder = Path(tempfile.mkdtemp(prefix="mailer-redis-"))
    with sink.running(record=tmp_path / "mails.jsonl", delay=0.2) as server:
        with redis_server.running(folder, folder / "redis.sock") as url:
            configure(smtp_essential=server.url, smtp_marketing=server.url, redis_url=url)
            with db.transaction() as session:
                for _ in range(READERS):
                    factories.contact(session, topics=["news"])
                mailing = factories.mailing(session)
            fan_out(mailing.id)
            worker = threading.Thread(target=deliver, args=("marketing",))
            worker.start()
            wait_for(lambda: server.counts()["accepted"] >= 20, "nothing went out")
        time.sleep(SOON)
        then = server.counts()["accepted"]
        time.sleep(SOON)
        try:
            assert server.counts()["accepted"] == then < READERS
        finally:
            worker.join(70)
            shutil.rmtree(folder, ignore_errors=True)
