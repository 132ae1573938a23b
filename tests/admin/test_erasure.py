"""After an erasure nothing of the person is found anywhere in the database, and the proof still stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.admin import erasure
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.inbound import actions as inbound
from mailer.inbound import child, decisions, queries
from mailer.ledger import actions as ledger
from mailer.ledger import queries as ledger_queries
from mailer.ledger.models import Event
from mailer.ledger.rules import Whole
from mailer.migrations import tables
from mailer.outbox import lanes
from mailer.outbox.outgoing import Answer, Done
from mailer.outbox.rules import Outcome
from mailer.services import actions as services
from mailer.staff import tasks
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LEASE = timedelta(minutes=2)
PERSONAL = ("quirijn", "zandvoort-marker", "kadewerk", "chatham")


def live(session: Session) -> Contact:
    """A person of whom every room knows something."""
    for key in ("news", "events"):
        factories.topic(session, key)
    service, _ = services.create(session, name="trac", endpoint="", at=AT)
    said = {
        "type": "contact.upserted",
        "timestamp": AT.isoformat(),
        "data": {
            "reference": "ref-quirijn",
            "email": "quirijn@people.example",
            "name": "Quirijn Zandvoort-Marker",
            "company": "Kadewerk",
            "time_zone": "Pacific/Chatham",
            "origin": "account_holder",
        },
    }
    services.receive(session, service, "call-1", json.dumps(said).encode(), AT)
    who = contacts.upsert(
        session,
        email="quirijn@people.example",
        origin=Origin.ACCOUNT_HOLDER,
        at=AT,
        source="test",
        reference="ref-quirijn",
    )
    factories.contact(session, "other@people.example")
    message = factories.message(session, who, at=AT)
    message.facts = {"dear": "Quirijn"}
    session.flush()
    batch = lanes.claim(session, message.channel, AT, LEASE, 1)
    assert batch is not None
    lanes.look_at(session, batch, AT)
    said_no = Answer(Outcome.REFUSED, 550, "5.1.1 <quirijn@people.example> unknown", "essential")
    lanes.settle(session, batch, [Done(batch.mails[0], AT, said_no, "00" * 32)], AT)
    consent.suppress(session, "quirijn@people.example", SuppressionReason.MANUAL, source="asked by Quirijn", at=AT)
    ledger.record(session, "test.done", AT, contact_id=who.id, personal={"email": "quirijn@people.example"})
    tasks.open_task(session, key="t", kind="k", text="Call Quirijn", subject_id="x", contact_id=who.id, at=AT)
    raw = b"From: quirijn@people.example\r\nSubject: From Quirijn\r\n\r\nHello. Groet, Quirijn"
    mail_id = inbound.keep(
        session, raw, sender="quirijn@people.example", recipient="reply+x@reply.example", door="smtp", at=AT
    )
    inbound.act(session, mail_id, child.read_here(raw), AT)
    mail = queries.get(session, mail_id)
    decisions.assign_contact(session, mail, who, factories.staff(session).id, AT)
    session.commit()
    return who


def found(session: Session) -> list[str]:
    """Every table and column that still names the person."""
    places = []
    for table in tables.METADATA.sorted_tables:
        for row in session.execute(select(table)).mappings():
            for column, value in row.items():
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                if any(word in text.lower() for word in PERSONAL):
                    places.append(f"{table.name}.{column}")
    return sorted(set(places))


def test_an_erased_person_is_found_nowhere_and_the_ledger_is_whole(session: Session) -> None:
    who = live(session)
    assert "addresses.email" in found(session)
    assert "attempts.reply" not in found(session)
    erasure.erase(session, who, AT)
    session.commit()
    assert found(session) == []
    assert isinstance(ledger_queries.verify(session), Whole)
    told = session.scalars(select(Event).where(Event.kind == "contact.erased")).all()
    assert [event.data for event in told] == [{"contact": who.id}]


def test_erasing_twice_is_erasing_once(session: Session) -> None:
    who = live(session)
    for _ in range(2):
        erasure.erase(session, who, AT)
        session.commit()
    assert len(session.scalars(select(Event).where(Event.kind == "contact.erased")).all()) == 1
