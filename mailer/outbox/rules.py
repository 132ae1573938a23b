"""Kinds and states of messages, and when a deferred one is tried again (DESIGN §8)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.consent.rules import Channel


class MailKind(StrEnum):
    """What a mail is; each kind has one channel and one folder `templates/mail/<channel>/<kind>/`."""

    CAMPAIGN = "campaign"
    ANNOUNCEMENT = "announcement"
    ADMINISTRATIVE = "administrative"
    NOTICE = "notice"
    WITHDRAWAL = "withdrawal"
    TERMINATION_RECEIPT = "termination_receipt"
    TERMINATION_CONFIRM = "termination_confirm"
    ANSWER = "answer"

    @property
    def channel(self) -> Channel:
        return Channel.MARKETING if self is MailKind.CAMPAIGN else Channel.ESSENTIAL


class State(StrEnum):
    """The life of one message."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"


SETTLED = frozenset({State.ACCEPTED, State.REFUSED, State.WITHHELD, State.UNKNOWN})


class MailingState(StrEnum):
    """The life of one mailing: its messages are being made, or all of them stand."""

    FANNING_OUT = "fanning_out"
    FANNED_OUT = "fanned_out"


class Outcome(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"


_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
REPLY_LIMIT = 1000

_PAUSES = (5, 10, 20, 40, 67)  # minutes, then 67 each time
_SILENT_PAUSES = (0.25, 0.5, 1, 2, *_PAUSES)  # nobody said “later”: the server, or we ourselves, may be back at once
GIVE_UP_AFTER = {Channel.ESSENTIAL: timedelta(days=5), Channel.MARKETING: timedelta(hours=24)}
JITTER = 0.2
LONGEST_PAUSE = timedelta(minutes=_PAUSES[-1])
CRASHES_AT_ONCE = 2  # after so many, what was on the wire when a worker died waits for the longest pause


def next_attempt_at(attempts: int, at: datetime, chance: float, *, was_answered: bool = True) -> datetime:
    """When to try again after attempt number `attempts` failed at `at`; `chance` in [0, 1) spreads it by ± 20 %.

    A server's own “later” is given more time than a connection that broke without a word.
    """
    pauses = _PAUSES if was_answered else _SILENT_PAUSES
    minutes = pauses[min(attempts, len(pauses)) - 1]
    return at + timedelta(minutes=minutes * (1 - JITTER + 2 * JITTER * chance))


def without_addresses(reply: str) -> str:
    """A server's words without the mail addresses in them: they are kept longer than a person's data."""
    return _ADDRESS.sub("(address)", reply)[:REPLY_LIMIT]


def is_over(channel: Channel, created_at: datetime, at: datetime) -> bool:
    """Whether a message has been tried for as long as its channel allows."""
    return at - created_at >= GIVE_UP_AFTER[channel]
