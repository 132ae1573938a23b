"""What the API tells of a contact and a message: ids and standings, no addresses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.consent import queries as consent
from mailer.consent.rules import Channel, why_withheld
from mailer.contacts.models import Contact
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.standing import queries as standings
from mailer.notices.standing.rules import Bound, Held
from mailer.outbox import queries as outbox
from mailer.outbox.models import Message
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.terminations.models import Termination
from mailer.terminations.rules import TERMINATES, Timing


def contact(found: Contact) -> dict[str, Any]:
    """Who a contact is to us."""
    return {
        "id": found.id,
        "reference": found.reference,
        "origin": found.origin.value,
        "locale": found.locale,
        "time_zone": found.time_zone,
        "is_consumer": found.is_consumer,
        "created_at": _instant(found.created_at),
        "closed_at": _instant(found.closed_at),
    }


def standing(session: Session, found: Contact, at: datetime) -> dict[str, Any]:
    """What may be sent to a contact, and what of each policy binds now or is pending."""
    now = consent.standing(session, found)
    essential = why_withheld(Channel.ESSENTIAL, None, now)
    topics = {}
    for topic in consent.topics(session):
        why = why_withheld(Channel.MARKETING, topic.key, now)
        topics[topic.key] = {"may": why is None, "withheld": why.value if why else None}
    today = clock.local_day(at, settings.current().zone)
    in_time = select(Termination.version_id).where(
        Termination.contact_id == found.id, Termination.state.in_(TERMINATES), Termination.timing != Timing.LATE
    )
    policy_standing = standings.of(session, found, today, set(session.scalars(in_time)))
    return {
        "id": found.id,
        "reference": found.reference,
        "as_of": _day(today),
        "is_consumer": found.is_consumer,
        "binding": [_bound(one) for one in policy_standing.binding],
        "pending": [_pending(one, found, today) for one in policy_standing.pending],
        "essential": {"may": essential is None, "withheld": essential.value if essential else None},
        "marketing": topics,
        "policies": [_policy(session, found, shelf, at) for shelf in policies.shelves(session)],
        "terminations": _terminations(session, found),
    }


def _bound(bound: Bound) -> dict[str, Any]:
    held = bound.version
    agreed = held.agreed.value if held.agreed else None
    return {
        "policy": held.policy,
        "version": held.number,
        "version_id": held.version_id,
        "since": _day(bound.since),
        "agreed": agreed,
    }


def _pending(held: Held, found: Contact, today: date) -> dict[str, Any]:
    return {
        "policy": held.policy,
        "version": held.number,
        "version_id": held.version_id,
        "effective_on": _day(held.effective_on),
        "state": held.state.value if held.state else None,
        "via": held.via.value if held.days else None,
        "notified_on": _day(held.days.notified_on if held.days else None),
        "respond_by_on": _day(held.days.respond_by_on if held.days else None),
        "binding_on": _day(held.days.binding_on if held.days else None),
        "may_answer": held.may_answer(today),
        "terminated": held.terminated,
        "agreed": held.agreed.value if held.agreed else None,
        "needs_express_agreement": found.is_consumer and held.is_noticed and held.agreed_on is None,
    }


def message(session: Session, found: Message) -> dict[str, Any]:
    """Where one mail stands. “accepted” is what the next server did; nobody knows more than that."""
    return {
        "id": found.id,
        "contact": found.contact_id,
        "kind": found.kind.value,
        "channel": found.channel.value,
        "state": found.state.value,
        "withheld": found.withheld.value if found.withheld else None,
        "created_at": _instant(found.created_at),
        "settled_at": _instant(found.settled_at),
        "bounced_at": _instant(found.bounced_at),
        "attempts": [
            {"at": _instant(attempt.at), "outcome": attempt.outcome.value, "code": attempt.code}
            for attempt in outbox.attempts(session, found)
        ],
    }


def _policy(session: Session, found: Contact, shelf: policies.Shelf, at: datetime) -> dict[str, Any]:
    today = clock.local_day(at, settings.current().zone)
    current = shelf.in_force(today)
    query = select(Notice, Version.number).join(Version, Version.id == Notice.version_id)
    mine = query.where(Notice.contact_id == found.id, Version.policy_id == shelf.policy.id).order_by(Version.number)
    agreed = set(session.scalars(select(DeemedAgreement.version_id).where(DeemedAgreement.contact_id == found.id)))
    return {
        "policy": shelf.policy.slug,
        "in_force": current.number if current else None,
        "pending": [version.number for version in shelf.pending(today)],
        "notices": [
            {
                "version": number,
                "version_id": notice.version_id,
                "state": notice.state.value,
                "notified_on": _day(notice.notified_on),
                "respond_by_on": _day(notice.respond_by_on),
                "binding_on": _day(notice.binding_on),
                "deemed_to_agree": notice.version_id in agreed,
            }
            for notice, number in session.execute(mine)
        ],
    }


def _terminations(session: Session, found: Contact) -> list[dict[str, Any]]:
    query = select(Termination).where(Termination.contact_id == found.id).order_by(Termination.received_at)
    return [
        {
            "id": row.id,
            "version_id": row.version_id,
            "state": row.state.value,
            "timing": row.timing.value,
            "received_on": _day(row.received_on),
        }
        for row in session.scalars(query)
    ]


def _instant(value: datetime | None) -> str | None:
    return value.isoformat().replace("+00:00", "Z") if value else None


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None
