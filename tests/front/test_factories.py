"""The factories and fixtures themselves: what other tests lean on."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.ledger import queries as ledger
from mailer.ledger.rules import Whole
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from tests import factories


def test_a_test_begins_with_an_empty_database(session: Session) -> None:
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_factories_make_rows_that_both_databases_take(session: Session) -> None:
    person = factories.contact(session, topics=["news"])
    message = factories.message(session, person)
    version = factories.policy(session)
    factories.staff(session)
    session.commit()
    assert message.state is State.QUEUED
    assert version.slug == "privacy"
    assert isinstance(ledger.verify(session), Whole)
