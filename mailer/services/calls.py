"""One signed call to another service. No session is near: nothing waits on the network with a transaction open."""

from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address

import httpx
from standardwebhooks import Webhook

from mailer import ids, settings
from mailer.errors import MailerError
from mailer.ledger.rules import spell_instant
from mailer.services import rules
from mailer.services.actions import Answer, Call

TIMEOUT_SECONDS = 10.0
AGENT = "Mailer-Webhooks/1"


class NotCallable(MailerError):
    """An endpoint that leads to where we never call."""


def event_id(row: int) -> str:
    """The public id of an event, `evt_…`; it is the webhook-id, so that a repeat is known as one."""
    return f"evt_{ids.encode(row, 13)}"


def spell(call: Call) -> bytes:
    """The body of a call: `{"type", "timestamp", "data"}`, the same bytes at every try."""
    body = {"type": call.kind, "timestamp": spell_instant(call.at), "data": call.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def sign(call: Call, body: bytes, real_time: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; the time is the real clock's, also in the demo."""
    webhook_id = event_id(call.event_id)
    signature = Webhook(call.secret).sign(webhook_id, real_time, body.decode())
    stamp = str(int(real_time.timestamp()))
    return {"webhook-id": webhook_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def post(call: Call) -> Answer:
    """Bring one event to its service. Whatever goes wrong is an answer, not an error."""
    body = spell(call)
    headers = sign(call, body, datetime.now(UTC)) | {"content-type": "application/json", "user-agent": AGENT}
    try:
        target = httpx.URL(call.endpoint)
        address = _resolve(target.host, target.port or (443 if target.scheme == "https" else 80))
        # the name was checked by its address, so the address is called: a second look-up could say another
        pinned = target.copy_with(host=address)
        headers["host"] = target.netloc.decode()
        with (
            httpx.Client(verify=_trust(), timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", pinned, content=body, headers=headers, extensions={"sni_hostname": target.host}
            ) as response,
        ):
            return Answer(response.status_code, _why(response.status_code))
    except NotCallable as error:
        return Answer(None, str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        return Answer(None, f"{type(error).__name__}: {error}")


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Whom we trust, read once: it takes a thousand times as long as making a client."""
    return httpx.create_ssl_context(trust_env=False)


def _resolve(host: str, port: int) -> str:
    """The first address of a host, once all of them may be called."""
    found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    is_production = settings.current().is_production
    for address in found:
        if not rules.may_call(ip_address(str(address)), is_production):
            raise NotCallable(f"{host} leads to {address}, which is not on the public network; it is never called.")
    return str(found[0])


def _why(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"the service answered {status}; redirects are not followed"
    return f"the service answered {status}"
