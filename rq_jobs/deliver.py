"""Drain a lane: claim, ask consent again, mark, send, settle; one answer and one mark a commit (DESIGN §4, §8).

A job is a lane, not a mail. It may run twice and beside another: the lease decides (STYLE §6).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from mailer import doorbell, settings
from mailer.clock import now
from mailer.consent import queries as consent
from mailer.consent import rules as consent_rules
from mailer.consent.rules import Channel, Withheld
from mailer.contacts.models import Contact
from mailer.contacts.rules import read_address
from mailer.db import transaction
from mailer.delivery import compose, routes, transport
from mailer.errors import MailerError
from mailer.notices import actions as notices
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, Outcome, State

JOB = "rq_jobs.deliver.deliver"
CLAIM = 50
DRAIN_SECONDS = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Sent:
    """One try that is over: what to write down with the next mark."""

    message: Message
    said: outbox.Answer | transport.InDoubt
    sha256: str


def deliver(lane: str) -> int:
    """Send what is due on a lane (`essential` or `marketing`); how many mails a server took."""
    channel = Channel(lane)
    config = settings.current()
    lease = timedelta(seconds=config.lease_seconds)
    until = time.monotonic() + DRAIN_SECONDS
    accepted = 0
    with transport.Connection(routes.route_for(channel), config.smtp_timeout_seconds) as connection:
        while time.monotonic() < until:
            with transaction() as session:
                batch = outbox.claim(session, channel, now(), lease, CLAIM)
            if not batch:
                return accepted
            accepted += _send_batch(batch, connection, lease)
            with transaction() as session:
                outbox.seal(session, now())
            if connection.is_down:
                return accepted
    doorbell.ring(lane, JOB, lane)  # out of time, not out of mail: the next job goes on
    return accepted


def _send_batch(batch: list[Message], connection: transport.Connection, lease: timedelta) -> int:
    """Send claimed messages one after the other. Each commit settles the last and marks the next."""
    last: _Sent | None = None
    accepted = 0
    for message in batch:
        with transaction() as session:
            accepted += _settle(session, last)
            last = None
            may_begin = not connection.is_down and _begin(session, message, lease)
            if connection.is_down:
                outbox.release(session, message)
        if may_begin:
            last = _send(message, connection)
    with transaction() as session:
        accepted += _settle(session, last)
    return accepted


def _begin(session: Session, message: Message, lease: timedelta) -> bool:
    """The last look before the SMTP transaction (invariant 3), and the mark that it begins (invariant 5)."""
    at = now()
    why = why_withheld(session, message)
    if why is not None:
        outbox.withhold(session, message, why, at)
        if message.kind is MailKind.NOTICE:
            notices.settled(session, message, State.WITHHELD, at)
        return False
    facts = notices.facts_for(session, message, at) if message.kind is MailKind.NOTICE else None
    if not outbox.begin(session, message, at, lease, facts):
        return False
    session.refresh(message)
    return True


def why_withheld(session: Session, message: Message) -> Withheld | None:
    """Whether consent, suppression or erasure stops this message now.

    The person's row is locked, so that an unsubscribe is either seen here or answered after the mark.
    """
    if message.contact_id is None:
        reasons = consent.reasons_against(session, read_address(message.to_address).key)
        stopped = consent_rules.STOPS_ESSENTIAL & reasons
        return Withheld.DEAD_ADDRESS if stopped else None
    contact = session.get_one(Contact, message.contact_id, with_for_update={"read": True})
    standing = consent.standing(session, contact, message.to_address)
    return consent_rules.why_withheld(message.channel, message.topic, standing)


def _send(message: Message, connection: transport.Connection) -> _Sent:
    """Compose and hand over. A mail that cannot be composed is refused by ourselves and never blocks the lane."""
    try:
        mail = compose.compose(message)
        return _Sent(message, connection.send(mail), mail.sha256)
    except MailerError as error:
        log.error("message %s cannot be composed: %s", message.id, type(error).__name__)
        return _Sent(message, outbox.Answer(Outcome.REFUSED, 0, f"cannot be composed: {error}", "none"), "")


def _settle(session: Session, sent: _Sent | None) -> int:
    """Write an answer down and let the message's room know; 1 if a server took the mail."""
    if sent is None:
        return 0
    at, message = now(), sent.message
    if isinstance(sent.said, transport.InDoubt):
        outbox.doubt(session, message, at)
        return 0
    state = outbox.settle(session, message, sent.said, sent.sha256, at)
    if message.kind is MailKind.NOTICE and state in {State.ACCEPTED, State.REFUSED}:
        notices.settled(session, message, state, at)
    return int(state is State.ACCEPTED)
