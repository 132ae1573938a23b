"""The SMTP or LMTP door: the bytes are committed before the sender hears 250 (invariant 10)."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import threading
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer import doorbell, settings
from mailer.clock import now
from mailer.db import transaction
from mailer.errors import trace
from mailer.inbound import actions as inbound
from mailer.inbound import doors, glance, imap
from mailer.inbound.desk import NULL_PATH
from mailer.inbound.doors import MAX_BYTES, READ_JOB
from mailer.inbound.throttle import Throttle
from mailer.settings import Settings

MAX_LINE = MAX_BYTES  # RFC 5322 says 998, but a person's mail is not refused for a long line
MAX_RECIPIENTS = 20
GRACE_SECONDS = 5.0
COMMAND_SECONDS = 300  # RFC 5321 §4.5.3.2.7
CALLS = {"*": 1_000_000, "NOOP": 100, "VRFY": 20, "EXPN": 20, "HELP": 20, "AUTH": 5, "STARTTLS": 3}
KEPT = "250 2.0.0 Kept"
NOT_KEPT = "451 4.3.0 The mail could not be kept; please send it again later"
NOT_OURS = "550 5.7.1 This server takes answers to its own mail only"
TOO_MANY = "452 4.5.3 Too many recipients; send the rest in another transaction"
SLOWER = "450 4.7.1 More mails than one client may bring in a minute; please send it again later"
ENDLESS = b"552 5.3.4 A line is longer than a whole mail may be\r\n"
FULL = b"421 4.7.0 Too many connections; please come again later\r\n"

log = logging.getLogger(__name__)


class Door:
    """What the listener does with a mail: our own addresses only, keep first, say yes after."""

    def __init__(self, config: Settings) -> None:
        self.ours = doors.our_addresses(config)
        self.throttle = Throttle(config.inbound_per_minute, config.inbound_connections, config.inbound_relays)
        self.in_hand = 0  # mails that are being kept

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.throttle.may_mail(_peer(session.peer), monotonic()):
            return SLOWER
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not glance.is_ours(address, self.ours) or address.count("@") != 1:
            return NOT_OURS
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        is_lmtp = isinstance(server, LMTP)
        is_vouched = self.throttle.is_relay(_peer(session.peer))
        self.in_hand += 1
        try:
            said = await asyncio.to_thread(keep, envelope, "lmtp" if is_lmtp else "smtp", is_vouched)
        finally:
            self.in_hand -= 1
        # LMTP answers once for each recipient (RFC 2033 §4.2); they were kept in one transaction
        return "\r\n".join([said] * len(envelope.rcpt_tos)) if is_lmtp else said

    async def handle_exception(self, error: Exception) -> str:
        log.error("a connection failed\n%s", trace(error))
        return NOT_KEPT


class _Throttled:
    """A connection that is counted from its first byte to its last, its TLS included, and takes long lines."""

    line_length_limit = MAX_LINE
    event_handler: Door
    transport: Any
    _is_counted = False
    _client = ""
    _unended = 0  # bytes since the last end of a line
    _last = b""

    def connection_made(self, transport: Any) -> None:
        if not self._is_counted:  # STARTTLS makes it anew
            self._client = _peer(transport.get_extra_info("peername"))
            if not self.event_handler.throttle.enter(self._client, monotonic()):
                transport.write(FULL)
                transport.close()
                return
            self._is_counted = True
        super().connection_made(transport)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        if not self._is_counted:
            return
        if self._is_endless(data):  # the library would gather it until the memory is full
            self.transport.write(ENDLESS)
            self.transport.close()
            return
        super().data_received(data)  # type: ignore[misc]

    def _is_endless(self, data: bytes) -> bool:
        seam = self._last + data  # the end of a line may come in two pieces
        end = seam.rfind(b"\r\n")
        self._unended = len(seam) - end - 2 if end >= 0 else self._unended + len(data)
        self._last = data[-1:]
        return self._unended > MAX_LINE

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._is_counted else False  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_counted:
            self.event_handler.throttle.leave(self._client, monotonic())
            super().connection_lost(error)  # type: ignore[misc]


class SmtpDoor(_Throttled, SMTP):
    """SMTP with the limits of our door."""


class LmtpDoor(_Throttled, LMTP):
    """LMTP with the limits of our door."""


def keep(envelope: Envelope, door: str, is_vouched: bool) -> str:
    """Commit the mail once for each recipient; the answer for the sender."""
    content = envelope.content
    raw = content if isinstance(content, bytes) else (content or "").encode()
    sender = envelope.mail_from or NULL_PATH
    try:
        with transaction(is_durable=True) as session:
            for recipient in dict.fromkeys(envelope.rcpt_tos):
                inbound.keep(
                    session, raw, sender=sender, recipient=recipient, door=door, at=now(), is_vouched=is_vouched
                )
    except Exception as error:
        # whatever it was, the mail is not ours yet: its sender keeps it
        log.error("a mail could not be kept\n%s", trace(error))
        return NOT_KEPT
    doorbell.ring("chores", READ_JOB)
    return KEPT


def make_protocol(config: Settings, door: Door) -> SMTP:
    """One connection's protocol, SMTP or LMTP by setting."""
    options: dict[str, Any] = {
        "data_size_limit": MAX_BYTES,
        "enable_SMTPUTF8": True,
        "ident": "Mailer",
        "hostname": config.reply_domain,
        "timeout": COMMAND_SECONDS,
        "command_call_limit": CALLS,
        "tls_context": _tls(config),
    }
    kind = LmtpDoor if config.inbound_protocol == "lmtp" else SmtpDoor
    return kind(door, **options)


async def listen(config: Settings, door: Door | None = None) -> asyncio.Server:
    """Open the door; the caller closes it."""
    door = door or Door(config)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: make_protocol(config, door), config.inbound_host, config.inbound_port)


def serve() -> None:
    """Listen until told to stop, and read the mailbox if one is set."""
    asyncio.run(_serve(settings.current()))


async def _serve(config: Settings) -> None:
    logging.getLogger("mail").setLevel(logging.WARNING)  # the library's own log names senders and recipients
    door = Door(config)
    server = await listen(config, door)
    stopped, end_reading = asyncio.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    log.info("inbound mail is taken at %s:%d", config.inbound_host, config.inbound_port)
    heart = asyncio.create_task(_beat(config.inbound_protocol))
    reader = imap.start(config, end_reading)
    await stopped.wait()
    heart.cancel()
    end_reading.set()
    server.close()  # not waited for: a relay may hold its connection for minutes
    await _finish(door)
    if reader is not None:
        await asyncio.to_thread(reader.join, GRACE_SECONDS)


async def _finish(door: Door) -> None:
    """Give the mails in hand the time to be kept and answered."""
    end = monotonic() + GRACE_SECONDS
    while door.in_hand and monotonic() < end:
        await asyncio.sleep(0.02)


async def _beat(name: str) -> None:
    """Tell the database regularly that this door works (`mailer doctor`, `/readyz`)."""
    while True:
        await asyncio.to_thread(_note, name)
        await asyncio.sleep(doors.NOTE_EVERY.total_seconds())


def _note(name: str) -> None:
    try:
        with transaction() as session:
            doors.note(session, name, now())
    except Exception as error:  # mails are answered 451 meanwhile; the door itself stays open
        log.warning("the database could not be told that the door works: %s", type(error).__name__)


def _tls(config: Settings) -> ssl.SSLContext | None:
    """What STARTTLS is offered with, if a certificate is set; a renewed one counts from the next connection on."""
    if not config.inbound_tls_cert:
        return None
    cert, key = Path(config.inbound_tls_cert), Path(config.inbound_tls_key)
    return _context(cert, key, cert.stat().st_mtime_ns, key.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _context(cert: Path, key: Path, _cert_changed: int, _key_changed: int) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    return context


def _peer(name: Any) -> str:
    """The address of a client; a socket of this machine has none."""
    return str(name[0]) if isinstance(name, tuple) else "127.0.0.1"
