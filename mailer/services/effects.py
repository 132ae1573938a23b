"""What each event in does: one action of the room it concerns. Reading and keeping it happened before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.campaigns import content
from mailer.consent import actions as consent
from mailer.consent import queries as consent_queries
from mailer.consent.rules import Channel, why_withheld
from mailer.contacts import actions as contacts
from mailer.contacts import queries as contact_queries
from mailer.delivery import content as wording
from mailer.errors import Invalid
from mailer.ledger import actions as ledger
from mailer.notices import queries as notices
from mailer.notices import unreached
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies import queries as policies
from mailer.policies import rules as policy_rules
from mailer.services import payloads, rules
from mailer.services.payloads import Heard
from mailer.services.rules import EventIn
from mailer.staff import tasks
from mailer.terminations import actions as terminations
from mailer.terminations.rules import State

_WHY = {"en": "It concerns your account.", "nl": "Het gaat over uw account."}
Result = dict[str, Any]


class FromTheFuture(Invalid):
    """A thing that is said to have happened later than now."""


@dataclass(frozen=True)
class Source:
    """Who said it, in words for the record, and the id of the call."""

    words: str
    call_id: str


def apply(session: Session, heard: Heard, source: Source, at: datetime) -> Result:
    """Do what an event says; what is told back are ids and plain facts."""
    return _EFFECTS[heard.kind](session, heard.payload, source, at)


def _upserted(session: Session, said: payloads.ContactUpserted, source: Source, at: datetime) -> Result:
    contact = contacts.upsert(
        session,
        reference=said.reference,
        email=said.email,
        name=said.name,
        company=said.company,
        locale=said.locale,
        time_zone=said.time_zone,
        origin=said.origin,
        is_consumer=said.consumer,
        source=source.words,
        at=at,
    )
    return {"contact": contact.id}


def _closed(session: Session, said: payloads.ContactClosed, _source: Source, at: datetime) -> Result:
    contact = contact_queries.get_by_reference(session, said.reference)
    contacts.close(session, contact, at)
    return {"contact": contact.id}


def _active(session: Session, said: payloads.ContactActive, source: Source, at: datetime) -> Result:
    _check_past(said.used_at, "used_at", at)
    contact = contact_queries.get_by_reference(session, said.reference)
    used_on = clock.local_day(said.used_at, settings.current().zone)
    contacts.record_use(session, contact, used_on, said.used_at, source.words, said.automatic)
    return {"contact": contact.id, "used_on": used_on.isoformat()}


def _granted(session: Session, said: payloads.ConsentGranted, source: Source, at: datetime) -> Result:
    """A consent that is older than the person's leaving, and only comes in late, does not undo the leaving."""
    _check_past(said.at, "at", at)
    contact = contact_queries.get_by_reference(session, said.reference)
    current = consent_queries.subscriptions(session, contact.id).get(said.topic)
    if current is None or current.is_subscribed or current.since < said.at:
        consent.grant(
            session,
            contact,
            said.topic,
            basis=said.basis,
            wording=said.wording,
            source=source.words,
            evidence=said.evidence,
            at=said.at,
        )
    withheld = why_withheld(Channel.MARKETING, said.topic, consent_queries.standing(session, contact))
    return {"contact": contact.id, "topic": said.topic, "withheld": withheld.value if withheld else None}


def _withdrawn(session: Session, said: payloads.ConsentWithdrawn, source: Source, at: datetime) -> Result:
    contact = contact_queries.get_by_reference(session, said.reference)
    if said.topic is None:
        return {"contact": contact.id, "stopped": consent.leave_all(session, contact, source=source.words, at=at)}
    consent.withdraw(session, contact, said.topic, source=source.words, at=at)
    return {"contact": contact.id, "stopped": [said.topic]}


def _requested(session: Session, said: payloads.MessageRequested, source: Source, at: datetime) -> Result:
    contact = contact_queries.get_by_reference(session, said.reference)
    letter = content.facts(content.write(said.subject, said.body))
    why = _WHY[contact.locale]
    content_id = wording.freeze(session, MailKind.ADMINISTRATIVE, contact.locale, letter, at, why=why)
    message = outbox.put(
        session, kind=MailKind.ADMINISTRATIVE, contact=contact, content_id=content_id, key=source.call_id, at=at
    )
    ledger.record(session, "message.requested", at, contact_id=contact.id, message=message.id, call=source.call_id)
    return {"contact": contact.id, "message": message.id}


def _shown(session: Session, said: payloads.AnnouncementShown, source: Source, at: datetime) -> Result:
    _check_past(said.shown_at, "shown_at", at)
    contact = contact_queries.get_by_reference(session, said.reference)
    ledger.record(
        session,
        "announcement.shown",
        at,
        contact_id=contact.id,
        announcement=said.announcement,
        shown_at=said.shown_at.isoformat(),
        call=source.call_id,
    )
    notice = notices.find(session, said.announcement, contact.id)
    counts = False
    if notice is not None:
        evidence = f"shown by {source.words}, call {source.call_id}"
        counts = unreached.shown(session, notice, said.shown_at, evidence, at)
    return {"contact": contact.id, "counts": counts}


def _terminated(session: Session, said: payloads.TerminationReceived, source: Source, at: datetime) -> Result:
    _check_past(said.at, "at", at)
    contact = contact_queries.get_by_reference(session, said.reference)
    notice = _notice(session, contact.id, said.version)
    termination = terminations.receive(
        session,
        contact=contact,
        version=policies.get_version(session, notice.version_id) if notice else None,
        respond_by_on=notice.respond_by_on if notice else None,
        received_at=said.at,
        received_on=clock.local_day(said.at, settings.current().zone),
        source_id=source.call_id,
        state=State.RECORDED,  # the service knows its user: that person signed in there
        at=at,
    )
    return {"contact": contact.id, "termination": termination.id, "version": termination.version_id}


def _rights(session: Session, said: payloads.RightsRequested, source: Source, at: datetime) -> Result:
    _check_past(said.at, "at", at)
    contact = contact_queries.get_by_reference(session, said.reference)
    config = settings.current()
    due_on = policy_rules.rights_due(clock.local_day(said.at, config.zone), policy_rules.holidays_of(config.country))
    task = tasks.open_task(
        session,
        key=f"rights/{source.call_id}",
        kind="rights_request",
        text=f"Request about one's own data ({said.request}). {said.text}".strip(),
        subject_id=source.call_id,
        contact_id=contact.id,
        due_on=due_on,
        at=at,
    )
    return {"contact": contact.id, "task": task.id, "due_on": due_on.isoformat()}


def _notice(session: Session, contact_id: str, version_id: str | None) -> Notice | None:
    """The notice a termination answers: that of the version it names, else the one that stands open, if it is one."""
    query = select(Notice).where(Notice.contact_id == contact_id, Notice.state != NoticeState.ENDED)
    if version_id is not None:
        found = session.scalar(query.where(Notice.version_id == version_id))
        if found is None:
            raise Invalid(
                f"version: this person has no notice of “{version_id}”; leave it out if you do not know it.",
                field="version",
            )
        return found
    open_ones = session.scalars(query).all()
    return open_ones[0] if len(open_ones) == 1 else None


def _check_past(instant: datetime, field: str, at: datetime) -> None:
    if rules.is_from_the_future(instant, at):
        raise FromTheFuture(f"{field}: this lies in the future; send it when it has happened.", field=field)


_EFFECTS: dict[EventIn, Callable[[Session, Any, Source, datetime], Result]] = {
    EventIn.CONTACT_UPSERTED: _upserted,
    EventIn.CONTACT_CLOSED: _closed,
    EventIn.CONTACT_ACTIVE: _active,
    EventIn.CONSENT_GRANTED: _granted,
    EventIn.CONSENT_WITHDRAWN: _withdrawn,
    EventIn.MESSAGE_REQUESTED: _requested,
    EventIn.ANNOUNCEMENT_SHOWN: _shown,
    EventIn.TERMINATION_RECEIVED: _terminated,
    EventIn.RIGHTS_REQUESTED: _rights,
}
