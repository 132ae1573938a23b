"""Read policies: each with all its versions, as they stand on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from mailer.errors import NotFound
from mailer.policies import rules
from mailer.policies.linked import linked_slugs
from mailer.policies.models import Draft, Policy, Version, VersionEffect, VersionTranslation, VersionWithdrawal


class NoSuchPolicy(NotFound):
    """No policy has this name."""


class NoSuchVersion(NotFound):
    """The policy has no version of this number, or none in force on the day asked for."""


class NoSuchDraft(NotFound):
    """No draft has this id."""


@dataclass(frozen=True)
class Shelf:
    """One policy with all its versions by number, oldest first, and what was withdrawn."""

    policy: Policy
    versions: Sequence[Version]
    withdrawals: dict[str, VersionWithdrawal]

    @cached_property
    def released(self) -> dict[int, rules.Released]:
        """Each version as the rules see it."""
        return {v.number: rules.Released(v.number, v.effective_on, v.id in self.withdrawals) for v in self.versions}

    def find(self, number: int) -> Version | None:
        return next((version for version in self.versions if version.number == number), None)

    def get(self, number: int) -> Version:
        """The version of this number; NoSuchVersion if there is none."""
        found = self.find(number)
        if found is None:
            last = f"the last is version {self.versions[-1].number}" if self.versions else "it has none yet"
            raise NoSuchVersion(f"“{self.policy.title}” has no version {number}; {last}.")
        return found

    def in_force(self, day: date) -> Version | None:
        current = rules.in_force(self.released.values(), day)
        return self.get(current.number) if current else None

    def pending(self, day: date) -> list[Version]:
        """What was released and takes effect after `day`, oldest first."""
        return [version for version in self.versions if self.phase(version, day) is rules.Phase.PENDING]

    def phase(self, version: Version, day: date) -> rules.Phase:
        return rules.phase(self.released[version.number], self.released.values(), day)

    def latest(self) -> Version | None:
        """The version that the next text builds on."""
        newest = rules.latest(self.released.values())
        return self.get(newest.number) if newest else None

    def latest_at(self, instant: datetime) -> Version | None:
        """The version that a text written at an instant built on."""
        stood = [v for v in self.versions if v.released_at <= instant and not self._withdrawn_by(v, instant)]
        return stood[-1] if stood else None

    def base_of(self, version: Version) -> Version | None:
        """The version whose text this one was built on: the newest before it that was not withdrawn by then."""
        stood = [
            v for v in self.versions if v.number < version.number and not self._withdrawn_by(v, version.released_at)
        ]
        return stood[-1] if stood else None

    def is_settled(self, version: Version, day: date) -> bool:
        """Whether nothing more can happen to it: it took effect, or it was withdrawn."""
        return self.phase(version, day) is not rules.Phase.PENDING

    def changed_at(self) -> datetime:
        """When something was last added to this policy."""
        times = [
            self.policy.created_at,
            *(v.released_at for v in self.versions),
            *(w.at for w in self.withdrawals.values()),
        ]
        return max(times)

    def _withdrawn_by(self, version: Version, instant: datetime) -> bool:
        withdrawal = self.withdrawals.get(version.id)
        return withdrawal is not None and withdrawal.at <= instant


def policies(session: Session) -> Sequence[Policy]:
    """Every policy, by title."""
    return session.scalars(select(Policy).order_by(Policy.title)).all()


def find(session: Session, slug: str) -> Policy | None:
    return session.scalar(select(Policy).where(Policy.slug == slug))


def get(session: Session, slug: str) -> Policy:
    """The policy of this name; NoSuchPolicy if there is none."""
    found = find(session, slug)
    if found is None:
        raise NoSuchPolicy(f"There is no policy “{slug[:80]}” here; /policies lists them all.")
    return found


def shelf(session: Session, policy: Policy, *also: ORMOption) -> Shelf:
    """A policy with all its versions; their texts are fetched only when read. `also` says what else to load at once."""
    translations = selectinload(Version.translations).defer(VersionTranslation.text)
    query = (
        select(Version)
        .where(Version.policy_id == policy.id)
        .options(defer(Version.text), joinedload(Version.policy), translations, *also)
    )
    versions = session.scalars(query.order_by(Version.number)).all()
    withdrawn = select(VersionWithdrawal).join(Version).where(Version.policy_id == policy.id)
    return Shelf(policy, versions, {row.version_id: row for row in session.scalars(withdrawn)})


def shelves(session: Session) -> list[Shelf]:
    """Every policy with its versions."""
    return [shelf(session, policy) for policy in policies(session)]


def published(session: Session) -> set[str]:
    """The names of the policies that have a version."""
    return set(session.scalars(select(Policy.slug).join(Version, Version.policy_id == Policy.id).distinct()))


def linked_from(session: Session, version: Version, url: str) -> list[Policy]:
    """The policies that this version's text links to, by title; `url` is our public address."""
    texts = [version.text, *(translation.text for translation in version.translations)]
    slugs = {slug for text in texts for slug in linked_slugs(text, url)} - {version.policy.slug}
    return list(session.scalars(select(Policy).where(Policy.slug.in_(slugs)).order_by(Policy.title)))


def linking_to(session: Session, policy: Policy, day: date, url: str) -> list[Policy]:
    """The policies whose text in force on `day`, or pending then, links to this one, by title."""
    found = []
    for other in shelves(session):
        current = other.in_force(day)
        live = [*([current] if current else []), *other.pending(day)]
        if other.policy.id != policy.id and any(policy.slug in linked_slugs(v.text, url) for v in live):
            found.append(other.policy)
    return found


def get_version(session: Session, version_id: str) -> Version:
    """The version with this id; NoSuchVersion if there is none."""
    found = session.get(Version, version_id, options=[joinedload(Version.policy)])
    if found is None:
        raise NoSuchVersion("There is no such version here; open it from the list of policies.")
    return found


def is_withdrawn(session: Session, version_id: str) -> bool:
    return session.get(VersionWithdrawal, version_id) is not None


def is_in_effect(session: Session, version_id: str) -> bool:
    """Whether others were told that this version took effect."""
    return session.get(VersionEffect, version_id) is not None


def pending_versions(session: Session, day: date) -> Sequence[Version]:
    """Every version of any policy that takes effect after `day` and was not withdrawn."""
    standing = ~select(VersionWithdrawal).where(VersionWithdrawal.version_id == Version.id).exists()
    query = select(Version).where(Version.effective_on > day, standing).options(joinedload(Version.policy))
    return session.scalars(query.order_by(Version.released_at)).all()


def to_take_effect(session: Session, today: date) -> Sequence[Version]:
    """The versions whose day has come and whose change-over was not told yet."""
    told = select(VersionEffect).where(VersionEffect.version_id == Version.id).exists()
    withdrawn = select(VersionWithdrawal).where(VersionWithdrawal.version_id == Version.id).exists()
    query = select(Version).where(Version.effective_on <= today, ~told, ~withdrawn).options(defer(Version.text))
    return session.scalars(query.order_by(Version.effective_on, Version.number)).all()


def get_draft(session: Session, draft_id: str) -> Draft:
    """The draft with this id; NoSuchDraft if there is none."""
    wanted = [joinedload(Draft.policy), *(selectinload(each) for each in (Draft.approvals, Draft.returns))]
    found = session.get(Draft, draft_id, options=wanted)
    if found is None:
        raise NoSuchDraft("There is no such draft here; open it from its policy's page.")
    return found


def open_drafts(session: Session, policy: Policy | None = None) -> Sequence[Draft]:
    """Drafts that people still work on, newest first; of one policy or of all."""
    query = (
        select(Draft)
        .where(Draft.state.in_(rules.OPEN))
        .options(joinedload(Draft.policy), selectinload(Draft.approvals))
    )
    if policy is not None:
        query = query.where(Draft.policy_id == policy.id)
    return session.scalars(query.order_by(Draft.updated_at.desc())).all()
