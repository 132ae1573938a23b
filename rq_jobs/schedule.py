"""What a day brings: versions take effect, late joiners are told, agreement is deemed (DESIGN §5, S5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, union

from mailer import settings
from mailer.clock import local_day
from mailer.db import transaction
from mailer.inbound import queries as inbound
from mailer.notices import actions as notices
from mailer.notices import queries as notice_queries
from mailer.policies import actions as policies
from mailer.terminations import actions as termination_actions
from mailer.terminations import queries as terminations


def run(at: datetime) -> bool:
    """Do what is due at `at`; safe to run twice, late, and beside itself. False if some of it has to wait."""
    today = local_day(at, settings.current().zone)
    with transaction() as session:
        policies.take_effect(session, at, today)
        notices.catch_up(session, at)
        termination_actions.ask_staff(session, at)
    with transaction() as session:
        if inbound.has_unread(session):  # it may be a termination
            return False
        for version in notice_queries.binding_versions(session, today):
            recorded = terminations.recorded(version.id)
            undecided = union(terminations.undecided(version.id), inbound.undecided_contacts()).subquery()
            notices.deem(session, version, today, at, terminated=recorded, undecided=select(undecided.c[0]))
    return True
