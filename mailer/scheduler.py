"""The scheduler: sweeps every `sweep_seconds`, and does once a local day what a day brings. Two of them do no harm."""

from __future__ import annotations

import logging
from datetime import date

from mailer import clock, settings, stopping
from mailer.errors import trace
from mailer.worker import call

SWEEP = "rq_jobs.sweep.sweep"
SCHEDULE = "rq_jobs.schedule.run"

log = logging.getLogger(__name__)


def serve() -> None:
    """Tick until this process is asked to end."""
    stopping.listen()
    done_on: date | None = None
    while not stopping.is_asked():
        done_on = tick(done_on)
        stopping.wait(settings.current().sweep_seconds)


def tick(done_on: date | None) -> date | None:
    """One round; gives the local day whose work is done. What fails is tried again in the next round."""
    at = clock.now()
    today = clock.local_day(at, settings.current().zone)
    if done_on != today and _try(SCHEDULE, at):
        done_on = today
    _try(SWEEP)
    return done_on


def _try(job: str, *arguments: object) -> bool:
    """Whether a job did all it has to; one that says False waits for something and is asked again."""
    try:
        return call(job, *arguments) is not False
    except Exception as error:
        log.error("%s failed; the next round tries again\n%s", job, trace(error))
        return False
