"""Who was told, whose window is over, who is deemed to agree (S4, S5; invariant 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class NoticeState(StrEnum):
    """Where one person's notice of one version stands."""

    PLANNED = "planned"
    ACCEPTED = "accepted"
    UNREACHED = "unreached"
    ENDED = "ended"


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
