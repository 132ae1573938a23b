"""`db.reading()`: what only looks takes no lock, leaves nothing behind, and is told to the server once."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer import db
from mailer.contacts.models import Contact
from tests import factories

PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%contacts%'")


def test_what_is_written_while_only_reading_does_not_stay(session: Session, database: str) -> None:
    if database.startswith("postgresql"):
        with pytest.raises(DBAPIError, match="read-only"), db.reading() as looking:
            factories.contact(looking)
    else:
        with db.reading() as looking:
            factories.contact(looking)
            looking.flush()
    assert session.scalars(select(Contact)).all() == []


def test_who_only_read_can_write_afterwards(session: Session) -> None:
    with db.reading() as looking:
        assert looking.scalars(select(Contact)).all() == []
    with db.transaction() as writing:
        factories.contact(writing)
    assert len(session.scalars(select(Contact)).all()) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite's statements are kept by its driver
def test_a_statement_stays_prepared_from_one_look_to_the_next(database: str) -> None:
    for _ in range(10):  # psycopg prepares what it has sent five times
        with db.reading() as looking:
            looking.scalars(select(Contact.id)).all()
    with db.reading() as looking:
        assert looking.scalar(PREPARED) == 1
