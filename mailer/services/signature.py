"""Whether bytes are signed as Standard Webhooks says. The library takes text only; a mail may be any bytes."""

from __future__ import annotations

import base64
import binascii
import hmac


def is_signed(secret: str, webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether one of the signatures (`v1,<base64>`, separated by blanks) is that of `id.timestamp.body`."""
    expected = hmac.digest(_key(secret), f"{webhook_id}.{timestamp}.".encode() + body, "sha256")
    return any(hmac.compare_digest(expected, one) for one in _signatures(signatures))


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_") + "==")  # padding that is too much is passed over


def _signatures(header: str) -> list[bytes]:
    found = []
    for one in header.split():
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
