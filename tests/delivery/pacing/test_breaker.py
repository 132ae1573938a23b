from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from mailer import doorbell
from mailer.delivery.pacing import breaker, rules
from mailer.delivery.pacing.breaker import Breakers, Health
from mailer.delivery.pacing.rules import Gate
from tests.conftest import Configure

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ROUTE, OTHER = "relay", "spare"
REFUSED = "could not connect: [Errno 111] Connection refused"


def worker() -> Breakers:
    """A worker that believes nothing for longer than it reads."""
    return Breakers([ROUTE, OTHER], fresh=0)


def fail(breakers: Breakers, times: int = 5, at: datetime = AT) -> None:
    for _ in range(times):
        breakers.failed(ROUTE, REFUSED, at)


@pytest.fixture
def no_redis(configure: Configure, tmp_path: Path) -> None:
    configure(redis_url=f"unix://{tmp_path}/nobody.sock")


def test_a_route_is_used_until_somebody_fails(redis_server: Redis) -> None:
    breakers = worker()
    assert breakers.may_use(ROUTE, AT)
    assert not breakers.worked(ROUTE, AT)
    assert redis_server.keys("*") == []


def test_what_one_worker_learned_all_know(redis_server: Redis) -> None:
    one, other = worker(), worker()
    fail(one, 3)
    fail(other, 2)
    assert [one.may_use(ROUTE, AT), other.may_use(ROUTE, AT), worker().may_use(ROUTE, AT)] == [False] * 3
    assert one.may_use(OTHER, AT)


def test_a_server_that_does_not_take_us_is_left_alone_at_once(redis_server: Redis) -> None:
    worker().failed(ROUTE, "(535, b'5.7.8 authentication failed')", AT)
    assert not worker().may_use(ROUTE, AT)
    worker().failed(OTHER, "no such certificate", AT, refuses_us=True)
    assert not worker().may_use(OTHER, AT)


def test_after_its_rest_one_worker_alone_tries_and_may_go_on_trying(redis_server: Redis) -> None:
    workers = [worker(), worker(), worker()]
    fail(workers[0])
    at = AT + rules.FIRST_REST
    assert [one.may_use(ROUTE, at) for one in workers] == [True, False, False]
    assert [one.may_use(ROUTE, at) for one in workers] == [True, False, False]
    at += rules.TRIAL
    assert [one.may_use(ROUTE, at) for one in reversed(workers)] == [True, False, False]


def test_of_workers_that_ask_at_the_same_moment_one_alone_tries(redis_server: Redis) -> None:
    fail(worker())
    at, start, said = AT + rules.FIRST_REST, threading.Barrier(8), list[bool]()

    def ask(mine: Breakers) -> None:
        start.wait(30)
        said.append(mine.may_use(ROUTE, at))

    threads = [threading.Thread(target=ask, args=[worker()]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == [False] * 7 + [True]


def test_failures_told_at_the_same_moment_all_count(redis_server: Redis) -> None:
    start = threading.Barrier(4)

    def tell(mine: Breakers) -> None:
        start.wait(30)
        mine.failed(ROUTE, REFUSED, AT)

    threads = [threading.Thread(target=tell, args=[worker()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert worker().may_use(ROUTE, AT)
    fail(worker(), 1)
    assert not worker().may_use(ROUTE, AT)


def test_the_first_success_closes_it_for_all_and_asks_for_a_slow_start(redis_server: Redis) -> None:
    one, other = worker(), worker()
    fail(one)
    at = AT + rules.FIRST_REST
    assert one.may_use(ROUTE, at)
    assert one.worked(ROUTE, at)
    assert not one.worked(ROUTE, at)
    assert other.may_use(ROUTE, at)
    fail(other, 4, at)
    assert other.may_use(ROUTE, at)


def test_a_success_between_failures_makes_them_count_anew(redis_server: Redis) -> None:
    breakers = worker()
    fail(breakers, 4)
    assert not breakers.worked(ROUTE, AT)
    fail(breakers, 4)
    assert breakers.may_use(ROUTE, AT)


def test_a_trial_that_fails_makes_the_next_rest_longer(redis_server: Redis) -> None:
    breakers = worker()
    fail(breakers)
    at = AT + rules.FIRST_REST
    assert breakers.may_use(ROUTE, at)
    fail(breakers, 1, at)
    assert not breakers.may_use(ROUTE, at + timedelta(seconds=59))
    assert breakers.may_use(ROUTE, at + timedelta(seconds=60))


def test_mail_that_goes_well_costs_no_call(redis_server: Redis) -> None:
    breakers = Breakers([ROUTE], fresh=3600)
    breakers.may_use(ROUTE, AT)
    before = redis_server.info("commandstats")["cmdstat_hget"]["calls"]
    for _ in range(100):
        assert breakers.may_use(ROUTE, AT)
        breakers.worked(ROUTE, AT)
    assert redis_server.info("commandstats")["cmdstat_hget"]["calls"] == before


def test_what_is_kept_is_forgotten_in_time_and_holds_no_address(redis_server: Redis) -> None:
    worker().failed(ROUTE, "550 <anna@people.example> is not known here", AT)
    [key] = redis_server.keys("*")
    assert 0 < redis_server.ttl(key) <= breaker.KEPT.total_seconds()
    assert "anna" not in str(redis_server.hgetall(key))


def test_without_redis_each_process_knows_what_it_learned_itself(
    no_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = worker(), worker()
    with caplog.at_level(logging.WARNING):
        fail(one)
        assert [one.may_use(ROUTE, AT), other.may_use(ROUTE, AT)] == [False, True]
    assert len(caplog.records) == 2  # a Redis that is away is not asked at every mail
    at = AT + rules.FIRST_REST
    assert one.may_use(ROUTE, at)
    assert one.worked(ROUTE, at)
    assert one.may_use(ROUTE, at)


def test_after_redis_was_emptied_a_worker_still_knows_and_tells_the_others(redis_server: Redis) -> None:
    one = worker()
    fail(one)
    redis_server.flushall()
    assert not one.may_use(ROUTE, AT)
    fail(one, 1)
    assert not worker().may_use(ROUTE, AT)


def test_what_is_kept_and_cannot_be_read_is_no_reason_to_stop(redis_server: Redis) -> None:
    redis_server.hset(f"{breaker.PREFIX}:{ROUTE}", breaker.FIELD, "{")
    breakers = worker()
    assert breakers.may_use(ROUTE, AT)
    fail(breakers)
    assert not worker().may_use(ROUTE, AT)


def test_the_admin_page_is_told_how_each_route_does(redis_server: Redis) -> None:
    fail(worker())
    assert worker().describe(AT + timedelta(seconds=10)) == [
        Health(
            ROUTE,
            Gate.OPEN,
            f"Not used after 5 failures in a row; tried again in 20 seconds. It said: {REFUSED}",
        ),
        Health(OTHER, Gate.CLOSED, "In use."),
    ]


def test_health_is_read_from_the_redis_of_the_settings(redis_server: Redis) -> None:
    fail(worker())
    assert doorbell.redis().keys("*") == [f"{breaker.PREFIX}:{ROUTE}".encode()]
