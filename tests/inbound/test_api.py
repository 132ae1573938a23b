"""The upload door: a signed call hands in a mail of any bytes; anything else is refused and keeps nothing."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import undefer
from werkzeug.test import TestResponse

from mailer import clock
from mailer.db import reading, transaction
from mailer.inbound import api
from mailer.inbound.models import InboundMail
from mailer.services import actions as services
from mailer.services import signature
from tests.inbound.world import letter

Upload = Callable[..., TestResponse]


@pytest.fixture
def upload(client: FlaskClient) -> Upload:
    """Hands in a mail as the service `gate`, signed with its secret."""
    with transaction() as session:
        _, keys = services.create(session, name="gate", at=clock.now())

    def send(
        raw: bytes, *, to: str = "gate", signed: bytes | None = None, kind: str = "message/rfc822"
    ) -> TestResponse:
        stamp = str(int(time.time()))
        key = base64.b64decode(keys.secret.removeprefix("whsec_"))
        mac = hmac.digest(key, f"m-1.{stamp}.".encode() + (raw if signed is None else signed), "sha256")
        headers = {
            "webhook-id": "m-1",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
        return client.post(f"/inbound/{to}", data=raw, headers=headers, content_type=kind)

    return send


def _kept() -> list[InboundMail]:
    with reading() as session:
        return list(session.scalars(select(InboundMail).options(undefer(InboundMail.raw))))


@pytest.mark.parametrize("text", ["Ik zeg op", "bytes of no charset: \udcff\udcfe"])
def test_a_signed_mail_is_kept_byte_for_byte_before_the_yes(upload: Upload, text: str) -> None:
    raw = letter("x", to="reply+abc@reply.leadmark.example") + text.encode("utf-8", "surrogateescape")
    answer = upload(raw)
    assert answer.status_code == 202
    [row] = _kept()
    assert (row.id, row.raw, row.door) == (answer.get_json()["id"], raw, "upload")
    assert row.recipient == "reply+abc@reply.leadmark.example"
    assert upload(raw).get_json()["id"] == row.id
    assert len(_kept()) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestWhatIsRefused:
    """Nothing of it is kept."""

    @pytest.fixture(autouse=True)
    def nothing_is_kept(self, upload: Upload) -> object:
        yield
        with reading() as session:
            assert session.scalar(select(func.count()).select_from(InboundMail)) == 0

    def test_other_bytes_than_were_signed(self, upload: Upload) -> None:
        assert upload(letter("Ik zeg op"), signed=letter("Ik zeg niet op")).status_code == 401

    def test_a_service_that_is_not_known(self, upload: Upload) -> None:
        assert upload(letter("Ik zeg op"), to="stranger").status_code == 401

    def test_another_kind_of_content(self, upload: Upload) -> None:
        answer = upload(b"{}", kind="application/json")
        assert (answer.status_code, answer.get_json()["error"]["field"]) == (415, "content-type")

    def test_nothing_at_all(self, upload: Upload) -> None:
        assert upload(b"").status_code == 422

    def test_more_than_a_door_takes(self, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "MAX_BYTES", 1024)
        assert upload(b"x" * 1025).status_code == 413

    def test_a_look(self, upload: Upload, client: FlaskClient) -> None:
        assert client.get("/inbound/gate").status_code == 405


def test_the_published_signature_is_known_and_a_changed_one_is_not(shared: Path) -> None:
    known = json.loads((shared / "data/vectors/standard-webhooks.json").read_text())
    for case in known["sign"]:
        said = (case["key"], case["msg_id"], str(case["timestamp"]))
        body, good = case["payload"].encode(), case["expected"]
        assert signature.is_signed(*said, f"v1,AAAA v2,{good[3:]} {good} v1,bad", body)
        assert signature.is_signed(said[0].removeprefix("whsec_"), *said[1:], good, body)
        for bad in ("", "v1,", f"v2,{good[3:]}", good[:-2] + "A=", "nonsense", "v1,é"):
            assert not signature.is_signed(*said, bad, body)
        assert not signature.is_signed(*said, good, body + b" ")
