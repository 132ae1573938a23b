"""The doors for programs: signed webhooks in, and an API that only reads."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from mailer import clock, doorbell
from mailer.contacts import queries as contacts
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.outbox import queries as outbox
from mailer.services import actions, queries, rules, signature, told
from mailer.services.models import ReceivedWebhook, Service

bp = Blueprint("services_api", __name__)
ANYBODY = "whsec_" + "A" * 44  # an unknown service costs the same time as a wrong signature


class TooLarge(MailerError):
    """More than a webhook may hold."""

    status = 413


class NotSigned(MailerError):
    """Not a call of a service we know, or not signed with its secret: which of the two is not told."""

    status = 401


class Stale(MailerError):
    """A call whose time is not now: a replay, or a clock that is wrong."""

    status = 401
    field = "webhook-timestamp"


class NotJson(MailerError):
    """Another kind of content than webhooks have."""

    status = 415


class NoToken(MailerError):
    """No bearer token, or none of ours."""

    status = 401


@bp.post("/webhooks/<service_name>")
def webhook(service_name: str) -> ResponseReturnValue:
    """Take one event: 202 once it is kept and done, 200 with the first answer when it comes again."""
    body = _body()
    service = verify(service_name, body)
    if request.mimetype != "application/json":
        raise NotJson("Content-Type: send application/json.", field="content-type")
    received, is_new = _receive_once(service, request.headers["webhook-id"], body)
    if is_new:
        doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
        doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    return jsonify(id=queries.received_id(received.id), result=received.result), 202 if is_new else 200


@bp.get("/api/contacts/<reference>")
def contact(reference: str) -> ResponseReturnValue:
    with reading() as session:
        _authorise(session)
        return jsonify(told.contact(contacts.get_by_reference(session, reference)))


@bp.get("/api/contacts/<reference>/standing")
def standing(reference: str) -> ResponseReturnValue:
    with reading() as session:
        _authorise(session)
        return jsonify(told.standing(session, contacts.get_by_reference(session, reference), clock.now()))


@bp.get("/api/messages/<message_id>")
def message(message_id: str) -> ResponseReturnValue:
    with reading() as session:
        _authorise(session)
        return jsonify(told.message(session, outbox.get(session, message_id)))


def _body() -> bytes:
    request.max_content_length = rules.MAX_BODY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge(f"body: at most {rules.MAX_BODY // 1024} KB are taken; send less at a time.") from None


def verify(service_name: str, body: bytes) -> Service:
    """The service that signed this call; the same answer to an unknown service and to a wrong signature."""
    webhook_id, timestamp, signatures = (
        request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if rules.is_stale(timestamp, datetime.now(UTC)):
        raise Stale(
            "webhook-timestamp: this call is older or newer than five minutes; sign it anew, or set your clock."
        )
    with reading() as session:
        service = queries.find_by_name(session, service_name)
    is_signed = signature.is_signed(service.secret if service else ANYBODY, webhook_id, timestamp, signatures, body)
    if service is None or not is_signed or not timestamp.isdecimal() or not rules.is_webhook_id(webhook_id):
        raise NotSigned("This call is not signed by a service that is known here; check its name and its secret.")
    return service


def _receive_once(service: Service, webhook_id: str, body: bytes) -> tuple[ReceivedWebhook, bool]:
    """The call as it was kept, and whether it is new. Two that come at the same instant are one."""
    try:
        return _receive(service, webhook_id, body)
    except IntegrityError:  # another was quicker, with this very call or with the same person: now it can be seen
        return _receive(service, webhook_id, body)


def _receive(service: Service, webhook_id: str, body: bytes) -> tuple[ReceivedWebhook, bool]:
    with transaction(is_durable=True) as session:
        first = queries.find_received(session, service.id, webhook_id)
        if first is not None:
            return first, False
        return actions.receive(session, service, webhook_id, body, clock.now()), True


def _authorise(session: Session) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or queries.find_by_token(session, token.strip()) is None:
        raise NoToken("Authorization: send “Bearer ” and the token of a service; an operator can make a new one.")
