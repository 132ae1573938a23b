from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailer.consent.rules import Channel
from mailer.outbox import rules
from mailer.outbox.rules import After, MailKind, Outcome, State

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 67), (6, 67), (90, 67)])
@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_the_pause_grows_with_each_try_and_is_spread(attempts: int, minutes: int, chance: float, factor: float) -> None:
    waited = rules.next_attempt_at(attempts, AT, chance) - AT
    assert waited.total_seconds() == pytest.approx(minutes * 60 * factor)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 0.25), (2, 0.5), (4, 2), (5, 5), (9, 67), (90, 67)])
def test_a_connection_that_broke_without_a_word_is_tried_again_sooner(attempts: int, minutes: float) -> None:
    waited = rules.next_attempt_at(attempts, AT, 0.5, was_answered=False) - AT
    assert waited.total_seconds() == pytest.approx(minutes * 60)


@pytest.mark.parametrize(
    ("channel", "after", "over"),
    [
        (Channel.ESSENTIAL, timedelta(days=5) - timedelta(seconds=1), False),
        (Channel.ESSENTIAL, timedelta(days=5), True),
        (Channel.MARKETING, timedelta(hours=24) - timedelta(seconds=1), False),
        (Channel.MARKETING, timedelta(hours=24), True),
    ],
)
def test_essential_mail_is_tried_for_five_days_and_marketing_for_one(
    channel: Channel, after: timedelta, over: bool
) -> None:
    assert rules.is_over(channel, AT, AT + after) is over


def test_only_campaigns_are_marketing() -> None:
    assert [kind for kind in MailKind if kind.channel is Channel.MARKETING] == [MailKind.CAMPAIGN]


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("2.0.0 Ok: queued as 4F1", "2.0.0 Ok: queued as 4F1"),
        ("5.1.1 <anna@people.example>: Recipient rejected", "5.1.1 <(address)>: Recipient rejected"),
        ("no such user anna@people.example", "no such user (address)"),
        ("x" * 2000, "x" * 1000),
    ],
)
def test_no_address_stays_in_what_is_kept_of_a_reply(reply: str, kept: str) -> None:
    assert rules.without_addresses(reply) == kept


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("5.1.1 no such user a.de-vries here", "5.1.1 no such user (address) here"),
        ("5.1.1 A.de-Vries: unknown.", "5.1.1 (address): unknown."),
        ("mailbox a.de-vries.", "mailbox (address)."),
        ("ja.de-vries, a.de-vries2", "ja.de-vries, a.de-vries2"),
    ],
)
def test_nor_the_name_before_the_at(reply: str, kept: str) -> None:
    assert rules.without_addresses(reply, "a.de-vries@people.example") == kept


NEXT = AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("outcome", "channel", "after"),
    [
        (Outcome.ACCEPTED, Channel.ESSENTIAL, After(State.ACCEPTED)),
        (Outcome.REFUSED, Channel.MARKETING, After(State.REFUSED)),
        (Outcome.DEFERRED, Channel.ESSENTIAL, After(State.QUEUED, NEXT)),
        (Outcome.DEFERRED, Channel.MARKETING, After(State.QUEUED, NEXT)),
        (Outcome.IN_DOUBT, Channel.ESSENTIAL, After(State.QUEUED, NEXT, keeps_day=True)),
        (Outcome.IN_DOUBT, Channel.MARKETING, After(State.UNKNOWN)),
    ],
)
def test_what_a_try_makes_of_a_message(outcome: Outcome, channel: Channel, after: After) -> None:
    assert rules.after_try(outcome, channel, 1, AT, 0.5, created_at=AT, code=451) == after


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.ACCEPTED, State.ACCEPTED), (Outcome.DEFERRED, State.REFUSED), (Outcome.IN_DOUBT, State.UNKNOWN)],
)
def test_after_its_time_a_message_is_not_tried_again(outcome: Outcome, state: State) -> None:
    late = AT + rules.GIVE_UP_AFTER[Channel.ESSENTIAL]
    assert rules.after_try(outcome, Channel.ESSENTIAL, 9, late, 0.5, created_at=AT, code=0) == After(state)


@pytest.mark.parametrize(
    ("channel", "attempts", "after"),
    [
        (Channel.MARKETING, 1, After(State.UNKNOWN)),
        (Channel.ESSENTIAL, 1, After(State.QUEUED, AT, keeps_day=True)),
        (Channel.ESSENTIAL, 2, After(State.QUEUED, AT, keeps_day=True)),
        (Channel.ESSENTIAL, 3, After(State.QUEUED, AT + rules.LONGEST_PAUSE, keeps_day=True)),
    ],
)
def test_what_was_on_the_wire_when_a_worker_ended(channel: Channel, attempts: int, after: After) -> None:
    assert rules.after_crash(channel, attempts, AT) == after
