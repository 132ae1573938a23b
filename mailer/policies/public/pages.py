"""What the public pages and the feeds say of policies on a day: shelves in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from mailer import clock
from mailer.policies.models import Version, VersionWithdrawal
from mailer.policies.queries import Shelf
from mailer.policies.rules import ChangeClass, Phase


@dataclass(frozen=True)
class Coming:
    """What changes on one day: the versions that take effect then, the newest of them last, and what it replaces."""

    effective_on: date
    versions: Sequence[Version]
    replaces: Version | None

    @property
    def new(self) -> Version:
        return self.versions[-1]

    @property
    def main(self) -> Version:
        """The version that tells what changes: a correction that rides along says less."""
        return next((v for v in self.versions if v.change_class is not ChangeClass.MINOR), self.new)

    @property
    def is_material(self) -> bool:
        return any(v.change_class is ChangeClass.MATERIAL for v in self.versions)


@dataclass(frozen=True)
class Row:
    """One version in a list."""

    version: Version
    phase: Phase
    base: Version | None
    withdrawal: VersionWithdrawal | None


@dataclass(frozen=True)
class Card:
    """One policy in the list of policies."""

    shelf: Shelf
    current: Version | None
    coming: Sequence[Coming]


@dataclass(frozen=True)
class Happening:
    """One entry of the feed."""

    at: datetime
    version: Version
    base: Version | None
    withdrawal: VersionWithdrawal | None = None


def coming(shelf: Shelf, day: date) -> list[Coming]:
    """The change-overs after `day`, in their order."""
    pending = shelf.pending(day)
    found: list[Coming] = []
    before = shelf.in_force(day)
    for effective_on in sorted({version.effective_on for version in pending}):
        together = [version for version in pending if version.effective_on == effective_on]
        found.append(Coming(effective_on, together, before))
        before = together[-1]
    return found


def card(shelf: Shelf, day: date) -> Card:
    return Card(shelf, shelf.in_force(day), coming(shelf, day))


def rows(shelf: Shelf, day: date) -> list[Row]:
    """Every version with where it stands, newest first."""
    return [
        Row(version, shelf.phase(version, day), shelf.base_of(version), shelf.withdrawals.get(version.id))
        for version in reversed(shelf.versions)
    ]


def changed_at(shelf: Shelf, day: date, zone: ZoneInfo) -> datetime:
    """When the public page last became another: an addition, or the midnight of a change-over."""
    begun = [clock.midnight(v.effective_on, zone) for v in shelf.versions if v.effective_on <= day]
    return max([shelf.changed_at(), *begun])


def last_changed_at(shelves: Iterable[Shelf], day: date, zone: ZoneInfo) -> datetime | None:
    """When any of these policies' pages last became another; None if there is none."""
    return max((changed_at(shelf, day, zone) for shelf in shelves), default=None)


def happened(shelf: Shelf) -> list[Happening]:
    """What a feed tells, newest first: every version, the minor ones too, and every withdrawal."""
    found = [Happening(version.released_at, version, shelf.base_of(version)) for version in shelf.versions]
    found += [
        Happening(shelf.withdrawals[v.id].at, v, shelf.base_of(v), shelf.withdrawals[v.id])
        for v in shelf.versions
        if v.id in shelf.withdrawals
    ]
    return sorted(found, key=lambda one: (one.at, one.version.number), reverse=True)


def all_tag(url: str) -> str:
    """The id of the feed of all policies; its entries have the ids they have in their policy's own feed."""
    return f"tag:{urlsplit(url).hostname or 'localhost'},2026:policies"


def feed_tag(shelf: Shelf, url: str) -> str:
    """What the ids of a feed begin with; it never changes while the site keeps its name (RFC 4151)."""
    since = shelf.policy.created_at.astimezone(UTC).date().isoformat()
    return f"tag:{urlsplit(url).hostname or 'localhost'},{since}:policies/{shelf.policy.slug}"
