"""A database that grew a hundredfold within seconds is read by index, also on connections that knew it small."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from mailer import db
from mailer.clock import now
from mailer.outbox.models import Mailing
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.benchmarks.sending import people

PEOPLE = 6_000
ADD_ATTEMPTS = text(
    "INSERT INTO attempts (message_row, at, route, outcome, code, reply) "
    "SELECT id, now(), 'main', 'accepted', 250, 'Ok' FROM messages ORDER BY id DESC LIMIT 100"
)
READ_WHOLE = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'messages'")


@pytest.fixture
def waiting(session: Session, redis_server: str) -> Mailing:
    """A mailing to thousands of which nothing is fanned out, beside one single message."""
    _shrink()
    people.add(session, PEOPLE, 1, now())
    factories.message(session, factories.contact(session))
    mailing = factories.mailing(session)
    session.commit()
    return mailing


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite plans anew at each statement
def test_a_connection_that_knew_the_table_nearly_empty_does_not_read_all_of_it_for_each_row(
    waiting: Mailing,
) -> None:
    with db.engine().connect() as kept:
        kept.execute(text("ANALYZE messages"))
        kept.commit()
        for _ in range(8):  # PostgreSQL keeps a plan for checking the reference once it has made five
            kept.execute(ADD_ATTEMPTS)
        kept.commit()
        fan_out(waiting.id)
        before = _scans(kept)
        kept.execute(ADD_ATTEMPTS)
        assert _scans(kept) - before <= 1


def test_the_planner_hears_of_growth_once(session: Session, database: str) -> None:
    if database.startswith("postgresql"):
        _shrink()
    people.add(session, PEOPLE, 1, now())
    grown = db.note_growth(session, "addresses", "contacts", "messages")
    assert grown == (["addresses", "contacts"] if database.startswith("postgresql") else [])
    assert db.note_growth(session, "addresses", "contacts", "messages") == []


def _shrink() -> None:
    """Give back what the rows of earlier tests took: the size of the files is what counts here."""
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (FULL, ANALYZE) messages, contacts, addresses"))


def _scans(connection: Connection) -> int:
    return int(connection.execute(READ_WHOLE).scalar() or 0)
