"""The law of versions as tables of cases (DESIGN §5, §6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import clock
from mailer.policies import rules
from mailer.policies.rules import ChangeClass, Phase, Released

NL = rules.holidays_of("NL")
NOTHING: frozenset[date] = frozenset()
MONDAY = date(2026, 11, 23)
ALL_NO = dict.fromkeys(rules.QUESTIONS, False)


@pytest.mark.parametrize(
    ("notified_on", "respond_by_on", "because"),
    [
        (date(2026, 11, 24), date(2026, 12, 24), "a plain Thursday"),
        (date(2026, 11, 25), date(2026, 12, 28), "Christmas, Boxing Day, then a Sunday"),
        (date(2026, 11, 20), date(2026, 12, 21), "a Sunday moves to Monday"),
        (date(2026, 12, 2), date(2027, 1, 4), "New Year's Day, then a weekend"),
        (date(2027, 2, 27), date(2027, 3, 30), "Easter Monday"),
        (date(2027, 3, 28), date(2027, 4, 28), "King's Day is the 27th"),
        (date(2027, 1, 30), date(2027, 3, 1), "the end of February"),
        (date(2026, 3, 7), date(2026, 4, 7), "Easter Monday, 6 April 2026"),
        (date(2026, 4, 25), date(2026, 5, 26), "Whit Monday, 25 May 2026"),
        (date(2026, 3, 28), date(2026, 4, 28), "King's Day on a Monday"),
        (date(2026, 3, 26), date(2026, 4, 28), "a weekend, then King's Day on the Monday after"),
        (
            date(2025, 3, 27),
            date(2025, 4, 28),
            "King's Day on the 26th, for the 27th is a Sunday; Monday is no day off",
        ),
        (date(2024, 3, 28), date(2024, 4, 29), "King's Day on a Saturday stays there; Monday is no day off"),
        (date(2025, 4, 5), date(2025, 5, 6), "Liberation Day is a public holiday"),
        (date(2026, 12, 1), date(2026, 12, 31), "31 December is a working day"),
        (date(2026, 12, 31), date(2027, 2, 1), "from 31 December: 30 January is a Saturday"),
        (date(2027, 1, 29), date(2027, 3, 1), "28 February is a Sunday"),
        (date(2027, 2, 28), date(2027, 3, 30), "from 28 February in a year without a 29th"),
        (date(2028, 1, 29), date(2028, 2, 28), "28 February in a leap year"),
        (date(2028, 1, 30), date(2028, 2, 29), "29 February is a day like any other"),
        (date(2028, 2, 28), date(2028, 3, 29), "from 28 February over the 29th"),
        (date(2028, 2, 29), date(2028, 3, 30), "from 29 February"),
        (date(2027, 3, 15), date(2027, 4, 14), "over the night that loses an hour, 28 March"),
        (date(2027, 10, 18), date(2027, 11, 17), "over the night that gains an hour, 31 October"),
    ],
)
def test_the_window_ends_thirty_days_after_the_notice_and_never_on_a_day_off(
    notified_on: date, respond_by_on: date, because: str
) -> None:
    assert rules.respond_by(notified_on, NL) == respond_by_on, because


@pytest.mark.parametrize(
    ("accepted_at", "zone", "notified_on", "respond_by_on", "ends_at"),
    [
        ("2026-11-24T22:59:59Z", "Europe/Amsterdam", "2026-11-24", "2026-12-24", "2026-12-24T23:00:00Z"),
        ("2026-11-24T23:00:00Z", "Europe/Amsterdam", "2026-11-25", "2026-12-28", "2026-12-28T23:00:00Z"),
        ("2027-03-14T23:00:00Z", "Europe/Amsterdam", "2027-03-15", "2027-04-14", "2027-04-14T22:00:00Z"),
        ("2027-03-28T00:59:59Z", "Europe/Amsterdam", "2027-03-28", "2027-04-28", "2027-04-28T22:00:00Z"),
        ("2027-03-28T21:59:59Z", "Europe/Amsterdam", "2027-03-28", "2027-04-28", "2027-04-28T22:00:00Z"),
        ("2027-03-28T22:00:00Z", "Europe/Amsterdam", "2027-03-29", "2027-04-28", "2027-04-28T22:00:00Z"),
        ("2027-10-31T00:30:00Z", "Europe/Amsterdam", "2027-10-31", "2027-11-30", "2027-11-30T23:00:00Z"),
        ("2027-10-31T22:59:59Z", "Europe/Amsterdam", "2027-10-31", "2027-11-30", "2027-11-30T23:00:00Z"),
        ("2026-11-24T09:59:59Z", "Pacific/Kiritimati", "2026-11-24", "2026-12-24", "2026-12-24T10:00:00Z"),
        ("2026-11-24T10:00:00Z", "Pacific/Kiritimati", "2026-11-25", "2026-12-28", "2026-12-28T10:00:00Z"),
        ("2026-11-24T11:59:59Z", "Etc/GMT+12", "2026-11-23", "2026-12-23", "2026-12-24T12:00:00Z"),
        ("2026-11-24T12:00:00Z", "Etc/GMT+12", "2026-11-24", "2026-12-24", "2026-12-25T12:00:00Z"),
    ],
)
def test_the_window_runs_by_the_days_of_the_companys_zone(
    accepted_at: str, zone: str, notified_on: str, respond_by_on: str, ends_at: str
) -> None:
    place = ZoneInfo(zone)
    told = clock.local_day(datetime.fromisoformat(accepted_at), place)
    last = rules.respond_by(told, NL)
    assert (told.isoformat(), last.isoformat()) == (notified_on, respond_by_on)
    assert clock.midnight(last + timedelta(days=1), place) == datetime.fromisoformat(ends_at)


@pytest.mark.parametrize(
    ("notified_on", "hours"), [(date(2027, 3, 15), 719), (date(2027, 6, 1), 720), (date(2027, 10, 18), 721)]
)
def test_thirty_days_are_days_and_not_hours(notified_on: date, hours: int) -> None:
    amsterdam = ZoneInfo("Europe/Amsterdam")
    begin, end = (
        clock.midnight(day + timedelta(days=1), amsterdam) for day in (notified_on, rules.respond_by(notified_on, NL))
    )
    assert end - begin == timedelta(hours=hours)


def test_the_window_is_explained_in_words() -> None:
    assert rules.explain_window(date(2026, 11, 24), NL) == (
        "Notified on Tuesday 24 November 2026. The day itself does not count. "
        "30 days end on Thursday 24 December 2026. Respond by Thursday 24 December 2026, 24:00. "
        "Binding from Friday 25 December 2026 at the earliest."
    )
    assert "That is a day off, so it moves to Monday 28 December 2026." in rules.explain_window(date(2026, 11, 25), NL)


@pytest.mark.parametrize(
    ("effective_on", "respond_by_on", "binding_on"),
    [
        (date(2027, 1, 8), date(2026, 12, 24), date(2027, 1, 8)),
        (date(2026, 12, 20), date(2026, 12, 24), date(2026, 12, 25)),
        (date(2026, 12, 25), date(2026, 12, 24), date(2026, 12, 25)),
    ],
)
def test_nobody_is_bound_before_their_window_is_over(effective_on: date, respond_by_on: date, binding_on: date) -> None:
    assert rules.binding_from(effective_on, respond_by_on) == binding_on


@given(st.dates(date(2024, 1, 1), date(2034, 1, 1)))
def test_every_day_gives_at_least_thirty_full_days_and_a_working_last_day(day: date) -> None:
    last = rules.respond_by(day, NL)
    assert last >= day + timedelta(days=30)
    assert not rules.is_day_off(last, NL)
    assert rules.earliest_effective(day, NL) == last + timedelta(days=1)
    assert rules.proposed_effective(day, NL) >= max(day + timedelta(days=35), last + timedelta(days=1))


PENDING = Released(2, MONDAY + timedelta(days=40))
IN_FORCE = Released(1, date(2025, 1, 1))


@pytest.mark.parametrize(
    ("change_class", "wished", "base", "effective_on"),
    [
        (ChangeClass.MATERIAL, date(2026, 12, 24), IN_FORCE, date(2026, 12, 24)),
        (ChangeClass.MATERIAL, date(2027, 2, 1), None, date(2027, 2, 1)),
        (ChangeClass.ORDINARY, MONDAY, IN_FORCE, MONDAY),
        (ChangeClass.ORDINARY, None, IN_FORCE, MONDAY),
        (ChangeClass.MINOR, None, None, MONDAY),
        (ChangeClass.MINOR, None, PENDING, PENDING.effective_on),
        (ChangeClass.MINOR, PENDING.effective_on, PENDING, PENDING.effective_on),
    ],
)
def test_a_version_takes_effect_as_wished_at_once_or_with_its_base(
    change_class: ChangeClass, wished: date | None, base: Released | None, effective_on: date
) -> None:
    assert rules.effective_day(change_class, wished, MONDAY, base, NL) == effective_on


@pytest.mark.parametrize(
    ("change_class", "wished", "base", "fault", "words"),
    [
        (ChangeClass.MATERIAL, None, IN_FORCE, rules.NoticeTooShort, "needs the date"),
        (
            ChangeClass.MATERIAL,
            date(2026, 12, 23),
            None,
            rules.NoticeTooShort,
            "lawful date is Thursday 24 December 2026",
        ),
        (ChangeClass.MINOR, MONDAY - timedelta(days=1), None, rules.NoticeTooShort, "is past"),
        (ChangeClass.MINOR, MONDAY, PENDING, rules.TooEarly, "when version 2 takes effect"),
        (ChangeClass.MATERIAL, date(2026, 12, 24), PENDING, rules.TooEarly, "lawful date is Saturday 2 January 2027"),
    ],
)
def test_a_date_that_breaks_a_promise_is_refused_with_what_to_do(
    change_class: ChangeClass, wished: date | None, base: Released | None, fault: type[Exception], words: str
) -> None:
    with pytest.raises(fault, match=words) as raised:
        rules.effective_day(change_class, wished, MONDAY, base, NL)
    assert raised.value.field == "effective_on"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("approved", "wished", "day"),
    [(None, None, None), (MONDAY, None, MONDAY), (None, MONDAY, MONDAY), (MONDAY, date(2027, 1, 1), date(2027, 1, 1))],
)
def test_the_release_may_be_later_than_approved(approved: date | None, wished: date | None, day: date | None) -> None:
    assert rules.released_day(approved, wished) == day


def test_the_release_may_not_be_earlier_than_approved() -> None:
    with pytest.raises(rules.TooEarly, match="approved again"):
        rules.released_day(MONDAY, MONDAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("change_class", "reason", "answers", "field"),
    [
        (ChangeClass.MATERIAL, "", {}, None),
        (ChangeClass.ORDINARY, "It frees.", ALL_NO, None),
        (ChangeClass.ORDINARY, "", ALL_NO, "class_reason"),
        (ChangeClass.ORDINARY, "It frees.", {}, "purposes"),
        (ChangeClass.ORDINARY, "It frees.", ALL_NO | {"recipients": True}, "recipients"),
        (ChangeClass.MINOR, "A typo.", ALL_NO, None),
        (ChangeClass.MINOR, " ", ALL_NO, "class_reason"),
        (ChangeClass.MINOR, "A typo.", {}, "purposes"),
        (ChangeClass.MINOR, "A typo.", {k: v for k, v in ALL_NO.items() if k != "duties"}, "duties"),
        (ChangeClass.MINOR, "A typo.", ALL_NO | {"retention": True}, "retention"),
    ],
)
def test_less_than_material_needs_a_reason_and_seven_times_no(
    change_class: ChangeClass, reason: str, answers: dict[str, bool], field: str | None
) -> None:
    if field is None:
        rules.check_class(change_class, reason, answers)
        return
    with pytest.raises(rules.StillMaterial) as raised:
        rules.check_class(change_class, reason, answers)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("change_class", "approvers", "counted", "words"),
    [
        (ChangeClass.MATERIAL, ["anna", "bram"], ["bram"], ""),
        (ChangeClass.MATERIAL, ["bram", "cleo"], ["bram", "cleo"], ""),
        (ChangeClass.MATERIAL, ["anna"], None, "A second person must approve"),
        (ChangeClass.MATERIAL, ["alma"], None, "A second person must approve"),
        (ChangeClass.MATERIAL, [], None, "A second person must approve"),
        (ChangeClass.ORDINARY, ["bram", "cleo"], ["bram", "cleo"], ""),
        (ChangeClass.ORDINARY, ["bram", "bram"], None, "has 1; ask another colleague"),
        (ChangeClass.MINOR, ["cleo", "anna", "bram"], ["cleo", "bram"], ""),
        (ChangeClass.MINOR, ["anna", "bram"], None, "has 1; ask another colleague"),
        (ChangeClass.MINOR, ["anna"], None, "has 0; ask two colleagues"),
    ],
)
def test_approvals_count_from_others_and_once(
    change_class: ChangeClass, approvers: list[str], counted: list[str] | None, words: str
) -> None:
    if counted is not None:
        assert rules.check_approvals(change_class, {"anna", "alma"}, approvers) == counted
        return
    with pytest.raises(rules.NeedsSecondPerson, match=words):
        rules.check_approvals(change_class, {"anna", "alma"}, approvers)


def test_any_changed_part_changes_the_fingerprint() -> None:
    parts = ("text", "material", date(2027, 1, 1), 1)
    prints = {rules.fingerprint(*parts[:i], "other", *parts[i + 1 :]) for i in range(len(parts))}
    assert len(prints | {rules.fingerprint(*parts)}) == len(parts) + 1


SHELF = [
    Released(1, date(2025, 1, 1)),
    Released(2, date(2026, 6, 1)),
    Released(3, date(2026, 7, 1), withdrawn=True),
    Released(4, date(2026, 8, 1)),
    Released(5, date(2026, 8, 1)),
]


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2024, 12, 31), None),
        (date(2025, 1, 1), 1),
        (date(2026, 6, 1), 2),
        (date(2026, 7, 15), 2),
        (date(2026, 8, 1), 5),
        (date(2030, 1, 1), 5),
    ],
)
def test_in_force_is_the_highest_number_that_took_effect(day: date, number: int | None) -> None:
    current = rules.in_force(SHELF, day)
    assert (current.number if current else None) == number


@pytest.mark.parametrize(
    ("number", "day", "phase"),
    [
        (1, date(2026, 6, 1), Phase.SUPERSEDED),
        (2, date(2026, 6, 1), Phase.EFFECTIVE),
        (2, date(2026, 5, 31), Phase.PENDING),
        (3, date(2026, 5, 31), Phase.WITHDRAWN),
        (4, date(2026, 8, 1), Phase.SUPERSEDED),
        (5, date(2026, 8, 1), Phase.EFFECTIVE),
    ],
)
def test_dates_alone_decide_where_a_version_stands(number: int, day: date, phase: Phase) -> None:
    assert rules.phase(SHELF[number - 1], SHELF, day) is phase


def test_the_next_version_builds_on_the_newest_that_stands() -> None:
    assert rules.latest(SHELF) == SHELF[4]
    assert rules.latest(SHELF[:3]) == SHELF[1]
    assert rules.latest([]) is None


@pytest.mark.parametrize(
    ("number", "day", "words"),
    [
        (5, date(2026, 7, 31), None),
        (4, date(2026, 7, 31), "Version 5 builds on version 4"),
        (5, date(2026, 8, 1), "took effect"),
        (3, date(2026, 5, 1), "withdrawn already"),
    ],
)
def test_only_the_newest_pending_version_can_be_withdrawn(number: int, day: date, words: str | None) -> None:
    if words is None:
        rules.check_withdrawal(SHELF[number - 1], SHELF, day)
        return
    with pytest.raises(rules.NotWithdrawable, match=words):
        rules.check_withdrawal(SHELF[number - 1], SHELF, day)


@pytest.mark.parametrize(
    ("change_class", "version", "day", "shown"),
    [
        (ChangeClass.MATERIAL, SHELF[1], date(2026, 5, 1), True),
        (ChangeClass.ORDINARY, SHELF[1], date(2026, 7, 1), True),
        (ChangeClass.ORDINARY, SHELF[1], date(2026, 7, 2), False),
        (ChangeClass.MINOR, SHELF[1], date(2026, 5, 1), False),
        (ChangeClass.MATERIAL, SHELF[2], date(2026, 5, 1), False),
    ],
)
def test_the_banner_shows_what_changes_and_what_has_just_changed(
    change_class: ChangeClass, version: Released, day: date, shown: bool
) -> None:
    assert rules.is_on_banner(change_class, version, day) is shown


@pytest.mark.parametrize(
    ("received_on", "due_on"),
    [
        (date(2026, 11, 2), date(2026, 11, 16)),
        (date(2026, 11, 6), date(2026, 11, 20)),
        (date(2026, 11, 7), date(2026, 11, 20)),
        (date(2026, 12, 17), date(2027, 1, 4)),  # Christmas, Boxing Day on Saturday, New Year
        (date(2027, 4, 20), date(2027, 5, 5)),  # King's Day; Liberation Day counts as a working day in most years
    ],
)
def test_a_request_about_own_data_is_due_after_ten_working_days(received_on: date, due_on: date) -> None:
    assert rules.rights_due(received_on, NL) == due_on
