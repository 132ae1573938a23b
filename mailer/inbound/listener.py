"""The SMTP or LMTP door: the bytes are committed before the sender hears 250 (invariant 10)."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError

from mailer import doorbell, settings
from mailer.clock import now
from mailer.db import transaction
from mailer.inbound import actions as inbound
from mailer.settings import Settings

MAX_BYTES = 25 * 1024 * 1024
MAX_RECIPIENTS = 20
READ_JOB = "rq_jobs.read_mail.read_mail"

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
        return await asyncio.to_thread(keep, envelope)


def keep(envelope: Envelope) -> str:
    """Commit the mail once for each recipient; the answer for the sender."""
    content = envelope.content
    raw = content if isinstance(content, bytes) else (content or "").encode()
    try:
        with transaction() as session:
            for recipient in envelope.rcpt_tos:
                inbound.keep(session, raw, sender=envelope.mail_from or "", recipient=recipient, door="smtp", at=now())
    except SQLAlchemyError as error:
        log.error("a mail could not be kept: %s", type(error).__name__)
        return "451 4.3.0 The mail could not be kept; please send it again later"
    doorbell.ring("chores", READ_JOB)
    return "250 2.0.0 Kept"


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
    kind = LMTP if config.inbound_protocol == "lmtp" else SMTP
    return kind(Door(), **options)


async def listen(config: Settings) -> asyncio.Server:
    """Open the door; the caller closes it."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: make_protocol(config), config.inbound_host, config.inbound_port)


def serve() -> None:
    """Listen until told to stop."""
    asyncio.run(_serve(settings.current()))


async def _serve(config: Settings) -> None:
    server = await listen(config)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    log.info("inbound mail is taken at %s:%d", config.inbound_host, config.inbound_port)
    async with server:
        await stopped.wait()
