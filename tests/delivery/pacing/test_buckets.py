from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis

from mailer import redis_server as embedded
from mailer.consent.rules import Channel
from mailer.delivery.pacing import buckets, rules
from mailer.delivery.pacing.buckets import Buckets
from mailer.delivery.pacing.floor import FLOOR
from mailer.delivery.pacing.wishes import BadPace, Bound, DayLimit, Limit, Turn, Unavailable, Wish
from tests.conftest import Configure

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a worker's own clock: it may be far from Redis's
SECOND = timedelta(seconds=1)
AHEAD, HORIZON = rules.AHEAD / SECOND, rules.HORIZON / SECOND
NEWS = Limit("mlg_news", 100)


@pytest.fixture
def no_redis(configure: Configure, tmp_path: Path) -> None:
    configure(redis_url=f"unix://{tmp_path}/nobody.sock")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="mailer-redis-"))  # short, for the socket lies in it
    yield made
    shutil.rmtree(made, ignore_errors=True)


def ask(*wishes: Wish, channel: Channel = Channel.MARKETING, at: datetime = AT) -> Sequence[Turn]:
    """What a worker of its own is answered."""
    turns = Buckets(channel).reserve(wishes, at)
    assert not isinstance(turns, Unavailable)
    return turns


def seconds(turns: Sequence[Turn], at: datetime = AT) -> list[float]:
    return [(turn.at - at) / SECOND for turn in turns]


def at_full_pace(redis: Redis, key: str) -> None:
    """As if the bucket had begun long ago."""
    redis.hset(key, "began", "0")


def test_the_mails_of_a_batch_go_one_after_the_other_at_their_pace(redis_server: Redis) -> None:
    turns = ask(*[Wish("r", mailing=NEWS)] * 50)
    assert seconds(turns) == pytest.approx([number / 100 for number in range(50)], abs=1e-4)
    assert all(turn.is_kept for turn in turns)


def test_what_a_mailing_or_route_cannot_take_soon_gets_no_turn_and_is_told_when_to_ask(redis_server: Redis) -> None:
    turns = ask(*[Wish("r", mailing=NEWS)] * 250)
    given = [turn for turn in turns if turn.is_kept]
    assert len(given) == pytest.approx(AHEAD * 100, abs=1)
    assert max(seconds(given)) <= AHEAD
    assert turns[: len(given)] == given
    waiting = turns[len(given) :]
    assert {turn.bound for turn in waiting} == {Bound.MAILING}
    assert not any(turn.is_put_off(AT) for turn in waiting)
    assert seconds(waiting) == pytest.approx([AHEAD / 2] * len(waiting), abs=0.02)


def test_no_two_workers_get_one_turn(redis_server: Redis) -> None:
    wishes = [Wish("r", domain=Limit("slow.example", 0.01))] * 4
    turns = seconds([*ask(*wishes), *ask(*wishes)])
    apart = [later - one for one, later in pairwise(turns)]
    assert min(apart) > 60  # some 160 to 500 s, less what passes between the two calls


def test_mail_to_a_slow_domain_is_put_off_to_its_own_turns_and_delays_nobody(redis_server: Redis) -> None:
    slow = Wish("r", 1000, Limit("slow.example", 0.1))
    quick = Wish("r", 1000, Limit("quick.example", 1000))
    turns = ask(*[slow, quick] * 10)
    put_off, others = turns[2::2], turns[1::2]  # the first may go now
    assert all(turn.is_kept and turn.is_put_off(AT) and turn.bound is Bound.DOMAIN for turn in put_off)
    assert min(seconds(put_off)) > AHEAD
    assert len(set(seconds(put_off))) == 9
    assert all(turn.is_kept and not turn.is_put_off(AT) for turn in others)
    assert max(seconds(others)) < 1


def test_a_route_is_not_charged_for_mail_that_was_put_off(redis_server: Redis) -> None:
    ask(*[Wish("r", 10, Limit("slow.example", 0.01))] * 30)
    assert ask(Wish("r", 10))[0].is_kept  # thirty would have filled it for ten seconds


def test_mail_to_a_domain_that_waits_a_moment_only_is_held(redis_server: Redis) -> None:
    _, turn = ask(*[Wish("r", domain=Limit("d.example", 10))] * 2)
    assert (turn.bound, turn.is_kept, turn.is_put_off(AT)) == (Bound.DOMAIN, True, False)


def test_a_mail_whose_turn_has_come_goes_whatever_else_waits_for_its_domain(redis_server: Redis) -> None:
    slow = Limit("slow.example", 0.01)
    ask(*[Wish("r", domain=slow)] * 3)
    [turn] = ask(Wish("r", domain=slow, turn_at=AT - SECOND))
    assert turn == Turn(AT)


def test_a_turn_long_past_is_asked_for_anew(redis_server: Redis) -> None:
    slow = Limit("slow.example", 0.01)
    ask(Wish("r", domain=slow))
    [turn] = ask(Wish("r", domain=slow, turn_at=AT - timedelta(hours=2)))
    assert turn.at > AT + rules.AHEAD


def test_turns_of_a_domain_are_given_for_an_hour_ahead_and_no_further(redis_server: Redis) -> None:
    ask(Wish("r", domain=Limit("slow.example", 0.1)))
    at_full_pace(redis_server, "mailer:pace:domain:r:slow.example")
    turns = ask(*[Wish("r", domain=Limit("slow.example", 0.1))] * 400)
    given = [turn for turn in turns if turn.is_kept]
    assert max(seconds(given)) == pytest.approx(HORIZON, abs=11)
    assert max(seconds(given)) <= HORIZON
    beyond = turns[len(given) :]
    assert len(beyond) > 30
    assert all(turn.is_put_off(AT) for turn in beyond)
    assert seconds(beyond) == pytest.approx([HORIZON / 2] * len(beyond), abs=11)


def test_each_route_has_its_own_pace_for_a_domain(redis_server: Redis) -> None:
    slow = Limit("slow.example", 0.01)
    ask(*[Wish("marketing", domain=slow)] * 20)
    assert ask(Wish("essential", domain=slow), channel=Channel.ESSENTIAL) == [Turn(AT)]


@pytest.mark.parametrize("rate", [0.01, 0.2, 5, 40])
@pytest.mark.parametrize("kind", ["route", "domain"])
def test_routes_and_domains_start_slowly_as_the_rules_say(redis_server: Redis, rate: float, kind: str) -> None:
    wish = Wish("r", rate) if kind == "route" else Wish("r", domain=Limit("d.example", rate))
    expected = [0.0]
    while len(expected) < 12:
        expected.append(expected[-1] + rules.gap(rate, expected[-1]))
    given = [turn for turn in ask(*[wish] * 12) if turn.is_kept]
    furthest = AHEAD if kind == "route" else HORIZON
    assert seconds(given) == pytest.approx([at for at in expected if at <= furthest], abs=1e-3)


def test_after_a_breaker_a_route_starts_slowly_again(redis_server: Redis) -> None:
    wishes, key = [Wish("r", 10)] * 3, "mailer:pace:route:r"
    ask(Wish("r", 10))
    at_full_pace(redis_server, key)
    redis_server.hset(key, "free", "0")
    assert seconds(ask(*wishes)) == pytest.approx([0, 0.1, 0.2], abs=1e-3)
    redis_server.hset(key, "free", "0")
    buckets.start_slowly("r")
    assert seconds(ask(*wishes)) == pytest.approx([0, 0.9926, 1.9708], abs=1e-3)


def test_after_a_pause_a_domain_starts_slowly_again_and_keeps_what_it_gave_away(redis_server: Redis) -> None:
    wish, key = Wish("r", domain=Limit("d.example", 1)), "mailer:pace:domain:r:d.example"
    ask(wish)
    at_full_pace(redis_server, key)
    *_, last = seconds(ask(*[wish] * 60))
    buckets.start_slowly("r", ["d.example"])
    first, second = seconds(ask(wish, wish))
    assert first == pytest.approx(last + 1, abs=5)  # seconds may pass between two calls
    assert second - first > 1.5


def test_a_slow_start_does_not_wait_for_redis(no_redis: None) -> None:
    buckets.start_slowly("r", ["d.example"])


def test_every_bucket_is_forgotten_in_time(redis_server: Redis) -> None:
    day = DayLimit("news.example", AT.date(), 100, AT + timedelta(hours=14))
    ask(*[Wish("r", 1000, Limit(f"d{number}.example", 0.01), NEWS, day) for number in range(20)] * 2)
    longest = rules.HORIZON + rules.AT_REST + timedelta(seconds=1 / 0.01)
    lives = {key: redis_server.ttl(key) for key in redis_server.scan_iter("*")}
    assert len(lives) == 20 + 3
    assert all(0 < life <= longest / SECOND for key, life in lives.items() if b":day:" not in key)
    assert all(0 < life <= 48 * 3600 for life in lives.values())


def test_a_warm_up_lets_a_days_number_go_and_no_more(redis_server: Redis) -> None:
    day = DayLimit("news.example", date(2026, 3, 2), 3, AT + timedelta(hours=14))
    turns = ask(*[Wish("r", day=day)] * 2)
    assert buckets.sent_on(day) == 2
    turns = [*turns, *ask(*[Wish("r", day=day)] * 2)]
    assert turns == [*[Turn(AT)] * 3, Turn(day.ends_at, is_kept=False, bound=Bound.WARM_UP)]
    assert buckets.sent_on(day) == 3
    tomorrow = DayLimit("news.example", date(2026, 3, 3), 6, AT + timedelta(hours=38))
    assert ask(Wish("r", day=tomorrow)) == [Turn(AT)]


def test_a_mail_that_waits_for_its_domain_takes_no_place_in_a_day(redis_server: Redis) -> None:
    day = DayLimit("news.example", date(2026, 3, 2), 9, AT + timedelta(hours=14))
    ask(*[Wish("r", domain=Limit("slow.example", 0.01), day=day)] * 5)
    assert buckets.sent_on(day) == 1


def test_a_worker_whose_clock_was_set_back_an_hour_goes_on(redis_server: Redis) -> None:
    wishes = [Wish("r", 50, Limit("d.example", 50), NEWS)] * 2
    ask(*wishes)
    earlier = AT - timedelta(hours=1)
    assert max(seconds(ask(*wishes, at=earlier), earlier)) < AHEAD


def test_a_redis_whose_clock_was_set_back_an_hour_goes_on_and_forgets_no_turn(redis_server: Redis) -> None:
    wishes = [Wish("r", domain=Limit("slow.example", 0.1))] * 4
    before = seconds(ask(*wishes))
    [key] = redis_server.keys("*")
    for name, value in redis_server.hgetall(key).items():  # as they stand after such a change of its clock
        redis_server.hset(key, name, f"{float(value) + 3600:.6f}")
    after = seconds(ask(*wishes[:2]))
    assert before[-1] < after[0] < before[-1] + 100
    assert 10 < after[1] - after[0] < 100


def test_of_two_paces_for_one_bucket_the_lower_counts(redis_server: Redis) -> None:
    turns = ask(Wish("r", mailing=Limit("m", 100)), Wish("r", mailing=Limit("m", 1)), Wish("r", mailing=NEWS))
    assert seconds(turns)[:2] == pytest.approx([0, 1], abs=1e-3)


def test_mail_under_no_limit_goes_at_once_without_a_word_to_redis(no_redis: None) -> None:
    assert ask(*[Wish("r")] * 3) == [Turn(AT)] * 3


def test_in_a_mixed_batch_only_what_is_limited_is_asked_for(redis_server: Redis) -> None:
    slow = Wish("r", mailing=Limit("m", 1))
    turns = ask(Wish("r"), slow, Wish("r"), slow)
    assert seconds(turns) == pytest.approx([0, 0, 0, 1], abs=1e-3)


def test_without_redis_marketing_waits(no_redis: None) -> None:
    pace = Buckets(Channel.MARKETING)
    for _ in range(2):
        answer = pace.reserve([Wish("r", 10)], AT)
        assert isinstance(answer, Unavailable)
        assert answer.ask_at == AT + buckets.LOOK_AGAIN
        assert "marketing waits" in answer.words
    assert pace.look(AT) is not None
    assert Buckets(Channel.MARKETING).look(AT) is not None


def test_without_redis_essential_goes_on_at_the_floor(no_redis: None) -> None:
    turns = ask(*[Wish("r", 500)] * 50, channel=Channel.ESSENTIAL)
    given = [turn for turn in turns if turn.is_kept]
    assert seconds(given) == pytest.approx([number / FLOOR for number in range(len(given))], abs=1e-4)
    assert len(given) == pytest.approx(AHEAD * FLOOR, abs=1)
    assert not turns[-1].is_kept


def test_a_redis_that_answered_is_believed_for_a_moment_and_no_longer(folder: Path, configure: Configure) -> None:
    socket = folder / "redis.sock"
    configure(redis_url=f"unix://{socket}")
    pace = Buckets(Channel.MARKETING, look_again=timedelta())
    with embedded.running(folder, socket):
        assert pace.look(AT) is None
    assert pace.look(AT) is None, "nobody asked it again"
    time.sleep(buckets.ANSWER_HOLDS)
    assert pace.look(AT) is not None
    with embedded.running(folder, socket):
        assert pace.look(AT) is None
    assert isinstance(pace.reserve([Wish("r", 10)], AT), Unavailable)
    assert pace.look(AT) is not None, "it was asked since, and did not answer"


def test_when_redis_is_back_all_goes_on_by_itself(folder: Path, configure: Configure) -> None:
    socket = folder / "redis.sock"
    configure(redis_url=f"unix://{socket}")
    pace = Buckets(Channel.MARKETING, look_again=timedelta())
    wish = Wish("r", 10)
    assert isinstance(pace.reserve([wish], AT), Unavailable)
    with embedded.running(folder, socket):
        assert pace.look(AT) is None
        assert pace.reserve([wish], AT) == [Turn(AT)]
    assert isinstance(pace.reserve([wish], AT), Unavailable)
    assert buckets.sent_on(DayLimit("d", AT.date(), 1, AT)) is None
    with embedded.running(folder, socket):
        assert not isinstance(pace.reserve([wish], AT), Unavailable)


def test_a_redis_that_was_emptied_knows_the_way_again(redis_server: Redis) -> None:
    wish = Wish("r", mailing=Limit("m", 0.01))
    ask(wish)
    redis_server.script_flush()
    redis_server.flushall()
    assert ask(wish) == [Turn(AT)]


@pytest.mark.parametrize("quick", [Wish("r", 50), Wish("r", mailing=Limit("m", 50))])
def test_a_pace_that_is_raised_is_felt_at_once(redis_server: Redis, quick: Wish) -> None:
    slow = Wish("r", 0.001) if quick.route_pace else Wish("r", mailing=Limit("m", 0.001))
    [_, waits] = ask(slow, slow)
    assert waits.at > AT + timedelta(minutes=10)
    [turn] = ask(quick)
    assert turn.at < AT + 2 * rules.AHEAD


@pytest.mark.parametrize("pace", [0, -1, float("inf"), float("nan")])
def test_a_pace_that_cannot_be_kept_is_refused(pace: float) -> None:
    with pytest.raises(BadPace, match=r"slow\.example: .*give more than 0"):
        Limit("slow.example", pace)
    with pytest.raises(BadPace, match=r"relay: .*give more than 0"):
        Wish("relay", pace)
