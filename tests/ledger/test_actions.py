from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer import db
from mailer.ledger import actions as ledger
from mailer.ledger import queries
from mailer.ledger.models import Event, LedgerDetail, LedgerEntry
from mailer.ledger.rules import Broken, Whole

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
THREADS, EACH = 8, 10


def write(count: int) -> None:
    for number in range(count):
        with db.transaction() as session:
            ledger.record(session, "test.done", AT, number=number)


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)))


def tamper(session: Session, statement: str) -> None:
    """Change what the triggers guard, as somebody with the database in hand would."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        session.execute(text("DROP TRIGGER ledger_entries_no_update"))
        session.execute(text("DROP TRIGGER ledger_entries_no_delete"))
    session.execute(text(statement))


def test_entries_are_chained_when_the_transaction_commits(session: Session) -> None:
    ledger.record(session, "test.first", AT, version="ver_1")
    ledger.record(session, "test.second", AT, contact_id="con_1", personal={"email": "anna@people.example"})
    assert kinds(session) == []
    session.commit()
    outcome = queries.verify(session)
    assert isinstance(outcome, Whole)
    assert outcome.entries == 2
    assert [entry.kind for entry in queries.about(session, "con_1")] == ["test.second"]


def test_a_rollback_leaves_nothing(session: Session) -> None:
    ledger.record(session, "test.lost", AT)
    session.rollback()
    ledger.record(session, "test.kept", AT)
    session.commit()
    assert kinds(session) == ["test.kept"]


def test_a_session_that_is_closed_without_a_commit_leaves_nothing(session: Session) -> None:
    session.execute(text("SELECT 1"))
    ledger.record(session, "test.lost", AT)
    session.close()
    ledger.record(session, "test.kept", AT)
    session.commit()
    assert kinds(session) == ["test.kept"]


def test_a_savepoint_takes_only_its_own_entries_with_it(session: Session) -> None:
    ledger.record(session, "test.before", AT)
    with session.begin_nested():
        ledger.record(session, "test.inside", AT)
    lost = session.begin_nested()
    with session.begin_nested():
        ledger.record(session, "test.lost", AT)
    lost.rollback()
    ledger.record(session, "test.after", AT)
    session.commit()
    assert kinds(session) == ["test.before", "test.inside", "test.after"]
    assert isinstance(queries.verify(session), Whole)


def test_facts_that_cannot_be_spelled_are_refused_where_they_are_said(session: Session) -> None:
    with pytest.raises(TypeError):
        ledger.record(session, "test.bad", AT, what=object())


def test_eight_writers_make_one_chain_without_a_gap(database: str) -> None:
    threads = [threading.Thread(target=write, args=(EACH,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        outcome = queries.verify(session)
        assert isinstance(outcome, Whole), outcome
        assert outcome.entries == THREADS * EACH


def test_the_database_itself_refuses_to_change_or_remove_an_entry(database: str) -> None:
    write(1)
    for statement in ("UPDATE ledger_entries SET kind = 'x'", "DELETE FROM ledger_entries"):
        with db.transaction() as session, pytest.raises(DatabaseError, match="append-only"):
            session.execute(text(statement))
        with db.reading() as session:
            assert isinstance(queries.verify(session), Whole)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE ledger_entries SET kind = 'test.other' WHERE seq = 2", Broken(2, "entry 2 was changed")),
        ("DELETE FROM ledger_entries WHERE seq = 2", Broken(3, "entry 2 is missing")),
    ],
)
def test_tampering_is_found(session: Session, statement: str, broken: Broken) -> None:
    write(3)
    tamper(session, statement)
    assert queries.verify(session) == broken


def test_erased_details_keep_the_chain_whole_and_changed_ones_do_not(session: Session) -> None:
    ledger.record(session, "test.first", AT, contact_id="con_1", personal={"email": "anna@people.example"})
    ledger.record(session, "test.second", AT, contact_id="con_2", personal={"email": "bob@people.example"})
    session.commit()
    assert ledger.forget(session, "con_1") == 1
    session.commit()
    assert isinstance(queries.verify(session), Whole)
    assert [row.contact_id for row in session.scalars(select(LedgerDetail))] == ["con_2"]
    session.execute(text("UPDATE ledger_details SET body = '{}'"))
    assert queries.verify(session) == Broken(2, "the details of entry 2 were changed")


def test_nothing_personal_stands_in_the_chain_itself(session: Session) -> None:
    ledger.record(session, "test.done", AT, contact_id="con_1", personal={"email": "anna@people.example"})
    session.commit()
    assert all("anna" not in repr(row) for row in queries.links(session))


def test_other_services_are_told_by_ids(session: Session) -> None:
    ledger.tell(session, "test.told", AT, contact_id="con_1", topic="news")
    session.commit()
    told = session.scalars(select(Event)).one()
    assert (told.kind, told.data, told.spread) == ("test.told", {"contact": "con_1", "topic": "news"}, False)
