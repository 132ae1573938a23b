"""Record what people say about marketing mail, and who must not be mailed (S1, S13)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.consent import queries
from mailer.consent.models import ConsentEvent, ConsentEvidence, Subscription, Suppression, Topic
from mailer.consent.rules import STOPS_ESSENTIAL, Act, Basis, SuppressionReason
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.errors import Invalid
from mailer.ledger import actions as ledger

UNDO_WORDING = "I did not mean to leave; send me this topic again."


class NoEvidence(Invalid):
    """Consent without evidence is no consent (S13)."""

    field = "evidence"


class ThirdParty(Invalid):
    """Data that a customer entered about somebody else is never used for promotion (S9)."""

    field = "origin"


def add_topic(session: Session, key: str, name: str, wording: str, position: int = 0) -> Topic:
    """Set up a topic, or correct its words."""
    return session.merge(Topic(key=key, name=name, wording=wording, position=position))


def grant(
    session: Session,
    contact: Contact,
    topic: str,
    *,
    basis: Basis,
    wording: str,
    source: str,
    at: datetime,
    evidence: str = "",
) -> ConsentEvent:
    """The person agreed to a topic. Imports ask `has_left` first: no file undoes a person's own word (TRAPS 25)."""
    queries.get_topic(session, topic)
    if contact.origin is Origin.THIRD_PARTY:
        raise ThirdParty("origin: this person was entered by a customer and may not be written to for promotion.")
    if not evidence.strip():
        raise NoEvidence("evidence: say how this person agreed (form, date, place); consent without evidence is none.")
    return _add(session, contact, topic, Act.GRANTED, basis, wording, source, at, evidence)


def has_left(session: Session, contact: Contact, topic: str) -> bool:
    """Whether the person withdrew from this topic, or unsubscribed from everything; an import must respect it."""
    current = queries.subscriptions(session, contact.id).get(topic)
    if current is not None and not current.is_subscribed:
        return True
    primary = contact.primary
    return primary is not None and SuppressionReason.UNSUBSCRIBED in queries.reasons_against(session, primary.email_key)


def withdraw(session: Session, contact: Contact, topic: str, *, source: str, at: datetime) -> None:
    """The person leaves one topic."""
    queries.get_topic(session, topic)
    current = queries.subscriptions(session, contact.id).get(topic)
    if current is None or current.is_subscribed:
        _add(session, contact, topic, Act.WITHDRAWN, Basis.CONSENT, "", source, at, "")


def leave_all(session: Session, contact: Contact, *, source: str, at: datetime) -> list[str]:
    """The person leaves all marketing mail. Returns the topics that stopped now; once more changes nothing."""
    session.refresh(contact, with_for_update=True)  # ordered against the last look before a send
    stopped = [row.topic for row in queries.subscriptions(session, contact.id).values() if row.is_subscribed]
    for topic in stopped:
        withdraw(session, contact, topic, source=source, at=at)
    for address in contact.addresses:
        suppress(session, address.email_key, SuppressionReason.UNSUBSCRIBED, source=source, at=at)
    return sorted(stopped)


def undo_leave(session: Session, contact: Contact, *, source: str, at: datetime) -> list[str]:
    """The person takes the last leaving back: what stopped with it is on again, on the person's own word."""
    lifted = [
        at_left
        for address in contact.addresses
        if (at_left := lift(session, address.email_key, SuppressionReason.UNSUBSCRIBED, at)) is not None
    ]
    if not lifted or contact.origin is Origin.THIRD_PARTY:
        return []
    back = [
        row.topic
        for row in queries.subscriptions(session, contact.id).values()
        if not row.is_subscribed and row.since in lifted
    ]
    for topic in back:
        _add(session, contact, topic, Act.GRANTED, Basis.CONSENT, UNDO_WORDING, source, at, f"undo pressed on {source}")
    return sorted(back)


def choose(session: Session, contact: Contact, chosen: set[str], *, source: str, at: datetime) -> None:
    """The person says on the preference page which topics they want; ticking one takes a former leaving back."""
    current = queries.subscriptions(session, contact.id)
    wanted = set() if contact.origin is Origin.THIRD_PARTY else chosen
    if wanted:
        for address in contact.addresses:
            lift(session, address.email_key, SuppressionReason.UNSUBSCRIBED, at)
    for topic in queries.topics(session):
        is_on = topic.key in current and current[topic.key].is_subscribed
        if topic.key in wanted and not is_on:
            _add(
                session,
                contact,
                topic.key,
                Act.GRANTED,
                Basis.CONSENT,
                topic.wording,
                source,
                at,
                f"ticked on {source}",
            )
        elif topic.key not in wanted and is_on:
            withdraw(session, contact, topic.key, source=source, at=at)


def suppress(session: Session, email_key: str, reason: SuppressionReason, *, source: str, at: datetime) -> bool:
    """Do not mail this address any more, for this reason; False if that stands already."""
    if reason in queries.reasons_against(session, email_key):
        return False
    stops_essential = reason in STOPS_ESSENTIAL
    session.add(Suppression(email_key=email_key, reason=reason, stops_essential=stops_essential, source=source, at=at))
    session.flush()
    return True


def lift(session: Session, email_key: str, reason: SuppressionReason, at: datetime) -> datetime | None:
    """End a suppression; when it was made, or None if none stood."""
    standing = (Suppression.email_key == email_key, Suppression.reason == reason, Suppression.lifted_at.is_(None))
    made = session.scalar(select(Suppression.at).where(*standing))
    if made is not None:
        session.execute(update(Suppression).where(*standing).values(lifted_at=at))
    return made


def _add(
    session: Session,
    contact: Contact,
    topic: str,
    act: Act,
    basis: Basis,
    wording: str,
    source: str,
    at: datetime,
    evidence: str,
) -> ConsentEvent:
    event = ConsentEvent(
        contact_id=contact.id, topic=topic, act=act, basis=basis, wording=wording, source=source, at=at
    )
    session.add(event)
    session.flush()
    if evidence:
        session.add(ConsentEvidence(event_id=event.id, contact_id=contact.id, evidence=evidence))
    session.merge(
        Subscription(contact_id=contact.id, topic=topic, is_subscribed=act is Act.GRANTED, since=at, event_id=event.id)
    )
    session.flush()
    ledger.record(
        session, f"consent.{act}", at, contact_id=contact.id, topic=topic, basis=basis, consent_event=event.id
    )
    ledger.tell(session, "subscription.changed", at, contact_id=contact.id, topic=topic, act=act.value)
    return event
