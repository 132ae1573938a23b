"""The look before a mail goes says what the rule says, for every combination of facts (invariant 3)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.consent import actions
from mailer.consent import queries as consent
from mailer.consent.rules import SuppressionReason, Withheld, why_withheld
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.outbox import actions as outbox
from mailer.outbox import look
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from tests import factories
from tests.consent.test_audience_sql import AT, every_combination, put


def put_messages(session: Session) -> None:
    """To everybody one of each kind that may stand in the outbox, at the address they have or at none."""
    for kind in (MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN):
        content_id = factories.content(session, kind=kind)
        for contact in session.scalars(select(Contact).order_by(Contact.id)):
            if kind is MailKind.CAMPAIGN and contact.origin is Origin.THIRD_PARTY:
                continue
            session.add(
                Message(
                    contact_id=contact.id,
                    kind=kind,
                    channel=kind.channel,
                    topic="news" if kind is MailKind.CAMPAIGN else None,
                    content_id=content_id,
                    key_id="aaaa",
                    to_address=contact.primary.email if contact.primary else "",
                    state=State.SENDING,
                    created_at=AT,
                )
            )
    session.flush()


def test_the_look_says_what_the_rule_says_on_every_combination(session: Session) -> None:
    put(session, every_combination())
    put_messages(session)
    messages = session.scalars(select(Message)).all()
    stops = dict(look.again(session, [message.row for message in messages]))
    for message in messages:
        assert message.contact_id is not None
        contact = session.get_one(Contact, message.contact_id)
        rule = why_withheld(message.channel, message.topic, consent.standing(session, contact))
        assert stops.get(message.row) is rule, (message.channel, contact.id)
    assert set(stops.values()) == set(Withheld) - {Withheld.CANCELLED, Withheld.THIRD_PARTY}


def test_a_suppression_counts_however_the_address_is_written(session: Session) -> None:
    anna = factories.contact(session, "Anna.De.Vries@People.example")
    row = factories.message(session, anna, at=AT).row
    actions.suppress(session, "anna.de.vries@people.example", SuppressionReason.HARD_BOUNCE, source="test", at=AT)
    assert dict(look.again(session, [row])) == {row: Withheld.DEAD_ADDRESS}


def test_a_bare_address_is_stopped_by_its_being_dead_or_erased_and_by_nothing_else(session: Session) -> None:
    content_id = factories.content(session)
    rows = {
        name: outbox.put(
            session,
            kind=MailKind.ANSWER,
            contact=None,
            to_address=f"{name}@people.example",
            content_id=content_id,
            key=name,
            at=AT,
        ).row
        for name in ("well", "dead", "left")
    }
    for name, reason in (("dead", SuppressionReason.HARD_BOUNCE), ("left", SuppressionReason.UNSUBSCRIBED)):
        actions.suppress(session, f"{name}@people.example", reason, source="test", at=AT)
    assert dict(look.again(session, list(rows.values()))) == {rows["dead"]: Withheld.DEAD_ADDRESS}
