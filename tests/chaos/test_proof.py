"""The proof itself: each way of losing, doubling or changing a mail breaks a promise, and only that way does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.consent.rules import Channel
from mailer.outbox.rules import State
from tests.chaos import proof
from tests.chaos.proof import Claim, Evidence, Kept, Told
from tests.chaos.sink import Row

NOTICE = Kept(1, Channel.ESSENTIAL, State.ACCEPTED, "aa", "mlg_1", "con_1")
NEWS = Kept(2, Channel.MARKETING, State.ACCEPTED, "bb", "mlg_2", "con_1")
TO, BY = "anna@people.example", "bounce@reply.example"


def taken(one: Kept) -> Row:
    return Row(one.row, 1, "accepted", 1.0, 1.0, 1.0, BY, TO, f"<{one.row}@reply.example>", one.sha256 or "", 100)


def judge(*kept: Kept, lost: dict[int, int] | None = None, strangers: int = 0, doubts: int = 0, **copies: int) -> Told:
    """The promises about these messages, each taken once, or as often as `row1=2` says."""
    accepted = {one.row: [taken(one)] * copies.get(f"row{one.row}", 1) for one in kept}
    told = Told("proof")
    found = Evidence({one.row: one for one in kept}, accepted, lost or {}, strangers)
    proof.nothing_lost(told, found, dict.fromkeys(Channel, doubts))
    return told


def test_each_mail_once_breaks_no_promise() -> None:
    assert judge(NOTICE, NEWS).broken == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (judge(NOTICE, row1=0), "essential mails that no server took"),
        (judge(replace(NOTICE, state=State.UNKNOWN)), "essential mails not settled as accepted"),
        (judge(NOTICE, row1=2), "further copies of essential mails"),
        (judge(NEWS, row2=2), "marketing mails taken more than once"),
        (judge(replace(NEWS, state=State.UNKNOWN)), "marketing mails in doubt"),
        (judge(replace(NEWS, state=State.QUEUED)), "marketing mails neither accepted nor in doubt"),
        (judge(NEWS, row2=0), "rows accepted that the server never took"),
        (judge(NOTICE, strangers=1), "mails at the server that no row explains"),
    ],
)
def test_what_went_wrong_is_named(told: Told, says: str) -> None:
    assert any(words.startswith(says) for words in told.broken), told.broken


def test_a_kill_excuses_one_copy_or_one_doubt_a_connection() -> None:
    assert judge(NOTICE, replace(NEWS, state=State.UNKNOWN), row1=2, doubts=1).broken == []


def test_what_the_server_lost_is_in_doubt_without_a_kill() -> None:
    assert judge(replace(NEWS, state=State.UNKNOWN), lost={NEWS.row: 1}, row2=0).broken == []


@pytest.mark.parametrize(
    "other", [{"sha256": "cc"}, {"message_id": "<3@reply.example>"}, {"envelope_to": "b@x.example"}]
)
def test_a_copy_that_differs_is_no_copy(other: dict[str, str]) -> None:
    told = Told("proof")
    copies = [taken(NOTICE), replace(taken(NOTICE), **other)]  # type: ignore[arg-type]
    found = Evidence({1: NOTICE}, {1: copies}, {}, 0)
    proof.nothing_lost(told, found, dict.fromkeys(Channel, 4))
    assert any(words.startswith("copies that differ") for words in told.broken)


def test_a_promise_of_at_least_is_broken_by_less() -> None:
    assert [Claim("x", found, most=2, least=1).is_kept for found in (0, 1, 2, 3)] == [False, True, True, False]
