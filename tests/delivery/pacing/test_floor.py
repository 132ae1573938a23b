from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailer.delivery.pacing import floor
from mailer.delivery.pacing.floor import Floor
from mailer.delivery.pacing.wishes import Bound, Limit, Turn, Wish

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_ten_a_second_go_whatever_is_allowed_otherwise() -> None:
    kept = Floor()
    sent, seconds = 0, 0.0
    while seconds < 60:
        turns = kept.turns([Wish("r", 500, Limit("d.example", 100))] * 50, AT, seconds)
        sent += sum(turn.is_kept for turn in turns)
        seconds = seconds + (turns[-1].at - AT) / timedelta(seconds=1)
    assert 10 * 60 <= sent <= 10 * 63


def test_a_lower_pace_is_kept_too() -> None:
    turns = Floor().turns([Wish("r", 1)] * 4, AT, 100.0)
    assert [turn.at for turn in turns[:3]] == [AT + timedelta(seconds=number) for number in range(3)]
    assert turns[3] == Turn(AT + timedelta(seconds=2), is_kept=False, bound=Bound.ROUTE)


def test_a_slow_domain_waits_alone() -> None:
    slow, quick = Wish("r", domain=Limit("slow.example", 0.1)), Wish("r", domain=Limit("quick.example", 10))
    turns = Floor().turns([slow, slow, quick, quick], AT, 5.0)
    assert [turn.is_kept for turn in turns] == [True, False, True, True]
    assert turns[1].is_put_off(AT)
    assert max(turn.at for turn in turns[2:]) <= AT + timedelta(seconds=0.2)


def test_what_is_under_no_limit_goes_at_once() -> None:
    assert Floor().turns([Wish("r")] * 100, AT, 0.0) == [Turn(AT)] * 100


def test_buckets_at_rest_are_forgotten() -> None:
    kept = Floor()
    for number in range(3 * floor.KEPT):
        kept.turns([Wish("r", domain=Limit(f"d{number}.example", 1))], AT, float(number))
    assert len(kept) <= floor.KEPT + 2
