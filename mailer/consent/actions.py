"""Record what people say about marketing mail, and who must not be mailed (S1, S13)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailer import db, signing
from mailer.consent import queries
from mailer.consent.models import ConsentEvent, ConsentEvidence, Subscription, Suppression, Topic
from mailer.consent.rules import STOPS_ESSENTIAL, Act, Basis, SuppressionReason, is_agreement
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.errors import Invalid
from mailer.ledger import actions as ledger

UNDO_WORDING = "I did not mean to leave; send me this topic again."


class NoConsent(Invalid):
    """Something else than a person's word about marketing mail."""

    field = "source"


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
    """The person agreed to a topic; said after an unsubscribe, it takes that back for this topic.

    Imports ask `queries.left_at` first: no file undoes a person's own word (TRAPS 25).
    """
    queries.get_topic(session, topic)
    if contact.origin is Origin.THIRD_PARTY:
        raise ThirdParty("origin: this person was entered by a customer and may not be written to for promotion.")
    if not evidence.strip():
        raise NoEvidence("evidence: say how this person agreed (form, date, place); consent without evidence is none.")
    for address in contact.addresses:
        lift(session, address.email_key, SuppressionReason.UNSUBSCRIBED, at, made_before=at)
    return _add(session, contact, topic, Act.GRANTED, basis, wording, source, at, evidence)


def withdraw(session: Session, contact: Contact, topic: str, *, source: str, at: datetime) -> None:
    """The person leaves one topic."""
    queries.get_topic(session, topic)
    _lock(session, contact)
    current = queries.subscriptions(session, contact.id).get(topic)
    if current is None or current.is_subscribed:
        _add(session, contact, topic, Act.WITHDRAWN, Basis.CONSENT, "", source, at, "")


def leave_all(session: Session, contact: Contact, *, source: str, at: datetime) -> list[str]:
    """The person leaves all marketing mail. Returns the topics that stopped now; once more changes nothing."""
    _lock(session, contact)
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
    """The person says on the preference page which topics they want: ticking one takes a former leaving back,
    ticking none is leaving all.
    """
    if not chosen or contact.origin is Origin.THIRD_PARTY:
        leave_all(session, contact, source=source, at=at)
        return
    current = queries.subscriptions(session, contact.id)
    for address in contact.addresses:
        lift(session, address.email_key, SuppressionReason.UNSUBSCRIBED, at)
    for topic in queries.topics(session):
        is_on = topic.key in current and current[topic.key].is_subscribed
        if topic.key in chosen and not is_on:
            ticked = f"ticked on {source}"
            _add(session, contact, topic.key, Act.GRANTED, Basis.CONSENT, topic.wording, source, at, ticked)
        elif topic.key not in chosen and is_on:
            withdraw(session, contact, topic.key, source=source, at=at)


def take_over(session: Session, kept: Contact, other: Contact, at: datetime) -> None:
    """Two rows become one person: what either left stays left; what only the other subscribed to is not carried over.

    To be called while both still have their addresses.
    """
    source = f"merge of {other.id}"
    left = (
        SuppressionReason.UNSUBSCRIBED in queries.reasons_against(session, one.email_key) for one in other.addresses
    )
    if any(left):
        leave_all(session, kept, source=source, at=at)
    for topic, row in queries.subscriptions(session, other.id).items():
        if not row.is_subscribed:
            withdraw(session, kept, topic, source=source, at=at)


def suppress(session: Session, email_key: str, reason: SuppressionReason, *, source: str, at: datetime) -> bool:
    """Do not mail this address any more, for this reason; False if that stands already."""
    stops_essential = reason in STOPS_ESSENTIAL
    row = db.insert(session, Suppression).values(
        email_key=email_key, reason=reason, stops_essential=stops_essential, source=source[:200], at=at
    )
    standing = row.on_conflict_do_nothing(
        index_elements=["email_key", "reason"], index_where=Suppression.lifted_at.is_(None)
    )
    return session.scalar(standing.returning(Suppression.id)) is not None


def lift(
    session: Session, email_key: str, reason: SuppressionReason, at: datetime, made_before: datetime | None = None
) -> datetime | None:
    """End a suppression (one made before an instant, if that is said); when it was made, or None if none stood."""
    standing = [Suppression.email_key == email_key, Suppression.reason == reason, Suppression.lifted_at.is_(None)]
    if made_before is not None:
        standing.append(Suppression.at < made_before)
    made = session.scalar(select(Suppression.at).where(*standing))
    if made is not None:
        session.execute(
            update(Suppression).where(*standing).values(lifted_at=at).execution_options(synchronize_session=False)
        )
    return made


def forget(session: Session, contact: Contact) -> None:
    """Take an erased person out of this room, before the addresses go: evidence goes, suppressions lose the address.

    What was said stays, under the contact's id; a suppression stays under the address's keyed hash.
    """
    session.execute(delete(ConsentEvidence).where(ConsentEvidence.contact_id == contact.id))
    for address in contact.addresses:
        unnamed = f"erased:{signing.keyed_digest('erased-address', address.email_key)}"
        session.execute(
            update(Suppression)
            .where(Suppression.email_key == address.email_key)
            .values(email_key=unnamed, source="")
            .execution_options(synchronize_session=False)
        )


def _lock(session: Session, contact: Contact) -> None:
    """Lock the person's row, so that two acts of one person come one after the other."""
    session.flush()  # refresh would drop what is not written yet
    session.refresh(contact, with_for_update=True)


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
    if is_agreement(source):
        raise NoConsent("source: an agreement with a policy is no consent; name another source.")
    event = ConsentEvent(
        contact_id=contact.id, topic=topic, act=act, basis=basis, wording=wording, source=source[:120], at=at
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
