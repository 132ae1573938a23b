"""Keep services, take what they say once, and bring events to them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import ids, settings
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.ledger.models import Event
from mailer.services import effects, payloads, queries, rules
from mailer.services.models import EventDelivery, ReceivedWebhook, Service
from mailer.services.rules import DeliveryState, EventOut

TOKEN = "mlr_"  # noqa: S105 - the beginning by which a leaked token is recognised


class NameTaken(Conflict):
    """Two services of one name would share an address."""

    field = "name"


@dataclass(frozen=True)
class Keys:
    """The secret for signatures and the token for the API; shown once."""

    secret: str
    token: str


@dataclass(frozen=True)
class Call:
    """One event to be brought to one service; `attempt` is the fence against whoever held it before."""

    delivery_id: int
    event_id: int
    attempt: int
    endpoint: str
    secret: str
    kind: str
    at: datetime
    data: dict[str, object]


@dataclass(frozen=True)
class Answer:
    """What came of a call: the status, if there was one, and what went wrong, if anything did."""

    status: int | None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def create(
    session: Session, *, name: str, endpoint: str = "", hears: Collection[str] = (), at: datetime
) -> tuple[Service, Keys]:
    """Make another service known; its secret and token are told once."""
    fault = rules.why_not_name(name)
    if fault:
        raise Invalid(f"name: {fault}", field="name")
    if session.scalar(select(Service.id).where(Service.name == name)):
        raise NameTaken(f"name: there is a service “{name}” already; choose another name.")
    keys = _new_keys()
    service = Service(
        id=ids.new("svc"),
        name=name,
        secret=keys.secret,
        token_hash=queries.hash_token(keys.token),
        endpoint=_endpoint(endpoint),
        hears=_kinds(hears),
        created_at=at,
    )
    session.add(service)
    session.flush()
    ledger.record(session, "service.created", at, service=service.id)
    return service, keys


def edit(session: Session, service: Service, *, endpoint: str, hears: Collection[str], at: datetime) -> None:
    """Change where a service listens, and what it hears from now on."""
    service.endpoint, service.hears = _endpoint(endpoint), _kinds(hears)
    ledger.record(session, "service.edited", at, service=service.id)


def rotate(session: Session, service: Service, at: datetime) -> Keys:
    """New secret and token; the old ones are void at once."""
    keys = _new_keys()
    service.secret, service.token_hash = keys.secret, queries.hash_token(keys.token)
    ledger.record(session, "service.rotated", at, service=service.id)
    return keys


def disable(session: Session, service: Service, at: datetime) -> None:
    """Hear and tell a service nothing more; what is on its way to it is given up."""
    if service.disabled_at is None:
        service.disabled_at = at
        waiting = (EventDelivery.service_id == service.id, EventDelivery.state == DeliveryState.QUEUED)
        given_up = {"state": DeliveryState.DEAD, "last_error": "the service was disabled", "settled_at": at}
        session.execute(update(EventDelivery).where(*waiting).values(**given_up))
        ledger.record(session, "service.disabled", at, service=service.id)


def receive(session: Session, service: Service, webhook_id: str, body: bytes, at: datetime) -> ReceivedWebhook:
    """Keep a call and do what it says, both or neither; IntegrityError if its webhook-id came at the same instant."""
    heard = payloads.read(body)
    row = ReceivedWebhook(
        service_id=service.id, webhook_id=webhook_id, kind=heard.kind.value, body=body, received_at=at, result={}
    )
    session.add(row)
    session.flush()
    source = effects.Source(f"service {service.name}", queries.received_id(row.id))
    row.result = effects.apply(session, heard, source, at)
    session.flush()
    return row


def spread(session: Session, at: datetime, limit: int = 500) -> int:
    """Address events that nobody looked at to every service that hears them; how many events. Safe to run twice."""
    fresh = select(Event).where(queries.UNSPREAD).order_by(Event.id).limit(limit).with_for_update(skip_locked=True)
    events = session.scalars(fresh).all()
    listening = [s for s in queries.all_services(session) if s.disabled_at is None and s.endpoint]
    for event in events:
        event.spread = True
        for service in listening:
            if event.kind in service.hears:
                session.add(
                    EventDelivery(event_id=event.id, service_id=service.id, state=DeliveryState.QUEUED, due_at=at)
                )
    session.flush()
    return len(events)


def claim(session: Session, at: datetime, lease: timedelta, limit: int = 20) -> list[Call]:
    """Take deliveries that are due for the time of a lease; each claim is an attempt, even if its worker dies."""
    due = select(EventDelivery.id).where(*queries.due_now(at)).order_by(EventDelivery.due_at, EventDelivery.id)
    mine = session.scalars(due.limit(limit).with_for_update(skip_locked=True)).all()
    session.execute(
        update(EventDelivery)
        .where(EventDelivery.id.in_(mine))
        .values(lease_until=at + lease, attempts=EventDelivery.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    query = (
        select(EventDelivery, Event, Service)
        .join(Event, Event.id == EventDelivery.event_id)
        .join(Service, Service.id == EventDelivery.service_id)
        .where(EventDelivery.id.in_(mine))
        .order_by(EventDelivery.due_at, EventDelivery.id)
        .execution_options(populate_existing=True)
    )
    return [_call(*row) for row in session.execute(query)]


def settle(session: Session, call: Call, answer: Answer, at: datetime) -> DeliveryState | None:
    """Write down what came of a call: done, again later, or given up. None if another worker took it since."""
    again_at = None if answer.is_delivered else rules.next_call_at(call.attempt, at)
    state = DeliveryState.DELIVERED if answer.is_delivered else DeliveryState.QUEUED if again_at else DeliveryState.DEAD
    changed = session.execute(
        update(EventDelivery)
        .where(
            EventDelivery.id == call.delivery_id,
            EventDelivery.state == DeliveryState.QUEUED,
            EventDelivery.attempts == call.attempt,
        )
        .values(
            state=state,
            due_at=again_at or at,
            lease_until=None,
            last_status=answer.status,
            last_error=answer.error[:1000],
            settled_at=None if again_at else at,
        )
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return None
    if again_at is not None and answer.status is None:
        _spare(session, call, again_at)
    return state


def _spare(session: Session, call: Call, until: datetime) -> None:
    """A service that does not answer at all is left alone for as long as its last call, so that others get theirs."""
    mine = select(EventDelivery.service_id).where(EventDelivery.id == call.delivery_id).scalar_subquery()
    waiting = (EventDelivery.state == DeliveryState.QUEUED, EventDelivery.lease_until.is_(None))
    session.execute(
        update(EventDelivery)
        .where(EventDelivery.service_id == mine, *waiting, EventDelivery.due_at < until)
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )


def call_again(session: Session, delivery: EventDelivery, at: datetime) -> None:
    """Try a dead letter again from the start."""
    if delivery.state is not DeliveryState.DEAD:
        raise Conflict("This event is not a dead letter; it was delivered or is still tried.")
    if queries.get(session, delivery.service_id).disabled_at is not None:
        raise Conflict("This service is disabled; nothing is sent to it any more.")
    delivery.state, delivery.attempts, delivery.due_at = DeliveryState.QUEUED, 0, at
    delivery.settled_at = delivery.lease_until = None


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether there is something to publish; the sweep asks."""
    return queries.is_waiting(session, at)


def _call(delivery: EventDelivery, event: Event, service: Service) -> Call:
    return Call(
        delivery_id=delivery.id,
        event_id=event.id,
        attempt=delivery.attempts,
        endpoint=service.endpoint,
        secret=service.secret,
        kind=event.kind,
        at=event.at,
        data=event.data,
    )


def _new_keys() -> Keys:
    return Keys("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(), TOKEN + secrets.token_urlsafe(32))


def _endpoint(endpoint: str) -> str:
    trimmed = endpoint.strip()
    fault = rules.why_not_endpoint(trimmed, settings.current().is_production) if trimmed else None
    if fault:
        raise Invalid(f"endpoint: {fault}", field="endpoint")
    return trimmed


def _kinds(hears: Collection[str]) -> list[str]:
    known: Sequence[str] = [kind.value for kind in EventOut]
    unknown = sorted(set(hears) - set(known))
    if unknown:
        raise Invalid(f"hears: “{unknown[0]}” is not an event we tell; these are: {', '.join(known)}.", field="hears")
    return [kind for kind in known if kind in hears]
