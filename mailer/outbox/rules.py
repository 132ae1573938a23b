"""Kinds and states of messages, and when a deferred one is tried again (DESIGN §8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.consent.rules import Channel


class MailKind(StrEnum):
    """What a mail is; each kind has one channel and one folder `templates/mail/<channel>/<kind>/`."""

    CAMPAIGN = "campaign"
    ANNOUNCEMENT = "announcement"
    ADMINISTRATIVE = "administrative"
    NOTICE = "notice"
    REMINDER = "reminder"
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
    """The life of one mailing: its messages are being made, all of them stand, or what waited of it was cancelled."""

    FANNING_OUT = "fanning_out"
    FANNED_OUT = "fanned_out"
    ENDED = "ended"


class Outcome(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True)
class After:
    """What a message is after a try, and when it is due again, if it is."""

    state: State
    due_at: datetime | None = None
    keeps_day: bool = False  # it may be with the server: it goes again as the same bytes


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


def after_try(
    outcome: Outcome, channel: Channel, attempts: int, at: datetime, chance: float, *, created_at: datetime, code: int
) -> After:
    """What try number `attempts` makes of a message; `chance` in [0, 1) spreads the next one (`next_attempt_at`).

    Without a yes or no the server may have it: essential mail goes again as it was, marketing never does (invariant 5).
    """
    goes_on = not is_over(channel, created_at, at)
    again_at = next_attempt_at(attempts, at, chance, was_answered=code != 0)
    match outcome:
        case Outcome.ACCEPTED:
            return After(State.ACCEPTED)
        case Outcome.DEFERRED if goes_on:
            return After(State.QUEUED, again_at)
        case Outcome.IN_DOUBT if goes_on and channel is Channel.ESSENTIAL:
            return After(State.QUEUED, again_at, keeps_day=True)
        case Outcome.IN_DOUBT:
            return After(State.UNKNOWN)
        case _:
            return After(State.REFUSED)


def after_crash(channel: Channel, attempts: int, at: datetime) -> After:
    """What the end of a worker makes of a mail on the wire, its try number `attempts`: again at once, if essential.

    After some such ends it waits for the longest pause, for it may be what kills the workers.
    """
    if channel is Channel.MARKETING:
        return After(State.UNKNOWN)
    return After(State.QUEUED, at + LONGEST_PAUSE if attempts > CRASHES_AT_ONCE else at, keeps_day=True)


def without_addresses(reply: str, to_address: str = "") -> str:
    """A server's words without the mail addresses in them: they are kept longer than a person's data.

    Nor do they keep what stands before the @ of `to_address`: “no such user anna.devries”.
    """
    said = _ADDRESS.sub("(address)", reply) if "@" in reply else reply
    name = to_address.rpartition("@")[0]
    if name and name.casefold() in said.casefold():
        said = re.sub(rf"(?<![\w.+-]){re.escape(name)}(?![\w+-])", "(address)", said, flags=re.IGNORECASE)
    return said[:REPLY_LIMIT]


def is_over(channel: Channel, created_at: datetime, at: datetime) -> bool:
    """Whether a message has been tried for as long as its channel allows."""
    return at - created_at >= GIVE_UP_AFTER[channel]
