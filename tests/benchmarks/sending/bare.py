"""The baseline of the fan-out: the same rows and columns into the same table, and nothing asked about anybody."""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import TextClause, bindparam, select, text

from mailer.clock import now
from mailer.contacts.models import Contact
from mailer.db import UtcDateTime, transaction
from mailer.outbox.models import Mailing, Message
from tests.benchmarks.sending import people

SLICE = 20_000
_COLUMNS = {
    "mailing_id": ":mailing",
    "contact_id": "c.id",
    "kind": "'campaign'",
    "channel": "'marketing'",
    "topic": ":topic",
    "origin": "c.origin",
    "content_id": "CASE c.locale WHEN 'nl' THEN :nl ELSE :en END",
    "key_id": ":key",
    "to_address": "a.email",
    "name": "c.name",
    "company": "c.company",
    "state": "'queued'",
    "created_at": ":at",
    "attempts": "0",
}
_FROM = "contacts c JOIN addresses a ON a.contact_id = c.id AND a.is_primary WHERE c.id > :after AND c.id <= :end"


def insert_select(mailing_id: str, count: int) -> float:
    """Seconds for the first `count` people, a commit for every 20,000."""
    with transaction() as session:
        mailing = session.get_one(Mailing, mailing_id)
        values = {"mailing": mailing.id, "topic": mailing.topic, "key": mailing.key_id, **mailing.contents}
        ids = session.scalars(select(Contact.id).where(Contact.id <= people.id_of(count)).order_by(Contact.id)).all()
    ends = dict.fromkeys([*ids[SLICE - 1 :: SLICE], ids[-1]])
    statement = _statement(now())
    begun, after = time.monotonic(), ""
    for end in ends:
        with transaction() as session:
            session.execute(statement, {**values, "after": after, "end": end})
        after = end
    return time.monotonic() - begun


def _statement(at: datetime) -> TextClause:
    columns = dict(_COLUMNS)
    if not Message.__table__.c.due_at.nullable:
        columns["due_at"] = ":at"
    names, values = ", ".join(columns), ", ".join(columns.values())
    made = text(f"INSERT INTO messages ({names}) SELECT {values} FROM {_FROM}")
    return made.bindparams(bindparam("at", at, UtcDateTime()))
