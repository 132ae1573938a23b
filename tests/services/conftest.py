"""Another service, as it talks to ours."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from mailer import clock
from mailer.db import transaction
from mailer.services import actions

_number = itertools.count(1)
ANNA = {"reference": "user-1", "email": "anna@people.example", "name": "Anna de Vries", "origin": "account_holder"}


@dataclass
class Trac:
    """A service with its keys and a line to our doors."""

    id: str
    name: str
    secret: str
    token: str
    client: FlaskClient

    def say(self, kind: str, data: object, *, webhook_id: str = "", **how: Any) -> TestResponse:
        body = json.dumps({"type": kind, "timestamp": "2026-11-02T09:30:00Z", "data": data})
        return self.post(body.encode(), webhook_id=webhook_id, **how)

    def post(
        self,
        body: bytes,
        *,
        webhook_id: str = "",
        age: timedelta = timedelta(),
        secret: str = "",
        to: str = "",
        content_type: str = "application/json",
        signed_body: bytes | None = None,
    ) -> TestResponse:
        webhook_id = webhook_id or f"test-{next(_number)}"
        at = datetime.now(UTC) - age
        text = (body if signed_body is None else signed_body).decode("latin-1" if b"\xff" in body else "utf-8")
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(webhook_id, at, text),
        }
        return self.client.post(f"/webhooks/{to or self.name}", data=body, headers=headers, content_type=content_type)

    def get(self, path: str, token: str | None = None) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.token if token is None else token}"})


@pytest.fixture
def make_service(client: FlaskClient) -> Callable[..., Trac]:
    def make(name: str = "trac", **details: Any) -> Trac:
        with transaction() as session:
            service, keys = actions.create(session, name=name, at=clock.now(), **details)
        return Trac(service.id, name, keys.secret, keys.token, client)

    return make


@pytest.fixture
def trac(make_service: Callable[..., Trac]) -> Trac:
    return make_service()
