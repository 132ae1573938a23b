"""The SMTP or LMTP door: the bytes are committed before the sender hears 250 (invariant 10)."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer import doorbell, settings
from mailer.clock import now
from mailer.db import transaction
from mailer.inbound import actions as inbound
from mailer.inbound.desk import NULL_PATH
from mailer.settings import Settings

MAX_BYTES = 25 * 1024 * 1024
MAX_LINE = MAX_BYTES  # RFC 5322 says 998, but a person's mail is not refused for a long line
MAX_RECIPIENTS = 20
READ_JOB = "rq_jobs.read_mail.read_mail"
KEPT = "250 2.0.0 Kept"
NOT_KEPT = "451 4.3.0 The mail could not be kept; please send it again later"

log = logging.getLogger(__name__)


class Door:
    """What the listener does with a mail: our own addresses only, keep first, say yes after."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not takes(address, settings.current()):
            return "550 5.7.1 This server takes answers to its own mail only"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients; send the rest in another transaction"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await asyncio.to_thread(keep, envelope)
        # LMTP answers once for each recipient (RFC 2033 §4.2); they were kept in one transaction
        return "\r\n".join([said] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else said

    async def handle_exception(self, error: Exception) -> str:
        log.error("a connection failed: %s", type(error).__name__)
        return NOT_KEPT


class SmtpDoor(SMTP):
    """SMTP that takes long lines."""

    line_length_limit = MAX_LINE


class LmtpDoor(LMTP):
    """LMTP that takes long lines."""

    line_length_limit = MAX_LINE


def keep(envelope: Envelope) -> str:
    """Commit the mail once for each recipient; the answer for the sender."""
    content = envelope.content
    raw = content if isinstance(content, bytes) else (content or "").encode()
    sender = envelope.mail_from or NULL_PATH
    try:
        with transaction() as session:
            for recipient in envelope.rcpt_tos:
                inbound.keep(session, raw, sender=sender, recipient=recipient, door="smtp", at=now())
    except Exception as error:
        # whatever it was, the mail is not ours yet: its sender keeps it
        log.error("a mail could not be kept: %s", type(error).__name__)
        return NOT_KEPT
    doorbell.ring("chores", READ_JOB)
    return KEPT


def takes(address: str, config: Settings) -> bool:
    """Whether an address is ours: any at the reply domain, and the public mailbox. No open relay."""
    return (
        address.lower().rpartition("@")[2] == config.reply_domain.lower()
        or address.lower() == config.public_mailbox.lower()
    )


def make_protocol(config: Settings) -> SMTP:
    """One connection's protocol, SMTP or LMTP by setting."""
    options: dict[str, Any] = {
        "data_size_limit": MAX_BYTES,
        "enable_SMTPUTF8": True,
        "ident": "Mailer",
        "hostname": config.reply_domain,
    }
    kind = LmtpDoor if config.inbound_protocol == "lmtp" else SmtpDoor
    return kind(Door(), **options)


async def listen(config: Settings) -> asyncio.Server:
    """Open the door; the caller closes it."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: make_protocol(config), config.inbound_host, config.inbound_port)


def serve() -> None:
    """Listen until told to stop."""
    asyncio.run(_serve(settings.current()))


async def _serve(config: Settings) -> None:
    logging.getLogger("mail").setLevel(logging.WARNING)  # the library's own log names senders and recipients
    server = await listen(config)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    log.info("inbound mail is taken at %s:%d", config.inbound_host, config.inbound_port)
    async with server:
        await stopped.wait()
