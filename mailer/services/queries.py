"""Read services: who they are, what they said, what is on its way to them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, or_, select, text
from sqlalchemy.orm import Session

from mailer import ids
from mailer.errors import NotFound
from mailer.ledger.models import Event
from mailer.services.models import EventDelivery, ReceivedWebhook, Service
from mailer.services.rules import DeliveryState

SHOWN = 50
# spelled as in the partial indexes: SQLite uses one only for the very same words
UNSPREAD = text("NOT events.spread")
QUEUED = literal(DeliveryState.QUEUED, EventDelivery.state.type, literal_execute=True)


class NoSuchService(NotFound):
    """No service has this id."""


class NoSuchDelivery(NotFound):
    """No event went this way."""


def get(session: Session, service_id: str) -> Service:
    """The service with this id; NoSuchService if there is none."""
    found = session.get(Service, service_id)
    if found is None:
        raise NoSuchService("There is no such service here; look for it in the list of services.")
    return found


def find_by_name(session: Session, name: str) -> Service | None:
    """The service that calls `/webhooks/<name>`; None also for one that was disabled."""
    return session.scalar(select(Service).where(Service.name == name, Service.disabled_at.is_(None)))


def find_by_token(session: Session, token: str) -> Service | None:
    """The service whose bearer token this is: found by the digest, compared in constant time."""
    digest = hash_token(token)
    found = session.scalar(select(Service).where(Service.token_hash == digest, Service.disabled_at.is_(None)))
    return found if found is not None and hmac.compare_digest(found.token_hash, digest) else None


def hash_token(token: str) -> str:
    """What is kept of a token. It holds 256 random bits, so a plain digest cannot be turned round."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def all_services(session: Session) -> Sequence[Service]:
    return session.scalars(select(Service).order_by(Service.name)).all()


def find_received(session: Session, service_id: str, webhook_id: str) -> ReceivedWebhook | None:
    """The first call of a service with this webhook-id."""
    wanted = (ReceivedWebhook.service_id == service_id, ReceivedWebhook.webhook_id == webhook_id)
    return session.scalar(select(ReceivedWebhook).where(*wanted))


def received_id(row: int) -> str:
    """The public id of a received call, `whk_…`."""
    return f"whk_{ids.encode(row, 13)}"


def last_received(session: Session, service_id: str) -> Sequence[ReceivedWebhook]:
    """The last calls of a service, newest first."""
    query = select(ReceivedWebhook).where(ReceivedWebhook.service_id == service_id)
    return session.scalars(query.order_by(ReceivedWebhook.id.desc()).limit(SHOWN)).all()


def last_deliveries(
    session: Session, service_id: str, state: DeliveryState | None = None
) -> Sequence[tuple[EventDelivery, Event]]:
    """The last events for a service with what they tell, newest first."""
    query = select(EventDelivery, Event).join(Event, Event.id == EventDelivery.event_id)
    query = query.where(EventDelivery.service_id == service_id)
    if state is not None:
        query = query.where(EventDelivery.state == state)
    return [(row[0], row[1]) for row in session.execute(query.order_by(EventDelivery.id.desc()).limit(SHOWN))]


def get_delivery(session: Session, service_id: str, delivery_id: int) -> EventDelivery:
    """One event for one service; NoSuchDelivery if there is none."""
    found = session.get(EventDelivery, delivery_id)
    if found is None or found.service_id != service_id:
        raise NoSuchDelivery("There is no such event here; look for it on the page of its service.")
    return found


def dead_letters(session: Session) -> dict[str, int]:
    """How many events were given up, by service."""
    query = select(EventDelivery.service_id, func.count()).where(EventDelivery.state == DeliveryState.DEAD)
    return {service_id: int(n) for service_id, n in session.execute(query.group_by(EventDelivery.service_id))}


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether an event is to be spread or a delivery is due now."""
    due = select(EventDelivery.id).where(*due_now(at)).limit(1)
    return session.scalar(select(Event.id).where(UNSPREAD).limit(1)) is not None or session.scalar(due) is not None


def due_now(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What makes a delivery due: its time has come and nobody holds it."""
    free = or_(EventDelivery.lease_until.is_(None), EventDelivery.lease_until <= at)
    return (EventDelivery.state == QUEUED, EventDelivery.due_at <= at, free)
