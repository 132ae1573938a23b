"""The upload door: another service hands in one whole mail, signed; 202 once it is committed (invariant 10)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from mailer import clock, doorbell
from mailer.db import transaction
from mailer.errors import Invalid, MailerError
from mailer.inbound import actions as inbound
from mailer.inbound.doors import MAX_BYTES, READ_JOB

MAIL_TYPES = ("message/rfc822", "application/octet-stream")
Verify = Callable[[str, bytes], object]


class TooLarge(MailerError):
    """A mail over the limit of every door."""

    status = 413


class NotAMail(MailerError):
    """Another kind of content than a mail has."""

    status = 415
    field = "content-type"


def door(verify: Verify) -> Blueprint:
    """`POST /inbound/<service>`; `verify` raises unless that service signed these bytes.

    It is handed in because the services are strangers to this room.
    """
    bp = Blueprint("inbound_api", __name__)

    @bp.post("/inbound/<service_name>")
    def upload(service_name: str) -> ResponseReturnValue:
        """Keep the raw mail that is the body. To whom it is and from whom is read from its own header."""
        raw = _body()
        verify(service_name, raw)
        if request.mimetype not in MAIL_TYPES:
            raise NotAMail(f"Content-Type: send the raw mail as {MAIL_TYPES[0]}.")
        if not raw:
            raise Invalid("body: it is empty; send one whole mail, header and all.", field="body")
        with transaction(is_durable=True) as session:
            mail_id = inbound.keep(session, raw, sender="", recipient="", door="upload", at=clock.now())
        doorbell.ring("chores", READ_JOB)
        return jsonify(id=mail_id), 202

    return bp


def _body() -> bytes:
    request.max_content_length = MAX_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge(f"body: a mail of at most {MAX_BYTES // 1024 // 1024} MB is taken.", field="body") from None
