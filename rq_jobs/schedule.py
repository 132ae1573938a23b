"""What a day brings: versions take effect, late joiners are told, the ledger is published, agreement is deemed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select, union

from mailer import settings
from mailer.clock import local_day
from mailer.db import transaction
from mailer.inbound import queries as inbound
from mailer.ledger import actions as ledger
from mailer.notices import actions as notices
from mailer.notices import agreement, figures, reminders
from mailer.notices import queries as notice_queries
from mailer.policies import actions as policies
from mailer.policies.models import Version
from mailer.terminations import actions as termination_actions
from mailer.terminations import queries as terminations


def run(at: datetime) -> bool:
    """Do what is due at `at`; safe to run twice, late, and beside itself. False if some of it has to wait."""
    today = local_day(at, settings.current().zone)
    _catch_up(at)
    with transaction() as session:
        policies.take_effect(session, at, today)
        termination_actions.ask_staff(session, at)
        figures.fold(session)
    with transaction() as session:
        ledger.publish(session, today, at)
    with transaction() as session:
        if inbound.has_unread(session):  # it may be a termination
            return False
        reminders.remind(session, today, at, days_before=settings.current().remind_days_before, answered=_answered)
        versions = notice_queries.binding_versions(session, today)
    return all(_deem(version, today, at) for version in versions)


def _catch_up(at: datetime) -> None:
    """Tell newcomers and those who moved, some at a time."""
    with transaction() as session:
        moved = notices.catch_up(session, at)
    while moved:
        with transaction() as session:
            moved = notices.tell_moved(session, at)


def _deem(version: Version, today: date, at: datetime) -> bool:
    """Derive who agrees with a version, some people at a time; False if mail came meanwhile that is not read yet."""
    after = ""
    while True:
        with transaction() as session:
            if inbound.has_unread(session):
                return False
            until = agreement.end_of_slice(session, version, after)
            recorded, undecided = terminations.recorded(version.id), _undecided(version.id)
            agreement.deem(
                session, version, today, at, terminated=recorded, undecided=undecided, after=after, until=until
            )
        if until is None:
            return True
        after = until


def _undecided(version_id: str) -> Select[Any]:
    """The contacts of whom a mail waits that may be a termination."""
    waiting = union(terminations.undecided(version_id), inbound.undecided_contacts()).subquery()
    return select(waiting.c[0])


def _answered(version_id: str) -> Select[Any]:
    """The contacts who terminated over a version, or may have."""
    both = union(terminations.recorded(version_id), _undecided(version_id)).subquery()
    return select(both.c[0])
