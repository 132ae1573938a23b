"""The change-over: tell, once, that the day of a version has come (DESIGN §5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.ledger import actions as ledger
from mailer.policies import queries
from mailer.policies.models import Policy, Version, VersionEffect


def take_effect(session: Session, at: datetime, today: date) -> list[Version]:
    """Tell, once, of each version whose day has come. Safe to run twice: what is in force is decided by dates alone.

    Whoever tells holds the policy, as a release and a withdrawal do: another teller, or a withdrawal, comes before or
    after, never between.
    """
    held = sorted({version.policy_id for version in queries.to_take_effect(session, today)})
    session.execute(select(Policy.id).where(Policy.id.in_(held)).order_by(Policy.id).with_for_update())
    due = [version for version in queries.to_take_effect(session, today) if version.policy_id in held]
    for version in due:
        session.add(VersionEffect(version_id=version.id, at=at))
        _tell(session, version, at)
    session.flush()
    return due


def in_force_since(version: Version) -> datetime:
    """The instant from which a version was in force, however late it is told.

    What was brought in from before has no author: people lived under it from the beginning of its day.
    """
    midnight = clock.midnight(version.effective_on, settings.current().zone)
    return midnight if version.author_id is None else max(midnight, version.released_at)


def _tell(session: Session, version: Version, at: datetime) -> None:
    said: dict[str, Any] = {
        "effective_on": version.effective_on.isoformat(),
        "effective_at": in_force_since(version).isoformat(),
    }
    ledger.record(session, "policy.effective", at, version=version.id, sha256=version.sha256, **said)
    ledger.tell(
        session,
        "policy.effective",
        at,
        version=version.id,
        policy=version.policy.slug,
        number=version.number,
        told_at=at.isoformat(),
        **said,
    )
