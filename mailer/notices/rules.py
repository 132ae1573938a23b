"""Who was told, whose window is over, who is deemed to agree (S4, S5; invariant 7)."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from mailer.outbox.rules import MailKind
from mailer.policies import rules as policies

WHY_LIMIT = 300
TELLING = frozenset({MailKind.NOTICE, MailKind.ANNOUNCEMENT})
"""Mails that may tell of a version, and are taken back if it is withdrawn."""
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def key_of(version_id: str, address_id: str = "") -> str:
    """The key of a notice to an address that is somebody's primary one only now; without one, how all of them begin."""
    return f"notice/{version_id}/{address_id}"


class NoticeState(StrEnum):
    """Where one person's notice of one version stands."""

    PLANNED = "planned"
    ACCEPTED = "accepted"
    UNREACHED = "unreached"
    ENDED = "ended"


STANDING = frozenset({NoticeState.PLANNED, NoticeState.ACCEPTED})


@dataclass(frozen=True)
class Clock:
    """One person's dates: told, last day to answer, first day bound; and the day on which the plain 30 days end."""

    notified_on: date
    plain_end_on: date
    respond_by_on: date
    binding_on: date
    effective_on: date


def clock_of(notified_on: date, effective_on: date, holidays: Container[date]) -> Clock:
    """The dates of somebody whose mail the next server accepted on a local day (DESIGN §5)."""
    respond_by_on = policies.respond_by(notified_on, holidays)
    return Clock(
        notified_on=notified_on,
        plain_end_on=notified_on + timedelta(days=policies.NOTICE_DAYS),
        respond_by_on=respond_by_on,
        binding_on=policies.binding_from(effective_on, respond_by_on),
        effective_on=effective_on,
    )


def last_day_to_tell(effective_on: date, holidays: Container[date]) -> date:
    """The last day on which a server's yes still lets a version bind its reader on the promised day (S2)."""
    day = effective_on - timedelta(days=policies.NOTICE_DAYS + 1)
    while policies.earliest_effective(day, holidays) > effective_on:
        day -= timedelta(days=1)
    return day


class NotAgreed(StrEnum):
    """Why a person is not deemed to agree (yet)."""

    NOT_REACHED = "not_reached"
    WINDOW_OPEN = "window_open"
    TERMINATED = "terminated"
    UNDECIDED = "undecided"
    NOT_USED = "not_used"
    WITHDRAWN = "version_withdrawn"


@dataclass(frozen=True)
class NoticeFacts:
    """What is known of one person and one version on a day."""

    state: NoticeState
    respond_by_on: date | None
    binding_on: date | None
    terminated: bool = False
    undecided: bool = False
    used_on: date | None = None
    version_withdrawn: bool = False


def without_addresses(text: str) -> str:
    """A server's words without the mail addresses in them, for rows that outlive a person's erasure."""
    return _ADDRESS.sub("(address)", text)[:WHY_LIMIT]


def why_not_agreed(facts: NoticeFacts, today: date) -> NotAgreed | None:
    """Why this person is not deemed to agree on `today`; None if they are (S5).

    Deemed agreement is derived: told, window past, nothing that may be a termination, used the service since it binds.
    No path leads here from a person who was not reached (invariant 7).
    """
    if facts.version_withdrawn:
        return NotAgreed.WITHDRAWN
    if facts.state is not NoticeState.ACCEPTED or facts.respond_by_on is None or facts.binding_on is None:
        return NotAgreed.NOT_REACHED
    if facts.terminated:
        return NotAgreed.TERMINATED
    if facts.undecided:
        return NotAgreed.UNDECIDED
    if today <= facts.respond_by_on or today < facts.binding_on:
        return NotAgreed.WINDOW_OPEN
    if facts.used_on is None or facts.used_on < facts.binding_on:
        return NotAgreed.NOT_USED
    return None
