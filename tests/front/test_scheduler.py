"""The scheduler sweeps in every round and does a day's work once a day; what fails is tried again."""

from __future__ import annotations

import signal
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import clock, db, scheduler, settings
from mailer.policies import actions as policies
from mailer.policies.models import VersionEffect
from tests import factories
from tests.conftest import Configure
from tests.front.processes import started, wait_for


def effects() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(VersionEffect)) or 0


def test_a_day_is_done_once_and_the_next_one_again(session: Session) -> None:
    factories.policy(session, "first")
    session.commit()
    today = clock.local_day(clock.now(), settings.current().zone)
    assert scheduler.tick(None) == today
    done = effects()
    assert done == 1
    factories.policy(session, "second")
    session.commit()
    assert scheduler.tick(today) == today
    assert effects() == done
    assert scheduler.tick(today - timedelta(days=1)) == today
    assert effects() == done + 1


def test_a_day_whose_work_failed_is_not_done(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    yesterday = date(2026, 1, 1)
    assert scheduler.tick(yesterday) == yesterday  # there is no database at all
    assert "rq_jobs.schedule.run failed" in caplog.text
    assert "rq_jobs.sweep.sweep failed" in caplog.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_schedulers_do_a_days_work_once_and_end_when_asked(
    database: str, session: Session, configure: Configure, tmp_path: Path
) -> None:
    policies.import_first(session, slug="one", title="One", text="Words.", effective_on=None, at=clock.now())
    session.commit()
    configure(sweep_seconds=1)
    log = tmp_path / "log"
    with started("scheduler", log=log) as one, started("scheduler", log=log) as two:
        wait_for(lambda: effects() > 0, "nobody did the day's work")
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
    assert effects() == 1
    assert "Traceback" not in log.read_text()
