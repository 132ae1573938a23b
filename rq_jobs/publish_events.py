"""Tell other services what happened: address events, then call. One slow service does not hold up the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mailer import settings
from mailer.clock import now
from mailer.db import transaction
from mailer.services import actions as services
from mailer.services import calls

JOB = "rq_jobs.publish_events.publish_events"
AT_ONCE = 8


def publish_events() -> int:
    """Bring what is due to every service that hears it; how many calls were answered well. Safe to run twice."""
    lease = timedelta(seconds=settings.current().lease_seconds)
    delivered = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := _next_batch(lease):
            for call, answer in zip(batch, pool.map(calls.post, batch), strict=True):
                with transaction() as session:
                    services.settle(session, call, answer, now())
                delivered += answer.is_delivered
    return delivered


def _next_batch(lease: timedelta) -> list[services.Call]:
    while True:
        with transaction() as session:
            addressed = services.spread(session, now())
        if not addressed:
            break
    with transaction() as session:
        return services.claim(session, now(), lease)
