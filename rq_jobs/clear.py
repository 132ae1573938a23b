"""Settle what waits of a cancelled mailing, slice by slice."""

from __future__ import annotations

from mailer.clock import now
from mailer.db import transaction
from mailer.outbox import mailings
from mailer.outbox.models import Mailing

JOB = "rq_jobs.clear.clear"


def clear(mailing_id: str) -> None:
    """Settle all that waits of a cancelled mailing. Safe to run twice and beside itself."""
    more = True
    while more:
        with transaction() as session:
            mailing = session.get_one(Mailing, mailing_id, with_for_update=True)
            more = mailing.cancelled_at is not None and mailings.clear_slice(session, mailing, now())
