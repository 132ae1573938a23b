"""Which version of each policy binds a person, since when, and what is still to come (S2, S4, S5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailer.notices.rules import Days, NoticeState, Via


class Agreed(StrEnum):
    """How a person agreed with a version."""

    DEEMED = "deemed"
    EXPRESSLY = "expressly"


@dataclass(frozen=True)
class Held:
    """One version as one person knows it. `state` is None where no notice was made for them (yet, or ever).

    `is_noticed` says that people are told of this version by a notice; `terminated`, that this person answered in time
    that they terminate.
    """

    version_id: str
    policy: str
    number: int
    effective_on: date
    is_noticed: bool
    state: NoticeState | None = None
    via: Via = Via.MAIL
    days: Days | None = None
    deemed: bool = False
    agreed_on: date | None = None
    terminated: bool = False

    @property
    def agreed(self) -> Agreed | None:
        """How the person agreed; what they said counts before what is derived."""
        if self.agreed_on is not None:
            return Agreed.EXPRESSLY
        return Agreed.DEEMED if self.deemed else None

    def may_answer(self, today: date) -> bool:
        """Whether the person's window is open on this day."""
        return self.days is not None and not self.terminated and today <= self.days.respond_by_on


@dataclass(frozen=True)
class Bound:
    """The version that binds a person, and the first day it does."""

    version: Held
    since: date


@dataclass(frozen=True)
class Standing:
    """What binds a person now, one version a policy, and the versions that may come to."""

    binding: list[Bound]
    pending: list[Held]


def bound_from(held: Held, joined_on: date, is_consumer: bool) -> date | None:
    """The first day on which a version alone would bind somebody; None while nobody can name one.

    Who joined under it is bound from then. Of what needs no notice the effective date decides. Else the person's own
    clock does, if one runs and they did not terminate; a consumer must have said yes besides.
    """
    if held.effective_on <= joined_on:
        return joined_on
    if not held.is_noticed:
        return held.effective_on
    if held.terminated or held.state is not NoticeState.ACCEPTED or held.days is None:
        return None
    if not is_consumer:
        return held.days.binding_on
    return max(held.days.binding_on, held.agreed_on) if held.agreed_on is not None else None


def stand(versions: Sequence[Held], joined_on: date, is_consumer: bool, today: date) -> Standing:
    """Where a person stands with one policy, whose versions are given oldest first, without the withdrawn.

    A version holds the changes of those before it, so it binds no earlier than they do, and not at all while one of
    them does not.
    """
    bound: Bound | None = None
    floor = date.min
    for held in versions:
        since = bound_from(held, joined_on, is_consumer)
        if since is None:
            break
        floor = max(floor, since)
        if floor > today:
            break
        bound = Bound(held, floor)
    last = bound.version.number if bound is not None else 0
    return Standing([bound] if bound is not None else [], [held for held in versions if held.number > last])
