"""Webhooks in and out: what may be said, where events may go, when a failed call is tried again (Standard Webhooks)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import urlsplit

MAX_BODY = 256 * 1024
TOLERANCE = timedelta(minutes=5)  # Standard Webhooks: both ways
ENDPOINT_LIMIT = 500
_NAME = re.compile(r"[a-z][a-z0-9-]{1,58}[a-z0-9]")
_WEBHOOK_ID = re.compile(r"[!-~]{1,120}")

# IPv6 that carries an IPv4 address inside: a gateway on the way would unpack it behind our back
_EMBEDS_IPV4 = tuple(
    IPv6Network(net) for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)
_SITE_LOCAL = IPv6Network("fec0::/10")


class DeliveryState(StrEnum):
    """Where an event for one service stands."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    DEAD = "dead"


class EventIn(StrEnum):
    """What other services may tell us (DESIGN §10)."""

    CONTACT_UPSERTED = "contact.upserted"
    CONTACT_CLOSED = "contact.closed"
    CONTACT_ACTIVE = "contact.active"
    CONSENT_GRANTED = "consent.granted"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    MESSAGE_REQUESTED = "message.requested"
    ANNOUNCEMENT_SHOWN = "announcement.shown"
    TERMINATION_RECEIVED = "termination.received"
    RIGHTS_REQUESTED = "rights.requested"


class EventOut(StrEnum):
    """What other services may hear (DESIGN §10)."""

    POLICY_RELEASED = "policy.released"
    POLICY_EFFECTIVE = "policy.effective"
    POLICY_WITHDRAWN = "policy.withdrawn"
    NOTICE_ACCEPTED = "notice.accepted"
    NOTICE_UNREACHED = "notice.unreached"
    AGREEMENT_DEEMED = "agreement.deemed"
    AGREEMENT_EXPRESSED = "agreement.expressed"
    TERMINATION_RECEIVED = "termination.received"
    TERMINATION_CONFIRMED = "termination.confirmed"
    TERMINATION_ORDINARY = "termination.ordinary"
    TERMINATION_WITHDRAWN = "termination.withdrawn"
    TERMINATION_CLOSED = "termination.closed"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    MESSAGE_BOUNCED = "message.bounced"
    MESSAGE_COMPLAINED = "message.complained"
    CONTACT_ERASED = "contact.erased"
    CONTACT_MERGED = "contact.merged"
    RIGHTS_DUE = "rights.due"
    LEDGER_PUBLISHED = "ledger.published"


# Standard Webhooks' example schedule: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 36_000))


def next_call_at(attempts: int, at: datetime) -> datetime | None:
    """When to call again after attempt number `attempts` failed at `at`; None when it is a dead letter."""
    return at + PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


def is_stale(timestamp: str, at: datetime) -> bool:
    """Whether a `webhook-timestamp` is a number of seconds more than five minutes away from `at`, either way."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    return abs(at.timestamp() - int(timestamp)) > TOLERANCE.total_seconds()


def is_webhook_id(text: str) -> bool:
    """Whether a `webhook-id` can be a key: 1 to 120 visible ASCII characters."""
    return _WEBHOOK_ID.fullmatch(text) is not None


def is_from_the_future(instant: datetime, at: datetime) -> bool:
    """Whether a reported instant lies further ahead than two clocks may differ."""
    return instant - at > TOLERANCE


def why_not_name(name: str) -> str | None:
    """Why a service cannot bear this name; None if it can. It stands in the address `/webhooks/<name>`."""
    if _NAME.fullmatch(name):
        return None
    return "Use 3 to 60 small letters, digits and hyphens, beginning with a letter, such as trac-billing."


def why_not_endpoint(url: str, is_production: bool) -> str | None:
    """Why events cannot be sent to this address, judged by its text alone; None if they can."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        return "This is not a web address; write it like https://service.example/events."
    if len(url) > ENDPOINT_LIMIT or not re.fullmatch(r"[!-~]+", url):
        return f"Use at most {ENDPOINT_LIMIT} plain characters without blanks."
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "This is not a web address; write it like https://service.example/events."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "Leave user name, password and “#…” out of the address; calls are signed."
    if is_production and parts.scheme != "https":
        return "Use https: events must not travel in the clear."
    return None


def may_call(address: IPv4Address | IPv6Address, is_production: bool) -> bool:
    """Whether we may open a connection to a resolved address: the public network, in development also loopback."""
    if address.is_loopback:
        return not is_production
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return True
    return address not in _SITE_LOCAL and not any(address in net for net in _EMBEDS_IPV4)
