"""The doorbell: tells a worker that there is something to do. A courtesy; the sweep is the guarantee (DESIGN §4.1).

Jobs live in `rq_jobs`, are named by text and carry ids only; Redis may be emptied at any moment.
"""

from __future__ import annotations

import logging
from functools import lru_cache

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from mailer import settings

JOB_SECONDS = 3600  # far beyond what a job may take: RQ's time-out strikes at any line (TRAPS 9)
CROWDED = 50

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The connection of this process to Redis, embedded or by URL."""
    return Redis.from_url(
        settings.current().redis, socket_connect_timeout=2, socket_timeout=5, health_check_interval=30
    )


def queue(name: str) -> Queue:
    return Queue(name, connection=redis(), serializer=JSONSerializer, default_timeout=JOB_SECONDS)


def ring(queue_name: str, job: str, *ids: str) -> bool:
    """Ask for `job` (such as `rq_jobs.deliver.deliver`) on a queue; False if nobody could be told.

    A crowded queue gets no second bell of the same job: the one that waits will find the work.
    """
    try:
        waiting = queue(queue_name)
        if waiting.count >= CROWDED and _waits(waiting, job, ids):
            return True
        waiting.enqueue(job, *ids, result_ttl=0, failure_ttl=86_400)
    except RedisError as error:
        log.warning("doorbell not heard on %s: %s", queue_name, type(error).__name__)
        return False
    return True


def _waits(crowded: Queue, job: str, ids: tuple[str, ...]) -> bool:
    """Whether this very bell is among those that wait."""
    return any(bell.func_name == job and tuple(bell.args) == ids for bell in crowded.get_jobs())


def is_quiet(queue_name: str) -> bool:
    """Whether no bell waits on a queue; False if nobody can be asked."""
    try:
        return bool(queue(queue_name).count == 0)
    except RedisError:
        return False
