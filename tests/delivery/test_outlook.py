"""How a mailing goes on, told from what was measured and from what holds it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from mailer.consent.rules import Channel
from mailer.delivery import outlook
from mailer.delivery.outlook import Stand, Wait
from mailer.delivery.pacing import buckets
from mailer.delivery.pacing.buckets import Buckets
from mailer.delivery.pacing.wishes import DayLimit, Wish
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState, MailKind
from tests.conftest import Configure

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # ten o'clock in Amsterdam
ROUTE = """
[[route]]
name = "{name}"
channel = "marketing"
host = "127.0.0.1"
tls = "none"
{more}
"""
ESSENTIAL = '[[route]]\nname = "plain"\nchannel = "essential"\nhost = "127.0.0.1"\ntls = "none"\n'


def mailing(**known: object) -> Mailing:
    """A campaign whose list is complete and that began an hour ago."""
    begun = AT - timedelta(hours=1)
    usual = {"kind": MailKind.CAMPAIGN, "state": MailingState.FANNED_OUT, "created_at": begun, "fanned_out_at": begun}
    return Mailing(**({"id": "mlg_1", "per_second": 0.0, "window_count": 0} | usual | known))


def write_routes(configure: Configure, folder: Path, *routes: str) -> None:
    path = folder / "routes.toml"
    path.write_text("".join([ESSENTIAL, *routes]))
    configure(routes=path)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("known", "left", "stand"),
    [
        ({"state": MailingState.FANNING_OUT}, 5, Stand.FANNING_OUT),
        ({"state": MailingState.FANNING_OUT}, 0, Stand.FANNING_OUT),
        ({"state": MailingState.FANNING_OUT, "paused_at": AT}, 0, Stand.PAUSED),
        ({}, 5, Stand.SENDING),
        ({}, 0, Stand.SENT),
        ({"paused_at": AT}, 5, Stand.PAUSED),
        ({"paused_at": AT}, 0, Stand.SENT),
        ({"paused_at": AT, "cancelled_at": AT}, 5, Stand.CANCELLED),
        ({"cancelled_at": AT, "state": MailingState.ENDED}, 0, Stand.CANCELLED),
    ],
)
def test_where_a_mailing_stands(known: dict[str, object], left: int, stand: Stand) -> None:
    found = outlook.look(mailing(per_second=2.0, **known), left, AT)
    assert found.stand is stand
    assert (found.finish is not None) is (stand is Stand.SENDING)
    assert found.is_over is (left == 0 and stand in (Stand.SENT, Stand.CANCELLED))
    assert (found.pace_in_words == "2 a second") is (stand in outlook.GOES_ON)


@pytest.mark.parametrize(
    ("known", "pace"),
    [
        ({"per_second": 2.5}, 2.5),
        ({"window_at": AT - timedelta(seconds=10), "window_count": 50}, 5.0),
        ({"window_at": AT, "window_count": 50}, None),  # a moment is no measure
        ({"fanned_out_at": AT - timedelta(seconds=59)}, None),
        ({"fanned_out_at": None, "created_at": AT - timedelta(seconds=59)}, None),
        ({"fanned_out_at": AT - timedelta(seconds=60)}, 0.0),
        ({"window_at": AT + timedelta(hours=1)}, None),  # the clock was set back
    ],
)
def test_the_pace_is_what_was_measured_lately(known: dict[str, object], pace: float | None) -> None:
    assert outlook.pace_of(mailing(**known), AT) == pace


@pytest.mark.parametrize(
    ("per_second", "words"),
    [
        (5200.4, "5,200 a second"),
        (1.5, "2 a second"),
        (1.4, "84 a minute"),
        (0.025, "2 a minute"),
        (0.02, "72 an hour"),
        (1 / 3600, "1 an hour"),
    ],
)
def test_a_pace_is_told_in_a_number_that_one_can_picture(per_second: float, words: str) -> None:
    assert outlook.pace_in_words(per_second) == words


def test_the_end_is_foreseen_from_the_measured_pace() -> None:
    found = outlook.look(mailing(per_second=10.0), 6000, AT)
    assert (found.finish, found.is_measured) == (AT + minutes(10), True)


def test_a_limit_that_was_just_set_counts_before_it_is_measured() -> None:
    found = outlook.look(mailing(per_second=10.0, per_hour=3600), 60, AT)
    assert found.finish == AT + minutes(1)


def test_before_anything_is_measured_the_end_is_foreseen_from_the_limits_if_there_are_any() -> None:
    fresh = {"fanned_out_at": AT}
    unlimited, limited = (outlook.look(mailing(**fresh, per_hour=n), 60, AT) for n in (None, 3600))
    assert (unlimited.finish, unlimited.pace) == (None, None)
    assert (limited.finish, limited.is_measured) == (AT + minutes(1), False)


def test_when_nothing_moves_no_end_is_promised() -> None:
    found = outlook.look(mailing(per_hour=3600), 60, AT)
    assert (found.pace, found.finish, found.waits_for) == (0.0, None, None)


def test_what_waits_for_its_pace_says_until_when_and_keeps_its_forecast() -> None:
    held = outlook.look(mailing(per_hour=60, hold_until=AT + minutes(2)), 60, AT)
    assert (held.waits_until, held.waits_for) == (AT + minutes(2), Wait.PACE)
    assert held.finish == AT + minutes(60)
    assert outlook.look(mailing(per_hour=60, hold_until=AT + timedelta(seconds=2)), 60, AT).waits_for is None


def test_marketing_waits_for_the_morning_and_essential_mail_does_not(configure: Configure) -> None:
    configure(quiet_hours="21:00-08:00")
    evening, morning = datetime(2026, 11, 24, 21, 30, tzinfo=UTC), datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    asleep = outlook.look(mailing(per_hour=3600), 60, evening)
    assert (asleep.waits_until, asleep.waits_for) == (morning, Wait.NIGHT)
    assert asleep.finish == morning + minutes(1)
    awake = outlook.look(mailing(kind=MailKind.NOTICE, per_second=1.0), 60, evening)
    assert (awake.waits_until, awake.finish) == (None, evening + minutes(1))


def test_the_routes_of_the_first_order_limit_the_pace_together(configure: Configure, tmp_path: Path) -> None:
    fresh = mailing(fanned_out_at=AT)
    first = [ROUTE.format(name=name, more="rate = 0.5") for name in ("one", "two")]
    spare = ROUTE.format(name="spare", more="order = 2")
    write_routes(configure, tmp_path, *first, spare)
    assert outlook.look(fresh, 60, AT).finish == AT + minutes(1)
    write_routes(configure, tmp_path, *first, ROUTE.format(name="free", more=""))
    assert outlook.look(fresh, 60, AT).finish is None, "one of them has no limit"


def test_a_warm_up_spreads_a_campaign_over_days_and_leaves_notices_alone(
    redis_server: Redis, configure: Configure, tmp_path: Path
) -> None:
    more = 'warm_up_from = 2026-11-24\nfrom = "News <news@new.example>"'
    write_routes(configure, tmp_path, ROUTE.format(name="new", more=more))
    midnight = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    found = outlook.look(mailing(per_second=1.0), 60, AT)
    assert "Day 1 of 12: at most 50 mails today" in found.warm_up
    assert found.finish == midnight + timedelta(seconds=10)
    day = DayLimit("new.example", AT.date(), 50, midnight)
    Buckets(Channel.MARKETING).reserve([Wish("new", day=day)] * 20, AT)
    assert buckets.sent_on(day) == 20
    assert outlook.look(mailing(per_second=1.0), 60, AT).finish == midnight + timedelta(seconds=30)
    notice = outlook.look(mailing(kind=MailKind.NOTICE, per_second=1.0), 60, AT)
    assert (notice.warm_up, notice.finish) == ("", AT + minutes(1))


def test_routes_that_cannot_be_read_limit_nothing_here(configure: Configure, tmp_path: Path) -> None:
    write_routes(configure, tmp_path, "[[route]]\n")
    assert outlook.look(mailing(per_second=1.0), 60, AT).finish == AT + minutes(1)


@pytest.mark.parametrize(
    ("why", "words"), [("", "Paused by Sam Bakker."), ("A wrong link.", "Paused by Sam Bakker: A wrong link.")]
)
def test_a_pause_says_who_made_it(why: str, words: str) -> None:
    assert outlook.paused_by("Sam Bakker", why) == words
