"""Drain a lane: claim, ask consent again, mark, send, settle; one answer and one mark a commit (DESIGN §4, §8).

A job is a lane, not a mail. It may run twice and beside another: the lease decides (STYLE §6).
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from datetime import timedelta

from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer import doorbell, settings, stopping
from mailer.clock import now
from mailer.consent import actions as consent
from mailer.consent import queries as consent_queries
from mailer.consent import rules as consent_rules
from mailer.consent.rules import Channel, SuppressionReason, Withheld
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import read_address
from mailer.db import transaction
from mailer.delivery import compose, routes, transport
from mailer.errors import MailerError
from mailer.notices import actions as notices
from mailer.notices.rules import TELLING
from mailer.outbox import lanes
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, Outcome, State
from mailer.signing import KeyGone

JOB = "rq_jobs.deliver.deliver"
CLAIM = 50
DRAIN_SECONDS = 60  # no mail begins after that: far within RQ's own time-out, which would strike at any line (TRAPS 9)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Sent:
    """One try that is over: what to write down with the next mark."""

    message: Message
    answer: lanes.Answer
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
                batch = lanes.claim(session, channel, now(), lease, CLAIM)
            if not batch:
                return accepted
            accepted += _send_batch(batch, connection, until)
            with transaction() as session:
                lanes.seal(session, now())
            if _must_stop(connection):
                return accepted
    doorbell.ring(lane, JOB, lane)  # out of time, not out of mail: the next job goes on
    return accepted


def _send_batch(batch: list[Message], connection: transport.Connection, until: float = math.inf) -> int:
    """Send claimed messages one after the other; none begins after `until`, on the monotonic clock.

    Each commit settles the last and marks the next.
    """
    last: _Sent | None = None
    accepted = 0
    for message in batch:
        took, may_begin = _mark(last, message, connection, until)
        accepted += took
        last = _send(message, connection) if may_begin else None
    with transaction() as session:
        return accepted + _settle(session, last)


def _mark(last: _Sent | None, message: Message, connection: transport.Connection, until: float) -> tuple[int, bool]:
    """Write the last answer down and mark the next message; whether the last was taken, and the next may begin."""
    try:
        with transaction() as session:
            took = _settle(session, last)
            if _must_stop(connection) or time.monotonic() >= until:
                lanes.release(session, message)
                return took, False
            return took, _begin(session, message)
    except (DBAPIError, JobTimeoutException):
        raise  # the database itself, or our time is over: the lease brings everything back
    except Exception as error:  # this message is at fault, and neither the last one nor the lane may suffer from it
        with transaction() as session:
            took = _settle(session, last)
            _settle(session, _failed(message, error))
        return took, False


def _must_stop(connection: transport.Connection) -> bool:
    """Whether no further mail may begin: the server is away, or this process is asked to end."""
    return connection.is_down or stopping.is_asked()


def _begin(session: Session, message: Message) -> bool:
    """The last look before the SMTP transaction (invariant 3), and the mark that it begins (invariant 5)."""
    at = now()
    why = why_withheld(session, message)
    if why is None and message.kind in TELLING and notices.is_ended(session, message):
        why = Withheld.CANCELLED
    if why is not None:
        if lanes.withhold(session, message, why, at) and message.kind is MailKind.NOTICE:
            notices.settled(session, message, State.WITHHELD, at)
        return False
    facts = notices.facts_for(session, message, at) if message.kind is MailKind.NOTICE else None
    return lanes.begin(session, message, at, _longest(), facts)


def why_withheld(session: Session, message: Message) -> Withheld | None:
    """Whether consent, suppression or erasure stops this message now.

    The person's row is locked, so that an unsubscribe is either seen here or answered after the mark.
    """
    if message.contact_id is not None:
        contact = session.get_one(Contact, message.contact_id, with_for_update={"read": True})
        standing = consent_queries.standing(session, contact, message.to_address)
        return consent_rules.why_withheld(message.channel, message.topic, standing)
    key = read_address(message.to_address).key
    if contacts.is_erased(session, key):
        return Withheld.ERASED
    dead = SuppressionReason.HARD_BOUNCE in consent_queries.reasons_against(session, key)
    return Withheld.DEAD_ADDRESS if dead else None


def _send(message: Message, connection: transport.Connection) -> _Sent:
    """Compose and hand over. A mail that cannot be made never blocks the lane, whatever is wrong with it."""
    try:
        mail = compose.compose(message)
        return _Sent(message, connection.send(mail), mail.sha256)
    except JobTimeoutException:
        raise  # the server may have it: in doubt, as after a crash (TRAPS 9)
    except Exception as error:
        return _failed(message, error)


def _failed(message: Message, error: Exception) -> _Sent:
    """A mail that we could not make: over if its own values are at fault, tried again if we are (a key, a bug)."""
    is_over = isinstance(error, MailerError) and not isinstance(error, KeyGone)
    words = str(error) if isinstance(error, MailerError) else type(error).__name__  # a bug's own words may be personal
    log.error("message %s cannot be made: %s", message.id, type(error).__name__)
    outcome = Outcome.REFUSED if is_over else Outcome.DEFERRED
    return _Sent(message, lanes.Answer(outcome, 0, f"cannot be made: {words}", "none"), "")


def _settle(session: Session, sent: _Sent | None) -> int:
    """Write an answer down and let others know whom it concerns; 1 if a server took the mail."""
    if sent is None:
        return 0
    at, message = now(), sent.message
    state = lanes.settle(session, message, sent.answer, sent.sha256, at)
    if state is None:
        return 0
    if transport.says_dead(sent.answer):
        key = read_address(message.to_address).key
        consent.suppress(session, key, SuppressionReason.HARD_BOUNCE, source=message.id, at=at)
    if message.kind in TELLING and state is not State.QUEUED:
        known = State.ACCEPTED if state is State.ACCEPTED else State.REFUSED  # in doubt for good is not told
        notices.settled(session, message, known, at)
    return int(state is State.ACCEPTED)


def _longest() -> timedelta:
    """How long a mark holds: connecting, one transaction, and as long as a lease to write its answer down (TRAPS 9)."""
    config = settings.current()
    return timedelta(seconds=2 * config.smtp_timeout_seconds + config.lease_seconds)
