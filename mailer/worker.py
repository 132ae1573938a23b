"""The worker of one lane: an RQ worker on one queue (TRAPS 7), with the database behind it as the truth.

A bell only says “look now”. The lane's own work is looked at without one too: at the start and whenever no bell was
heard for `sweep_seconds`. So a lost bell, an emptied Redis or none at all makes mail late and never lost (invariant 1).
"""

from __future__ import annotations

import gc
import logging
from contextlib import suppress
from enum import StrEnum
from importlib import import_module
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from mailer import settings, stopping
from mailer.db import reading
from mailer.errors import trace
from mailer.outbox import mailings
from mailer.outbox import queries as outbox

PAUSE_WITHOUT_REDIS = 2.0
COLLECTS_AFTER = (10_000, 20, 50)
"""New objects, and then rounds, before Python looks for circles (gc). It has 700 as its own, the tenth of a batch of
mails: what they hold lives until they are settled, and is no circle, so looking so often finds nothing."""

log = logging.getLogger(__name__)


class Lane(StrEnum):
    """What a worker works on: one queue a process."""

    ESSENTIAL = "essential"
    MARKETING = "marketing"
    CHORES = "chores"


class LaneWorker(SimpleWorker):
    """RQ's worker in this very process. A silent queue or a lost Redis ends `work`, so that we look ourselves."""

    log_job_description = False
    is_listening = False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next bell; None if none is heard in time."""
        try:
            self.heartbeat()
            self.is_listening = True
            if stopping.is_asked():
                raise StopRequested
            heard: tuple[Job, Queue] | None = self.queue_class.dequeue_any(
                self.queues, timeout, connection=self.connection, job_class=self.job_class, serializer=self.serializer
            )
        except DequeueTimeout:
            return None
        except RedisError as error:
            raise StopRequested from error
        finally:
            self.is_listening = False
        return heard

    def stop_listening(self) -> None:
        """Called inside a signal handler: wake up from waiting, but never from work."""
        if self.is_listening:
            raise StopRequested

    def teardown(self) -> None:
        """Sign off, if there is anybody to sign off from."""
        with suppress(RedisError):
            super().teardown()  # type: ignore[no-untyped-call]

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a failed job without the error's words; RQ would log and keep all of them (invariant 12)."""
        log.error("%s failed; the sweep rings for what is left\n%s", job.func_name, trace(exc_info[1]))

    def handle_job_failure(self, job: Job, queue: Queue, *args: Any, **kwargs: Any) -> None:
        """Let RQ count a failed job; the error's words stay out of Redis."""
        super().handle_job_failure(job, queue, *args, **kwargs | {"exc_string": ""})

    def subscribe(self) -> None:
        """We take no commands over Redis; RQ's thread for them would outlive a lost connection."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def _install_signal_handlers(self) -> None:
        """Ours stand already."""


def serve(lane: Lane) -> None:
    """Work on a lane until this process is asked to end."""
    stopping.listen()
    log.info("lane %s is served", lane)
    had_redis, is_new = True, True
    while not stopping.is_asked():
        _look(lane)
        if is_new:  # what it has loaded by now stays for good: no collection needs to go through it again
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECTS_AFTER)
            is_new = False
        has_redis = stopping.is_asked() or _answer_bells(lane)
        if has_redis is not had_redis:
            log.warning("lane %s: Redis is %s", lane, "back" if has_redis else "away; looking without it")
        if not has_redis:
            stopping.wait(PAUSE_WITHOUT_REDIS)
        had_redis = has_redis


def work_once(lane: Lane) -> None:
    """Do what the database says is due on a lane, without a bell."""
    match lane:
        case Lane.ESSENTIAL | Lane.MARKETING:
            call("rq_jobs.deliver.deliver", lane.value)
        case Lane.CHORES:
            with reading() as session:
                unmade, cancelled = list(outbox.to_fan_out(session)), list(mailings.to_clear(session))
            for mailing_id in unmade:
                call("rq_jobs.fan_out.fan_out", mailing_id)
            for mailing_id in cancelled:
                call("rq_jobs.clear.clear", mailing_id)
            call("rq_jobs.read_mail.read_mail")
            call("rq_jobs.publish_events.publish_events")


def call(job: str, *ids: object) -> object:
    """Run a job named by text, as the doorbell does: jobs stand above everything and are never imported here."""
    module, _, name = job.rpartition(".")
    return getattr(import_module(module), name)(*ids)


def _look(lane: Lane) -> None:
    try:
        work_once(lane)
    except Exception as error:
        log.error("lane %s: looking without a bell failed; the next look tries again\n%s", lane, trace(error))


def _answer_bells(lane: Lane) -> bool:
    """Answer bells until the queue is silent for `sweep_seconds`; False if Redis could not be reached."""
    silence = settings.current().sweep_seconds
    url = settings.current().redis
    with Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30) as connection:
        try:
            queue = Queue(lane.value, connection=connection, serializer=JSONSerializer)
            worker = LaneWorker([queue], connection=connection, serializer=JSONSerializer, worker_ttl=silence + 15)
            stopping.listen(worker.stop_listening)
            worker.work(logging_level="WARNING", max_idle_time=silence)
            return bool(connection.ping())
        except RedisError:
            return False
        except StopRequested:
            return True
        finally:
            stopping.listen()
