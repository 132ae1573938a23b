"""Tell other services what happened: address events, then call.

Mail to read and mailings to fan out wait in the same queue, so a long row of calls gives way to them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mailer import doorbell, settings, stopping
from mailer.clock import now
from mailer.db import transaction
from mailer.services import actions as services
from mailer.services import calls

JOB = "rq_jobs.publish_events.publish_events"
AT_ONCE = 8
TURN_SECONDS = 5.0


def publish_events(turn: float = TURN_SECONDS) -> int:
    """Bring what is due to every service that hears it; how many calls were answered well. Safe to run twice.

    After `turn` seconds it ends as soon as another bell waits; the sweep rings for the rest.
    """
    end = time.monotonic() + turn
    lease = timedelta(seconds=settings.current().lease_seconds)
    delivered = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := _next_batch(lease):
            answers = list(pool.map(calls.post, batch))
            with transaction() as session:
                for call, answer in zip(batch, answers, strict=True):
                    services.settle(session, call, answer, now())
            delivered += sum(answer.is_delivered for answer in answers)
            if stopping.is_asked() or (time.monotonic() >= end and not doorbell.is_quiet("chores")):
                break
    return delivered


def _next_batch(lease: timedelta) -> list[services.Call]:
    while True:
        with transaction() as session:
            addressed = services.spread(session, now())
        if not addressed:
            break
    with transaction() as session:
        return services.claim(session, now(), lease)
