"""Who may be written to: the two channels, consent, suppressions (DESIGN §1, S1, S9, S13)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mailer.contacts.rules import Origin


class Channel(StrEnum):
    """What a mail must do or may do. Everything else follows from it (STYLE §8)."""

    ESSENTIAL = "essential"
    MARKETING = "marketing"


class Act(StrEnum):
    """What a consent event says."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Basis(StrEnum):
    """On whose word: consent asked for, or a customer's own purchase (soft opt-in, Telecommunicatiewet 11.7(3))."""

    CONSENT = "consent"
    SOFT_OPT_IN = "soft_opt_in"


class SuppressionReason(StrEnum):
    """Why an address is not mailed."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    MANUAL = "manual"
    ERASED = "erased"


LOOK_HOLDS_SECONDS = 0.3  # no mail begins later than this after it was looked whether it may
LEAVING_SECONDS = 0.4  # so long an unsubscribe takes to answer: every look before it is stale then (invariant 3)
STOPS_ESSENTIAL = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.ERASED})


def is_agreement(source: str) -> bool:
    """Whether a source says that somebody agreed with a policy: that is no consent, and the database refuses it too."""
    return source.lower() == "agreement" or source.lower().startswith("agreement/")


class Withheld(StrEnum):
    """Why a message was not sent; always shown to whoever asks."""

    ERASED = "erased"
    DEAD_ADDRESS = "dead_address"
    NO_ADDRESS = "no_address"
    THIRD_PARTY = "third_party"
    NO_CONSENT = "no_consent"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """What stands about one contact and address at this moment."""

    origin: Origin
    subscribed: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    suppressed: frozenset[SuppressionReason] = field(default_factory=frozenset)
    erased: bool = False
    closed: bool = False
    has_address: bool = True


def why_withheld(channel: Channel, topic: str | None, standing: Standing) -> Withheld | None:
    """Why a mail must not go out now; None if it may.

    Essential mail is stopped by erasure and by a dead address only (invariant 4).
    """
    if standing.erased or SuppressionReason.ERASED in standing.suppressed:
        return Withheld.ERASED
    if not standing.has_address:
        return Withheld.NO_ADDRESS
    if SuppressionReason.HARD_BOUNCE in standing.suppressed:
        return Withheld.DEAD_ADDRESS
    return None if channel is Channel.ESSENTIAL else _why_not_marketing(topic, standing)


def _why_not_marketing(topic: str | None, standing: Standing) -> Withheld | None:
    if standing.origin is Origin.THIRD_PARTY:
        return Withheld.THIRD_PARTY
    if SuppressionReason.UNSUBSCRIBED in standing.suppressed or topic in standing.left:
        return Withheld.UNSUBSCRIBED
    if SuppressionReason.COMPLAINT in standing.suppressed:
        return Withheld.COMPLAINED
    if SuppressionReason.MANUAL in standing.suppressed:
        return Withheld.SUPPRESSED
    if standing.closed:
        return Withheld.CLOSED
    if topic not in standing.subscribed:
        return Withheld.NO_CONSENT
    return None
