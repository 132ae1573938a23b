"""Find terminations."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from mailer import signing
from mailer.errors import NotFound
from mailer.terminations.models import Termination
from mailer.terminations.rules import TERMINATES, UNDECIDED, is_repeat

CONFIRM = "confirm-termination"


class NoSuchTermination(NotFound):
    """No termination has this id."""


def by_token(session: Session, token: str) -> Termination:
    """The termination that a confirm link concerns; BadToken on anything forged."""
    found = session.get(Termination, signing.read(CONFIRM, token))
    if found is None:
        raise NoSuchTermination(
            "This link is not one of ours, or it was cut off. Open it again from the mail it came in."
        )
    return found


def get(session: Session, termination_id: str) -> Termination:
    """The termination with this id."""
    found = session.get(Termination, termination_id)
    if found is None:
        raise NoSuchTermination("There is no such termination here; look it up on the person's page.")
    return found


def by_source(session: Session, source_id: str) -> Termination | None:
    """The termination that came of one mail or webhook."""
    return session.scalar(select(Termination).where(Termination.source_id == source_id))


def find_first(session: Session, contact_id: str, version_id: str | None, received_on: date) -> Termination | None:
    """The request that a mail of this day repeats; a mail about no version in particular may repeat any of them."""
    query = select(Termination).where(Termination.contact_id == contact_id)
    if version_id is not None:
        query = query.where(Termination.version_id == version_id)
    earlier = session.scalars(query.order_by(Termination.received_at, Termination.id))
    return next((one for one in earlier if is_repeat(one.state, one.received_on, received_on)), None)


def recorded(version_id: str) -> Select[str]:
    """The contacts who terminated over this version, or altogether."""
    return _contacts(version_id).where(Termination.state.in_(TERMINATES))


def undecided(version_id: str) -> Select[str]:
    """The contacts whose mail may be a termination; nobody may overlook it."""
    return _contacts(version_id).where(Termination.state.in_(UNDECIDED))


def _contacts(version_id: str) -> Select[str]:
    concerns = or_(Termination.version_id == version_id, Termination.version_id.is_(None))
    return select(Termination.contact_id).where(concerns)
