"""What the public pages, the feed and the data say of a policy on a day: a shelf in, plain values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from mailer import clock
from mailer.policies import rules
from mailer.policies.models import Version, VersionWithdrawal
from mailer.policies.queries import Shelf
from mailer.policies.rules import Announce, ChangeClass, Phase


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


def data(shelf: Shelf, day: date, url: str) -> dict[str, Any]:
    """The policy for other programs."""
    current = shelf.in_force(day)
    return {
        "policy": shelf.policy.slug,
        "title": shelf.policy.title,
        "concerns": shelf.policy.concerns,
        "as_of": day.isoformat(),
        "url": f"{url}/policies/{shelf.policy.slug}",
        "feed": f"{url}/policies/{shelf.policy.slug}/feed.atom",
        "in_force": _version(shelf, current, day, url) | {"text": current.text} if current else None,
        "pending": [_version(shelf, version, day, url) for version in shelf.pending(day)],
        "versions": [_version(shelf, version, day, url) for version in shelf.versions],
    }


def banner(shelf: Shelf, day: date, url: str) -> dict[str, Any]:
    """What a site shows on top of its pages; `notices` is empty when there is nothing to say."""
    changes = [version for version in shelf.versions if shelf.base_of(version)]
    shown = [v for v in changes if rules.is_on_banner(v.change_class, shelf.released[v.number], day)]
    return {
        "policy": shelf.policy.slug,
        "title": shelf.policy.title,
        "notices": [_notice(shelf, v, day, url) for v in shown],
    }


def happened(shelf: Shelf) -> list[Happening]:
    """What a feed tells, newest first: every version, the minor ones too, and every withdrawal."""
    found = [Happening(version.released_at, version) for version in shelf.versions]
    found += [
        Happening(shelf.withdrawals[v.id].at, v, shelf.withdrawals[v.id])
        for v in shelf.versions
        if v.id in shelf.withdrawals
    ]
    return sorted(found, key=lambda one: (one.at, one.version.number), reverse=True)


def feed_tag(shelf: Shelf, url: str) -> str:
    """What the ids of a feed begin with; it never changes while the site keeps its name (RFC 4151)."""
    since = shelf.policy.created_at.astimezone(UTC).date().isoformat()
    return f"tag:{urlsplit(url).hostname or 'localhost'},{since}:policies/{shelf.policy.slug}"


def _version(shelf: Shelf, version: Version, day: date, url: str) -> dict[str, Any]:
    base, withdrawal = shelf.base_of(version), shelf.withdrawals.get(version.id)
    root = f"{url}/policies/{shelf.policy.slug}"
    return {
        "id": version.id,
        "number": version.number,
        "class": version.change_class.value,
        "phase": shelf.phase(version, day).value,
        "effective_on": version.effective_on.isoformat(),
        "released_at": version.released_at.isoformat(),
        "withdrawn_at": withdrawal.at.isoformat() if withdrawal else None,
        "summary": version.summary,
        "sha256": version.sha256,
        "url": f"{root}/versions/{version.number}",
        "changes_url": f"{root}/diff/{base.number}..{version.number}" if base else None,
    }


def _notice(shelf: Shelf, version: Version, day: date, url: str) -> dict[str, Any]:
    has_begun = version.effective_on <= day
    verb = "changed" if has_begun else "changes"
    known = _version(shelf, version, day, url)
    kept = ("number", "class", "phase", "effective_on", "summary", "url", "changes_url")
    return {key: known[key] for key in kept} | {
        "text": f"“{shelf.policy.title}” {verb} on {rules.say(version.effective_on)}.",
        "announced": version.announce is Announce.ANNOUNCEMENT or version.change_class is ChangeClass.MATERIAL,
    }
