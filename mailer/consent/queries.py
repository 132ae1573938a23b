"""What stands about a person: topics, subscriptions, suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.consent.models import ConsentEvent, Subscription, Suppression, Topic
from mailer.consent.rules import Standing, SuppressionReason
from mailer.contacts import rules as contact_rules
from mailer.contacts.models import Contact
from mailer.errors import NotFound


class NoSuchTopic(NotFound):
    """A topic that nobody set up."""

    status = 422
    field = "topic"


def topics(session: Session) -> Sequence[Topic]:
    """Every topic, in the order people see."""
    return session.scalars(select(Topic).order_by(Topic.position, Topic.key)).all()


def get_topic(session: Session, key: str) -> Topic:
    found = session.get(Topic, key)
    if found is None:
        known = ", ".join(topic.key for topic in topics(session)) or "none yet"
        raise NoSuchTopic(f"topic: “{key}” is not a topic; the topics are: {known}.")
    return found


def subscriptions(session: Session, contact_id: str) -> dict[str, Subscription]:
    """The contact's standing on each topic they ever spoke about."""
    rows = session.scalars(select(Subscription).where(Subscription.contact_id == contact_id))
    return {row.topic: row for row in rows}


def history(session: Session, contact_id: str) -> Sequence[ConsentEvent]:
    """Everything the contact said, oldest first."""
    return session.scalars(
        select(ConsentEvent).where(ConsentEvent.contact_id == contact_id).order_by(ConsentEvent.id)
    ).all()


def suppressions(session: Session, email_key: str) -> Sequence[Suppression]:
    """What stands against mailing this address now."""
    query = select(Suppression).where(Suppression.email_key == email_key, Suppression.lifted_at.is_(None))
    return session.scalars(query.order_by(Suppression.id)).all()


def standing(session: Session, contact: Contact, to_address: str | None = None) -> Standing:
    """What stands about a contact, and about the address a message goes to (the primary one if none is named)."""
    topic_rows = subscriptions(session, contact.id).values()
    key = contact_rules.read_address(to_address).key if to_address else _primary_key(contact)
    return Standing(
        origin=contact.origin,
        subscribed=frozenset(row.topic for row in topic_rows if row.is_subscribed),
        left=frozenset(row.topic for row in topic_rows if not row.is_subscribed),
        suppressed=reasons_against(session, key) if key else frozenset(),
        erased=contact.erased_at is not None,
        closed=contact.closed_at is not None,
        has_address=key is not None,
    )


def left_at(session: Session, contact: Contact, topic: str) -> datetime | None:
    """When the person left this topic or everything, if that still stands; an import must respect it (TRAPS 25)."""
    current = subscriptions(session, contact.id).get(topic)
    if current is not None and not current.is_subscribed:
        return current.since
    keys = [address.email_key for address in contact.addresses]
    left = select(Suppression.at).where(
        Suppression.email_key.in_(keys),
        Suppression.reason == SuppressionReason.UNSUBSCRIBED,
        Suppression.lifted_at.is_(None),
    )
    return session.scalar(left.order_by(Suppression.at.desc()).limit(1))


def reasons_against(session: Session, email_key: str) -> frozenset[SuppressionReason]:
    """The reasons that stand against mailing this address."""
    return frozenset(row.reason for row in suppressions(session, email_key))


def _primary_key(contact: Contact) -> str | None:
    return contact.primary.email_key if contact.primary else None
