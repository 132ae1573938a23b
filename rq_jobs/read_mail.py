"""Read what was kept: parse in a child process, then one transaction with its effect (DESIGN §9)."""

from __future__ import annotations

import logging

from mailer import doorbell
from mailer.clock import now
from mailer.db import transaction
from mailer.errors import trace
from mailer.inbound import actions as inbound
from mailer.inbound import child
from rq_jobs import deliver, publish_events

JOB = "rq_jobs.read_mail.read_mail"

log = logging.getLogger(__name__)


def read_mail() -> int:
    """Read every mail that waits, oldest first; how many. Safe to run twice and beside itself."""
    count = 0
    while True:
        with transaction() as session:
            claimed = inbound.claim(session, now())
        if claimed is None:
            break
        mail_id, raw = claimed
        reading = child.read(raw)
        try:
            with transaction() as session:
                inbound.act(session, mail_id, reading, now())
        except Exception as error:
            # it is tried again when its lease ends, then a person reads it; the next mail is not affected
            log.error("a mail could not have its effect yet: %s\n%s", mail_id, trace(error))
        count += 1
    if count:
        doorbell.ring("essential", deliver.JOB, "essential")
        doorbell.ring("chores", publish_events.JOB)
    return count
