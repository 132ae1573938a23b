"""The local post office: catches all mail in development, keeps each as a file, gives it back to be read.

`<id>.eml` holds the very bytes; `<id>.json` beside it holds the envelope and what a list shows. Ids sort by time.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import re
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer import clock, settings
from mailer.errors import NotFound

HOST = "127.0.0.1"
LARGEST = 50 * 1024 * 1024
AUTHSERV_ID = settings.POST_OFFICE_AUTHSERV_ID  # whose word counts for answers that are written here
_ID = re.compile(r"\d{20}-[0-9a-f]{8}")


class NoSuchMail(NotFound):
    """No mail of this name was caught."""


@dataclass(frozen=True)
class Caught:
    """What a list shows of a mail."""

    id: str
    envelope_from: str
    envelope_to: list[str]
    received_at: datetime
    sender: str
    subject: str


def folder() -> Path:
    """Where the mail is kept."""
    return settings.current().data_dir / "post-office"


def keep(data: bytes, envelope_from: str, envelope_to: list[str], at: datetime) -> str:
    """Keep a mail under a new id; it is there whole or not at all."""
    kept = folder()
    kept.mkdir(parents=True, exist_ok=True)
    mail_id = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    head = parse(data)
    caught = Caught(mail_id, envelope_from, envelope_to, at, str(head["From"] or ""), str(head["Subject"] or ""))
    sidecar = json.dumps(asdict(caught) | {"received_at": at.isoformat()}, ensure_ascii=False)
    _write(kept / f"{mail_id}.json", sidecar.encode())
    _write(kept / f"{mail_id}.eml", data)  # last: a mail counts as caught when its bytes stand
    return mail_id


def newest(to: str = "", before: str = "", limit: int = 50) -> list[Caught]:
    """The newest mails, those to an address that holds `to` only, older than `before` only."""
    found: list[Caught] = []
    for mail_id in _ids():
        if before and mail_id >= before:
            continue
        caught = get(mail_id)
        if to.lower() in " ".join(caught.envelope_to).lower():
            found.append(caught)
        if len(found) == limit:
            break
    return found


def get(mail_id: str) -> Caught:
    """One caught mail; NoSuchMail if there is none."""
    _must_be_id(mail_id)
    try:
        kept = json.loads((folder() / f"{mail_id}.json").read_bytes())
    except FileNotFoundError:
        raise _missing() from None
    return Caught(**kept | {"received_at": datetime.fromisoformat(kept["received_at"])})


def source(mail_id: str) -> bytes:
    """The bytes as they were caught; NoSuchMail if there are none."""
    _must_be_id(mail_id)
    try:
        return (folder() / f"{mail_id}.eml").read_bytes()
    except FileNotFoundError:
        raise _missing() from None


def parse(data: bytes) -> EmailMessage:
    """A mail, read."""
    return email.message_from_bytes(data, policy=email.policy.default)


def part(mail: EmailMessage, kind: str) -> str | None:
    """The body in `plain` or `html`, if the mail has one."""
    body = mail.get_body((kind,))
    return None if body is None else str(body.get_content())


def serve() -> None:
    """Catch mail until told to stop."""
    asyncio.run(_serve(settings.current().post_office_port))


class _Counter:
    """What the counter does with a mail: says yes after it is kept."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        data = content if isinstance(content, bytes) else str(content or "").encode()
        sender = (envelope.mail_from or "").strip("<>")  # a null return path comes as “<>”
        keep(data, sender, list(envelope.rcpt_tos), clock.now())
        return "250 2.0.0 Caught"


async def listen(port: int) -> asyncio.Server:
    """Open the counter; the caller closes it."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _make_protocol(loop), HOST, port)


def _make_protocol(loop: asyncio.AbstractEventLoop) -> SMTP:
    return SMTP(_Counter(), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="post-office", loop=loop)


async def _serve(port: int) -> None:
    server = await listen(port)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with server:
        await stopped.wait()


def _ids() -> Iterator[str]:
    if folder().is_dir():
        yield from sorted((path.stem for path in folder().glob("*.eml")), reverse=True)


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _must_be_id(mail_id: str) -> None:
    if not _ID.fullmatch(mail_id):
        raise _missing()


def _missing() -> NoSuchMail:
    return NoSuchMail("This mail is not here; it may have been cleared away. The list shows what was caught.")
