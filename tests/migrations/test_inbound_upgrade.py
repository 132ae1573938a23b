"""Mail that an earlier release kept is all there, once, and what an erasure emptied stays empty."""

from __future__ import annotations

import hashlib

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer import migrations
from mailer.inbound import actions as inbound
from mailer.inbound import queries
from mailer.inbound.models import InboundBytes, InboundMail
from tests.migrations.test_migrations import AT

BEFORE = "0003_parcels"
ONE = {"sha256": "1" * 64, "raw": b"one", "sender": "a@b.nl", "door": "smtp", "received_at": AT, "state": "kept"}
ONE |= {"attempts": 0, "reasons": [], "subject": "", "from_address": "", "message_id_header": "", "visible_text": ""}
ONE |= {"locale": "", "matched_by": ""}
MAILS = [
    ONE | {"id": "inb_1", "recipient": "x@c.nl", "raw": b""},  # erased
    ONE | {"id": "inb_2", "recipient": "y@c.nl"},
    ONE | {"id": "inb_3", "recipient": "x@c.nl", "sha256": "2" * 64, "raw": b"", "state": "settled"},
]


@pytest.fixture
def old(empty: Engine) -> Engine:
    """A database as the release before left it."""
    _fill(empty)
    return empty


def _fill(engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), BEFORE)
        tables = MetaData()
        tables.reflect(connection, only=["inbound_mails"])
        connection.execute(tables.tables["inbound_mails"].insert(), MAILS)


def test_every_mail_keeps_its_bytes_and_its_door(old: Engine) -> None:
    migrations.migrate(old)
    with Session(old) as session:
        mails = list(session.scalars(select(InboundMail).order_by(InboundMail.id)))
        assert [mail.raw for mail in mails] == [b"one", b"one", b""]
        assert [list(queries.doors_of(session, mail.id)) for mail in mails] == [["smtp"]] * 3
        assert [mail.is_vouched for mail in mails] == [True] * 3
        assert sorted(kept.size for kept in session.scalars(select(InboundBytes))) == [0, 3]


def test_the_same_bytes_again_are_the_mail_that_was_there(old: Engine) -> None:
    raw = b"Subject: x\r\nMessage-ID: <1@b.nl>\r\n\r\nx"
    with old.begin() as connection:
        changed = {"raw": raw, "digest": hashlib.sha256(raw).hexdigest()}
        connection.execute(text("UPDATE inbound_mails SET raw = :raw, sha256 = :digest WHERE id = 'inb_2'"), changed)
    migrations.migrate(old)
    with Session(old) as session:
        again = inbound.keep(session, raw, sender="a@b.nl", recipient="y@c.nl", door="pipe", at=AT)
        assert again == "inb_2"
        assert list(queries.doors_of(session, again)) == ["smtp", "pipe"]


def test_arrivals_are_never_changed(old: Engine) -> None:
    migrations.migrate(old)
    with pytest.raises(DBAPIError, match="inbound_arrivals is append-only"), old.begin() as connection:
        connection.exec_driver_sql("DELETE FROM inbound_arrivals")
