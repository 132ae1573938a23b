"""Who was told, from when it binds them, who is deemed to agree: tables of cases (S4, S5; invariant 7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.clock import local_day
from mailer.notices import rules
from mailer.notices.rules import Days, Fact, NotAgreed, NoticeFacts, NoticeState, Via
from mailer.notices.rules import FactKind as K
from mailer.policies.rules import holidays_of

RESPOND_BY, BINDING = date(2026, 12, 24), date(2027, 1, 8)


def facts(state: NoticeState = NoticeState.ACCEPTED, **known: object) -> NoticeFacts:
    usual = {"respond_by_on": RESPOND_BY, "binding_on": BINDING, "used_on": date(2027, 1, 8)}
    return NoticeFacts(state, **(usual | known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "today", "answer"),
    [
        (facts(), date(2027, 1, 8), None),
        (facts(), date(2027, 3, 1), None),
        (facts(version_withdrawn=True), date(2027, 3, 1), NotAgreed.WITHDRAWN),
        (facts(NoticeState.PLANNED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(NoticeState.UNREACHED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(NoticeState.ENDED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(respond_by_on=None), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(binding_on=None), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(terminated=True), date(2027, 3, 1), NotAgreed.TERMINATED),
        (facts(is_consumer=True), date(2027, 3, 1), NotAgreed.CONSUMER),
        (facts(agreed_expressly=True), date(2027, 3, 1), NotAgreed.SAID_SO),
        (facts(agreed_expressly=True, is_consumer=True), date(2027, 3, 1), NotAgreed.SAID_SO),
        (facts(undecided=True), date(2027, 3, 1), NotAgreed.UNDECIDED),
        (facts(), date(2026, 12, 24), NotAgreed.WINDOW_OPEN),
        (facts(), date(2027, 1, 7), NotAgreed.WINDOW_OPEN),
        (facts(used_on=None), date(2027, 3, 1), NotAgreed.NOT_USED),
        (facts(used_on=date(2027, 1, 7)), date(2027, 3, 1), NotAgreed.NOT_USED),
    ],
)
def test_agreement_is_derived_from_facts(known: NoticeFacts, today: date, answer: NotAgreed | None) -> None:
    assert rules.why_not_agreed(known, today) is answer


@pytest.mark.parametrize(
    ("effective_on", "last_day"),
    [
        (date(2027, 1, 8), date(2026, 12, 8)),  # the thirtieth day is Thursday the 7th
        (date(2027, 1, 11), date(2026, 12, 9)),  # windows that would end on the weekend end on that Monday: too late
        (date(2026, 12, 28), date(2026, 11, 24)),  # nor may they end at Christmas
    ],
)
def test_the_last_day_to_tell_is_the_last_that_keeps_the_promised_day(effective_on: date, last_day: date) -> None:
    holidays = holidays_of("NL")
    assert rules.last_day_to_tell(effective_on, holidays) == last_day
    assert rules.clock_of(last_day, effective_on, holidays).binding_on == effective_on
    later = (rules.clock_of(last_day + timedelta(days=n), effective_on, holidays).binding_on for n in range(1, 8))
    assert all(binding_on > effective_on for binding_on in later)


@pytest.mark.parametrize(
    ("notified_on", "effective_on", "plain_end_on", "respond_by_on", "binding_on"),
    [
        (date(2026, 11, 24), date(2027, 1, 8), date(2026, 12, 24), date(2026, 12, 24), date(2027, 1, 8)),
        (date(2026, 11, 25), date(2027, 1, 8), date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 8)),
        (date(2026, 12, 20), date(2027, 1, 8), date(2027, 1, 19), date(2027, 1, 19), date(2027, 1, 20)),
        # a year that ends on a working day; New Year's Day on a Saturday
        (date(2026, 12, 1), date(2026, 12, 31), date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)),
        (date(2027, 12, 2), date(2028, 1, 2), date(2028, 1, 1), date(2028, 1, 3), date(2028, 1, 4)),
        # the leap day counts, and its lack does
        (date(2028, 1, 30), date(2028, 3, 1), date(2028, 2, 29), date(2028, 2, 29), date(2028, 3, 1)),
        (date(2027, 1, 30), date(2027, 3, 1), date(2027, 3, 1), date(2027, 3, 1), date(2027, 3, 2)),
        # Easter Sunday, on which the clocks go forward, and the Monday after
        (date(2027, 2, 26), date(2027, 3, 30), date(2027, 3, 28), date(2027, 3, 30), date(2027, 3, 31)),
        # King's Day, Ascension Day, the Saturday before Whit Monday
        (date(2027, 3, 28), date(2027, 4, 28), date(2027, 4, 27), date(2027, 4, 28), date(2027, 4, 29)),
        (date(2027, 4, 6), date(2027, 5, 7), date(2027, 5, 6), date(2027, 5, 7), date(2027, 5, 8)),
        (date(2027, 4, 15), date(2027, 5, 18), date(2027, 5, 15), date(2027, 5, 18), date(2027, 5, 19)),
        # the Sunday on which the clocks go back
        (date(2027, 10, 1), date(2027, 11, 1), date(2027, 10, 31), date(2027, 11, 1), date(2027, 11, 2)),
    ],
)
def test_each_person_has_dates_of_their_own(
    notified_on: date, effective_on: date, plain_end_on: date, respond_by_on: date, binding_on: date
) -> None:
    clock = rules.clock_of(notified_on, effective_on, holidays_of("NL"))
    assert clock == rules.Clock(notified_on, plain_end_on, respond_by_on, binding_on, effective_on)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-11-24T22:59:59+00:00", "Europe/Amsterdam", date(2026, 11, 24)),
        ("2026-11-24T23:00:00+00:00", "Europe/Amsterdam", date(2026, 11, 25)),
        ("2026-07-24T21:59:59+00:00", "Europe/Amsterdam", date(2026, 7, 24)),
        ("2026-07-24T22:00:00+00:00", "Europe/Amsterdam", date(2026, 7, 25)),
        ("2027-03-28T00:59:59+00:00", "Europe/Amsterdam", date(2027, 3, 28)),  # 01:59:59, and a second later 03:00
        ("2027-03-28T22:00:00+00:00", "Europe/Amsterdam", date(2027, 3, 29)),  # a day of 23 hours
        ("2027-10-31T22:59:59+00:00", "Europe/Amsterdam", date(2027, 10, 31)),  # a day of 25
        ("2026-12-31T09:59:59+00:00", "Pacific/Kiritimati", date(2026, 12, 31)),  # +14
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", date(2027, 1, 1)),
        ("2027-01-01T11:59:59+00:00", "Etc/GMT+12", date(2026, 12, 31)),  # -12
        ("2027-01-01T12:00:00+00:00", "Etc/GMT+12", date(2027, 1, 1)),
    ],
)
def test_the_day_of_acceptance_is_that_of_the_companys_clocks(instant: str, zone: str, day: date) -> None:
    assert local_day(datetime.fromisoformat(instant), ZoneInfo(zone)) == day


@pytest.mark.parametrize(
    ("instant", "zone", "respond_by_on", "binding_on"),
    [
        # one instant, three days: 14 hours ahead it is the 25th, whose thirtieth day is Christmas Day
        ("2026-11-24T11:00:00+00:00", "Pacific/Kiritimati", date(2026, 12, 28), date(2026, 12, 29)),
        ("2026-11-24T11:00:00+00:00", "Europe/Amsterdam", date(2026, 12, 24), date(2026, 12, 25)),
        ("2026-11-24T11:00:00+00:00", "Etc/GMT+12", date(2026, 12, 23), date(2026, 12, 24)),
        # the last second of the day, and the first of the next; the thirtieth days end on either side of the year
        ("2026-12-01T22:59:59+00:00", "Europe/Amsterdam", date(2026, 12, 31), date(2027, 1, 1)),
        ("2026-12-01T23:00:00+00:00", "Europe/Amsterdam", date(2027, 1, 4), date(2027, 1, 5)),
        # a window over the day of 23 hours, and one over the day of 25: both end with the thirtieth day
        ("2027-03-02T22:59:59+00:00", "Europe/Amsterdam", date(2027, 4, 1), date(2027, 4, 2)),
        ("2027-10-05T21:59:59+00:00", "Europe/Amsterdam", date(2027, 11, 4), date(2027, 11, 5)),
        # told on the leap day; told before it
        ("2028-02-29T12:00:00+00:00", "Europe/Amsterdam", date(2028, 3, 30), date(2028, 3, 31)),
        ("2028-02-28T12:00:00+00:00", "Europe/Amsterdam", date(2028, 3, 29), date(2028, 3, 30)),
    ],
)
def test_a_clock_runs_from_the_companys_day_of_an_instant(
    instant: str, zone: str, respond_by_on: date, binding_on: date
) -> None:
    notified_on = local_day(datetime.fromisoformat(instant), ZoneInfo(zone))
    clock = rules.clock_of(notified_on, date(2026, 11, 24), holidays_of("NL"))
    assert (clock.respond_by_on, clock.binding_on) == (respond_by_on, binding_on)


@given(
    st.dates(date(2025, 1, 1), date(2035, 1, 1)),
    st.integers(-60, 200),
)
def test_nobody_is_bound_before_thirty_whole_days(notified_on: date, ahead: int) -> None:
    clock = rules.clock_of(notified_on, notified_on + timedelta(days=ahead), holidays_of("NL"))
    assert clock.binding_on >= notified_on + timedelta(days=31)
    assert clock.binding_on > clock.respond_by_on >= notified_on + timedelta(days=30)
    assert clock.binding_on >= clock.effective_on
    assert clock.respond_by_on.weekday() < 5
    assert clock.days.spelled["binding_on"] == clock.binding_on.isoformat()


AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAYS = Days(date(2026, 11, 24), RESPOND_BY, BINDING)
SHOWN = Days(date(2026, 12, 1), date(2026, 12, 31), BINDING)
PLAN, TAKEN = Fact(K.PLANNED, AT, 1), Fact(K.ACCEPTED, AT, 1, DAYS)
BACK = Fact(K.BOUNCED, AT, 1, why="550")
SAW = Fact(K.ANNOUNCED, AT, None, SHOWN, evidence="shown by trac")


@pytest.mark.parametrize(
    ("happened", "state", "via", "days"),
    [
        ([], NoticeState.PLANNED, Via.MAIL, None),
        ([PLAN], NoticeState.PLANNED, Via.MAIL, None),
        ([PLAN, Fact(K.DEFERRED, AT, 1)], NoticeState.PLANNED, Via.MAIL, None),
        ([PLAN, TAKEN], NoticeState.ACCEPTED, Via.MAIL, DAYS),
        ([PLAN, TAKEN, Fact(K.ACCEPTED, AT, 1, SHOWN)], NoticeState.ACCEPTED, Via.MAIL, DAYS),
        ([PLAN, Fact(K.ACCEPTED, AT, 2, DAYS)], NoticeState.PLANNED, Via.MAIL, None),
        ([PLAN, Fact(K.REFUSED, AT, 1)], NoticeState.UNREACHED, Via.MAIL, None),
        ([PLAN, Fact(K.WITHHELD, AT, 1)], NoticeState.UNREACHED, Via.MAIL, None),
        ([PLAN, TAKEN, BACK], NoticeState.UNREACHED, Via.MAIL, None),
        ([PLAN, BACK, TAKEN], NoticeState.UNREACHED, Via.MAIL, None),
        ([PLAN, TAKEN, Fact(K.PLANNED_AGAIN, AT, 2), BACK], NoticeState.PLANNED, Via.MAIL, None),
        ([PLAN, TAKEN, BACK, SAW], NoticeState.ACCEPTED, Via.ANNOUNCEMENT, SHOWN),
        ([PLAN, TAKEN, SAW], NoticeState.ACCEPTED, Via.MAIL, DAYS),
        ([PLAN, TAKEN, SAW, BACK], NoticeState.ACCEPTED, Via.ANNOUNCEMENT, SHOWN),
        ([PLAN, TAKEN, BACK, SAW, BACK], NoticeState.ACCEPTED, Via.ANNOUNCEMENT, SHOWN),
        ([PLAN, BACK, Fact(K.ANNOUNCED, AT)], NoticeState.UNREACHED, Via.MAIL, None),
        ([PLAN, BACK, SAW, Fact(K.LETTER, AT, None, DAYS)], NoticeState.ACCEPTED, Via.ANNOUNCEMENT, SHOWN),
        ([PLAN, BACK, Fact(K.LETTER, AT, None, DAYS)], NoticeState.ACCEPTED, Via.LETTER, DAYS),
        ([PLAN, TAKEN, Fact(K.ENDED, AT, 1), BACK], NoticeState.ENDED, Via.MAIL, DAYS),
        ([PLAN, TAKEN, Fact(K.AGREED, AT), Fact(K.DEEMED, AT)], NoticeState.ACCEPTED, Via.MAIL, DAYS),
    ],
)
def test_a_notice_stands_where_its_facts_lead(
    happened: list[Fact], state: NoticeState, via: Via, days: Days | None
) -> None:
    found = rules.replay(happened)
    assert (found.state, found.via, found.days) == (state, via, days)


def test_a_reminder_is_of_one_clock() -> None:
    told = [PLAN, TAKEN, Fact(K.REMINDED, AT, 2)]
    assert rules.replay(told).reminded_at == AT
    assert rules.replay([*told, BACK]).reminded_at is None
    assert rules.replay([*told, BACK, SAW]).evidence == "shown by trac"


def _any_fact(kind: K, row: int, day: int) -> Fact:
    notified_on = AT.date() + timedelta(days=day)
    has_days = kind in (K.ACCEPTED, K.ANNOUNCED, K.LETTER)
    days = rules.clock_of(notified_on, BINDING, holidays_of("NL")).days if has_days else None
    return Fact(kind, AT + timedelta(days=day), None if kind in (K.ANNOUNCED, K.LETTER) else row, days)


@given(st.lists(st.builds(_any_fact, st.sampled_from(K), st.integers(1, 3), st.integers(0, 60)), max_size=14))
def test_no_sequence_of_events_leads_from_unreached_to_agreed(happened: list[Fact]) -> None:
    found = rules.replay(happened)
    days = found.days
    known = NoticeFacts(
        found.state,
        days.respond_by_on if days else None,
        days.binding_on if days else None,
        used_on=date(2030, 1, 1),
    )
    if rules.why_not_agreed(known, date(2030, 1, 2)) is None:
        evidence = {K.ACCEPTED, K.ANNOUNCED, K.LETTER}
        assert any(fact.kind in evidence and fact.days == days for fact in happened), "only evidence starts a clock"
    if found.state in (NoticeState.UNREACHED, NoticeState.PLANNED):
        assert days is None
        assert rules.why_not_agreed(known, date(2030, 1, 2)) is NotAgreed.NOT_REACHED
    ended = [n for n, fact in enumerate(happened) if fact.kind is K.ENDED]
    assert not ended or found == rules.replay(happened[: ended[0] + 1]), "what has ended stays so"


def test_a_leaf_says_ids_and_days_in_one_spelling() -> None:
    assert rules.leaf("ver_1", "con_1", "msg_1", DAYS) == (
        '{"binding_on":"2027-01-08","contact":"con_1","message":"msg_1","notified_on":"2026-11-24",'
        '"respond_by_on":"2026-12-24","version":"ver_1"}'
    )
    assert rules.deemed_leaf("con_1", DAYS.notified_on, BINDING, BINDING) == "con_1 2026-11-24 2027-01-08 2027-01-08"


def test_a_servers_words_are_kept_without_addresses() -> None:
    said = "550 5.1.1 <anna@people.example>: user Anna unknown"
    assert rules.without_addresses(said, "anna@people.example") == "550 5.1.1 <(address)>: user (address) unknown"
    assert len(rules.without_addresses("x " * 1000)) == rules.WHY_LIMIT


def test_the_key_of_a_reminder_names_the_last_day() -> None:
    key = rules.reminder_key("ver_1", RESPOND_BY)
    assert key == "reminder/ver_1/2026-12-24/"
    assert key.startswith(rules.reminder_key("ver_1"))


def test_the_key_of_a_notice_begins_as_those_of_its_version_and_no_other() -> None:
    key = rules.key_of("ver_1", "adr_2")
    assert key.startswith(rules.key_of("ver_1"))
    assert not rules.key_of("ver_12", "adr_2").startswith(rules.key_of("ver_1"))
