"""The guarantee behind the doorbell: take back what dead workers held and ring for what is overdue (invariant 1)."""

from __future__ import annotations

import logging

from mailer import doorbell
from mailer.clock import now
from mailer.consent.rules import Channel
from mailer.db import transaction
from mailer.inbound import actions as inbound
from mailer.ledger import queries as ledger
from mailer.ledger import rules as ledger_rules
from mailer.outbox import mailings
from mailer.outbox import queries as outbox_queries
from mailer.services import actions as services
from rq_jobs import clear, deliver, fan_out, publish_events, read_mail, recover

log = logging.getLogger(__name__)
JOB = "rq_jobs.sweep.sweep"


def sweep() -> None:
    """Look once at everything that may wait; safe to run twice and beside itself."""
    recover.from_journals()
    at = now()
    with transaction() as session:
        recover.from_leases(session, at)
        mailings.measure(session, at)
        cancelled = mailings.to_clear(session)
        unmade = outbox_queries.to_fan_out(session)
        due = [channel.value for channel in Channel if outbox_queries.is_due(session, channel, at)]
        has_mail = inbound.is_waiting(session, at)
        has_events = services.is_waiting(session, at)
        clock_fault = ledger_rules.clock_fault(at, ledger.latest(session))
    if clock_fault is not None:
        log.warning(clock_fault)
    for mailing_id in cancelled:
        doorbell.ring("chores", clear.JOB, mailing_id)
    for mailing_id in unmade:
        doorbell.ring("chores", fan_out.JOB, mailing_id)
    for lane in due:
        doorbell.ring(lane, deliver.JOB, lane)
    if has_mail:
        doorbell.ring("chores", read_mail.JOB)
    if has_events:
        doorbell.ring("chores", publish_events.JOB)
