from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.pacing import rules
from mailer.delivery.pacing.rules import CLOSED, Breaker, Gate, QuietHours, WarmUp

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HAVANA = ZoneInfo("America/Havana")  # its clocks change at midnight
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("minutes", "share"), [(-60, 0.1), (0, 0.1), (5, 0.55), (10, 1.0), (600, 1.0)])
def test_what_begins_goes_at_a_tenth_and_reaches_its_pace_in_ten_minutes(minutes: int, share: float) -> None:
    assert rules.pace(20, AT, AT + timedelta(minutes=minutes)) == pytest.approx(20 * share)


@pytest.mark.parametrize(
    ("rate", "age", "seconds"),
    [
        (2, 600, 0.5),  # at its whole pace
        (2, 10_000, 0.5),
        (0.001, 0, 1270),  # nine tenths of the ramp are lost: 330 s of it count, the rest goes at the whole pace
        (10, 0, 0.99261),  # one a second, and a little more while it waits
    ],
)
def test_a_gap_is_one_mails_worth_of_pace(rate: float, age: float, seconds: float) -> None:
    assert rules.gap(rate, age) == pytest.approx(seconds, rel=1e-4)


@given(st.floats(0.0005, 500), st.floats(0, 700))
def test_between_two_mails_the_pace_adds_up_to_one(rate: float, age: float) -> None:
    gap, steps = rules.gap(rate, age), 2_000
    middles = (AT + timedelta(seconds=age + gap * (step + 0.5) / steps) for step in range(steps))
    assert sum(rules.pace(rate, AT, at) for at in middles) * gap / steps == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(
    ("turn_in", "holds"), [(-61, False), (-60, True), (0, True), (2, True), (3, False), (3600, False)]
)
def test_a_turn_holds_for_a_minute(turn_in: int, holds: bool) -> None:
    assert rules.turn_holds(AT + turn_in * SECOND, AT) is holds


@pytest.mark.parametrize(
    ("today", "limit"),
    [
        (date(2026, 2, 27), 50),  # before it began: as on the first day
        (date(2026, 3, 1), 50),
        (date(2026, 3, 2), 100),
        (date(2026, 3, 3), 200),
        (date(2026, 3, 12), 102_400),
        (date(2026, 3, 13), None),
        (date(2027, 3, 1), None),
    ],
)
def test_a_new_domain_sends_twice_as_much_each_day_until_it_is_warm(today: date, limit: int | None) -> None:
    assert rules.warm_up_limit(date(2026, 3, 1), today) == limit


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (
            date(2026, 3, 3),
            "Day 3 of 12: at most 200 mails today, twice as many each day, no limit after Thursday 12 March 2026.",
        ),
        (date(2026, 4, 1), "Warm since Friday 13 March 2026: no daily limit."),
    ],
)
def test_where_a_warm_up_stands_is_said(today: date, words: str) -> None:
    assert rules.warm_up_in_words(date(2026, 3, 1), today) == words


def fail(times: int, breaker: Breaker = CLOSED, at: datetime = AT) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed("could not connect", at, refuses_us=False)
    return breaker


def test_a_breaker_opens_at_the_fifth_failure_in_a_row() -> None:
    assert [fail(times).gate(AT) for times in (0, 4, 5)] == [Gate.CLOSED, Gate.CLOSED, Gate.OPEN]
    assert [fail(times).may_use("me", AT) for times in (4, 5)] == [True, False]


def test_a_breaker_opens_at_once_when_the_server_does_not_take_us() -> None:
    assert CLOSED.failed("535 5.7.8 no", AT, refuses_us=True).gate(AT) is Gate.OPEN


def test_a_breaker_rests_for_thirty_seconds_then_twice_as_long_and_five_minutes_at_most() -> None:
    breaker, at, rests = fail(5), AT, []
    for _ in range(7):
        assert breaker.open_until is not None
        rests.append((breaker.open_until - at) / SECOND)
        at = breaker.open_until
        assert (breaker.gate(at - SECOND), breaker.gate(at)) == (Gate.OPEN, Gate.HALF_OPEN)
        breaker = fail(1, breaker.trying("me", at), at)
    assert rests == [30, 60, 120, 240, 300, 300, 300]


def test_failures_that_arrive_while_it_rests_do_not_make_it_rest_longer() -> None:
    breaker = fail(5)
    assert fail(10, breaker, AT + SECOND).open_until == breaker.open_until


def test_half_open_one_alone_tries() -> None:
    at = AT + timedelta(seconds=30)
    assert fail(5).may_use("me", at)
    tried = fail(5).trying("me", at)
    assert [tried.may_use(who, at) for who in ("me", "another")] == [True, False]
    assert [tried.is_trying(who, at) for who in ("me", "another")] == [True, False]


def test_one_who_tried_and_was_never_heard_of_again_gives_way_after_a_minute() -> None:
    at = AT + timedelta(seconds=30)
    tried = fail(5).trying("me", at)
    assert not tried.may_use("another", at + timedelta(seconds=59))
    assert tried.may_use("another", at + timedelta(seconds=60))


def test_a_clock_set_back_an_hour_closes_no_route_for_an_hour() -> None:
    earlier = AT - timedelta(hours=1)
    assert fail(5).gate(earlier) is Gate.HALF_OPEN
    assert fail(5).trying("me", AT).may_use("another", earlier)


@pytest.mark.parametrize("breaker", [CLOSED, fail(3), fail(5), fail(6).trying("me", AT)])
def test_a_breaker_is_read_as_it_was_written(breaker: Breaker) -> None:
    assert rules.read_breaker(breaker.to_json()) == breaker


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"open_until": "tomorrow", "trial_until": null}'])
def test_what_cannot_be_read_is_a_closed_breaker(text: str) -> None:
    assert rules.read_breaker(text) == CLOSED


@pytest.mark.parametrize(
    ("words", "is_no"),
    [
        ("550 5.7.1 we do not take mail from you", True),
        ("(535, b'5.7.8 authentication failed')", True),
        ("could not connect: (554, b'no SMTP service here')", True),
        ("could not connect: 554 no SMTP service here", True),
        ("554", True),
        ("421 4.3.2 too many connections", False),
        ("(454, b'4.7.0 temporary authentication failure')", False),
        ("could not connect: [Errno 111] Connection refused", False),
        ("mail.example:587 timed out", False),
        ("mail.example:525 timed out", False),
        ("no answer in 550 ms", False),
    ],
)
def test_a_servers_own_no_is_told_from_a_lost_connection(words: str, is_no: bool) -> None:
    assert rules.refuses_us(words) is is_no


@pytest.mark.parametrize(
    ("breaker", "later", "words"),
    [
        (CLOSED, 0, "In use."),
        (fail(2), 0, "In use, though the last try failed (2 of 5 in a row). It said: could not connect"),
        (fail(5), 5, "Not used after 5 failures in a row; tried again in 25 seconds. It said: could not connect"),
        (CLOSED.failed("", AT, refuses_us=True), 0, "Not used after 1 failure; tried again in 30 seconds."),
        (
            fail(5),
            30,
            "Not used after 5 failures in a row; one worker tries whether it is back. It said: could not connect",
        ),
    ],
)
def test_a_breaker_says_where_it_stands(breaker: Breaker, later: int, words: str) -> None:
    assert breaker.describe(AT + later * SECOND) == words


@pytest.mark.parametrize(
    ("accepted", "bounced", "complained", "refused", "why"),
    [
        (499, 499, 499, 0, None),  # too few to judge
        (500, 25, 0, 0, None),  # 5 % is not over 5 %
        (500, 26, 0, 0, r"26 of 500 mails came back \(5\.2%\); the limit is 5 %"),
        (480, 6, 0, 20, r"26 of 500 mails came back"),
        (0, 0, 0, 500, r"500 of 500 mails came back \(100\.0%\)"),
        (500, 0, 0, 0, None),
        (1000, 0, 1, 0, None),  # 0.1 % is not over 0.1 %
        (500, 0, 1, 0, r"1 person of 500 called it spam \(0\.20%\); the limit is 0\.1 %"),
        (100_000, 0, 101, 0, r"101 people of 100,000 called it spam"),
    ],
)
def test_marketing_pauses_itself_and_says_why(
    accepted: int, bounced: int, complained: int, refused: int, why: str | None
) -> None:
    said = rules.why_pause(accepted, bounced, complained, refused)
    assert said is None if why is None else re.search(f"{why}.*then resume or cancel it", said or "")


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-01-15 20:59:59", None),
        ("2026-01-15 21:00:00", "2026-01-16 07:00"),  # in UTC; winter
        ("2026-01-15 23:59:59", "2026-01-16 07:00"),
        ("2026-01-16 00:00:00", "2026-01-16 07:00"),
        ("2026-01-16 07:59:59", "2026-01-16 07:00"),
        ("2026-01-16 08:00:00", None),
        ("2026-07-15 22:00:00", "2026-07-16 06:00"),  # summer
        ("2026-03-28 22:00:00", "2026-03-29 06:00"),  # the night in which an hour is missing
        ("2026-10-24 22:00:00", "2026-10-25 07:00"),  # the night in which an hour comes twice
    ],
)
def test_marketing_waits_for_the_morning_where_the_recipient_is(local: str, until: str | None) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=AMSTERDAM).astimezone(UTC)
    expected = None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert rules.quiet_until(at, AMSTERDAM) == expected


def test_the_night_is_an_hour_shorter_or_longer_when_clocks_change() -> None:
    evenings = [datetime(2026, month, day, 21, tzinfo=AMSTERDAM) for month, day in ((1, 15), (3, 28), (10, 24))]
    nights = [(rules.quiet_until(at, AMSTERDAM) or at) - at.astimezone(UTC) for at in evenings]
    assert [night / timedelta(hours=1) for night in nights] == [11, 10, 12]


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        # 02:30 does not come on 29 March: quiet to be safe until what it would have been, 03:30
        (QuietHours(time(22), time(2, 30)), datetime(2026, 3, 29, 1, 15, tzinfo=UTC), "01:30"),
        (QuietHours(time(22), time(2, 30)), datetime(2026, 3, 29, 1, 30, tzinfo=UTC), None),
        # 02:30 comes twice on 25 October: quiet until the second
        (QuietHours(time(22), time(2, 30)), datetime(2026, 10, 25, 0, 45, tzinfo=UTC), "01:30"),
        # and quiet from the first where it begins then
        (QuietHours(time(2, 30), time(8)), datetime(2026, 10, 25, 0, 45, tzinfo=UTC), "07:00"),
        (QuietHours(time(2, 30), time(8)), datetime(2026, 3, 29, 0, 45, tzinfo=UTC), "06:00"),
        # within one day
        (QuietHours(time(12), time(14)), datetime(2026, 1, 15, 11, 30, tzinfo=UTC), "13:00"),
        (QuietHours(time(12), time(14)), datetime(2026, 1, 15, 13, tzinfo=UTC), None),
        (QuietHours(time(9), time(9)), datetime(2026, 1, 15, 8, 30, tzinfo=UTC), None),
    ],
)
def test_quiet_hours_hold_over_a_clock_change(quiet: QuietHours, at: datetime, until: str | None) -> None:
    found = rules.quiet_until(at, AMSTERDAM, quiet)
    assert (found and f"{found:%H:%M}") == until


@given(
    st.integers(0, 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.sampled_from(["Europe/Amsterdam", "America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_when_the_quiet_ends_it_is_eight_and_not_quiet(at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    until = rules.quiet_until(at, zone)
    assert (until is None) is (8 <= at.astimezone(zone).hour < 21)
    if until is not None:
        assert until > at
        assert until.astimezone(zone).time() == time(8)
        assert rules.quiet_until(until, zone) is None


@pytest.mark.parametrize(
    ("left", "per_second", "seconds"), [(0, 0, 0), (-1, 5, 0), (1, 0, None), (600, 10, 60), (86_400 * 3, 1, 86_400 * 3)]
)
def test_a_mailing_is_done_when_its_rest_went_at_its_pace(left: int, per_second: float, seconds: int | None) -> None:
    expected = None if seconds is None else AT + seconds * SECOND
    assert rules.forecast(left, per_second, AT) == expected


def test_what_would_take_years_has_no_forecast() -> None:
    assert rules.forecast(10**9, 0.5, AT) is None


def test_a_forecast_waits_in_quiet_hours() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=AMSTERDAM)
    finish = rules.forecast(10 * 3600, 1, noon, zone=AMSTERDAM, quiet=rules.NIGHT)
    assert finish == datetime(2026, 3, 3, 9, tzinfo=AMSTERDAM)  # nine hours today, one tomorrow
    evening = datetime(2026, 3, 2, 22, tzinfo=AMSTERDAM)
    assert rules.forecast(60, 1, evening, zone=AMSTERDAM, quiet=rules.NIGHT) == datetime(
        2026, 3, 3, 8, 1, tzinfo=AMSTERDAM
    )


def test_a_forecast_knows_what_a_warm_up_lets_go_each_day() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=AMSTERDAM)
    warm_up = WarmUp(date(2026, 3, 1), sent_today=40)  # 60 more today, 200 tomorrow, 400 the day after
    finish = rules.forecast(300, 1, noon, zone=AMSTERDAM, warm_up=warm_up)
    assert finish == datetime(2026, 3, 4, 0, 0, 40, tzinfo=AMSTERDAM)


def test_a_forecast_counts_a_days_mail_before_and_after_its_quiet_hours_together() -> None:
    morning = datetime(2026, 3, 1, 11, 59, 30, tzinfo=AMSTERDAM)
    siesta, warm_up = QuietHours(time(12), time(14)), WarmUp(date(2026, 3, 1))
    finish = rules.forecast(60, 1, morning, zone=AMSTERDAM, quiet=siesta, warm_up=warm_up)
    assert finish == datetime(2026, 3, 2, 0, 0, 10, tzinfo=AMSTERDAM)  # 30, then 20 more, then 10 the next day


def test_a_warm_up_that_sent_too_much_today_goes_on_tomorrow() -> None:
    warm_up = WarmUp(AT.date(), sent_today=80)
    assert rules.forecast(10, 1, AT, warm_up=warm_up) == datetime(2026, 3, 3, 0, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize("month", [3, 11])
def test_a_forecast_passes_a_midnight_at_which_clocks_change(month: int) -> None:
    begin = datetime(2026, month, 1, tzinfo=HAVANA).astimezone(UTC)
    finish = rules.forecast(86_400 * 20, 1, begin, zone=HAVANA, quiet=QuietHours(time(0), time(0)))
    assert finish == begin + timedelta(days=20)


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        (datetime(2026, 3, 1, 22, 59, tzinfo=UTC), None),  # 23:59 in Amsterdam
        (
            datetime(2026, 3, 1, 23, 5, tzinfo=UTC),
            "At this pace the last notice goes out on Monday 2 March 2026 at 00:05, yet all notices must be out by the "
            "end of Sunday 1 March 2026 for the dates they promise to hold. Raise the pace of the route, or withdraw "
            "the version and release it with a later effective date.",
        ),
        (
            None,
            "Notices wait and none goes out, yet all notices must be out by the end of Sunday 1 March 2026 for the "
            "dates they promise to hold. See whether the route is reached. Raise the pace of the route, or withdraw "
            "the version and release it with a later effective date.",
        ),
    ],
)
def test_notices_that_would_miss_the_legal_date_warn(finish: datetime | None, words: str | None) -> None:
    assert rules.warn_late(finish, date(2026, 3, 1), AMSTERDAM) == words


@pytest.mark.parametrize(
    ("spelled", "hours"), [("", None), ("22:30-07:15", rules.QuietHours(time(22, 30), time(7, 15)))]
)
def test_quiet_hours_are_read_as_they_are_set(spelled: str, hours: rules.QuietHours | None) -> None:
    assert rules.read_quiet_hours(spelled) == hours


def test_a_mailing_slower_than_a_mail_a_day_is_done_in_the_end() -> None:
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert rules.forecast(3, 1 / 172_800, at) == at + timedelta(days=6)
