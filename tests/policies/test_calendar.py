"""What will happen when: the rows of the review page, each day computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from mailer.policies import calendar, rules
from mailer.policies.calendar import Plan
from mailer.policies.rules import ChangeClass

NL = rules.holidays_of("NL")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MATERIAL = Plan(ChangeClass.MATERIAL, True, date(2026, 11, 24), date(2027, 1, 8), date(2026, 12, 25), AMSTERDAM)


def rows(plan: Plan) -> list[tuple[str, str]]:
    return [(row.day.isoformat(), row.what) for row in calendar.calendar_of(plan, NL)]


def test_a_material_change_shows_every_day_until_it_leaves_the_banner() -> None:
    assert rows(MATERIAL) == [
        ("2026-11-24", "Released"),
        ("2026-11-24", "Mail goes out"),
        ("2026-11-29", "Last try"),
        ("2026-12-24", "Last day to terminate for those told today"),
        ("2026-12-25", "Earliest lawful date"),
        ("2026-12-29", "Last day to terminate for those told at the last try"),
        ("2027-01-08", "Deemed agreement can begin"),
        ("2027-01-08", "Takes effect"),
        ("2027-02-07", "Last day on the banner"),
    ]


def test_whoever_is_told_last_may_be_bound_after_the_effective_date() -> None:
    found = rows(replace(MATERIAL, effective_on=date(2026, 12, 25)))
    assert ("2026-12-25", "Deemed agreement can begin") in found
    assert ("2026-12-30", "Binds those told at the last try") in found


def test_a_pending_version_holds_back_the_earliest_day_and_the_calendar_says_so() -> None:
    held = replace(MATERIAL, effective_on=date(2027, 2, 1), earliest=date(2027, 2, 1), held_by=3)
    [row] = [row for row in calendar.calendar_of(held, NL) if row.what == "Earliest lawful date"]
    assert (row.day, row.why) == (date(2027, 2, 1), "Not before version 3, whose text it holds.")
    [row] = [row for row in calendar.calendar_of(MATERIAL, NL) if row.what == "Earliest lawful date"]
    assert row.why == "The day after the last day of those told today, Tuesday 24 November 2026."


@pytest.mark.parametrize(
    ("change_class", "is_mailed", "expected"),
    [
        (ChangeClass.MINOR, False, ["Released", "Takes effect"]),
        (ChangeClass.ORDINARY, False, ["Released", "Takes effect", "Last day on the banner"]),
        (
            ChangeClass.ORDINARY,
            True,
            ["Released", "Mail goes out", "Takes effect", "Last try", "Last day on the banner"],
        ),
    ],
)
def test_a_lesser_change_starts_no_clock(change_class: ChangeClass, is_mailed: bool, expected: list[str]) -> None:
    today = MATERIAL.released_on
    plan = replace(MATERIAL, change_class=change_class, is_mailed=is_mailed, effective_on=today)
    assert [what for _, what in rows(plan)] == expected


def test_every_row_says_why() -> None:
    found = {row.what: row.why for row in calendar.calendar_of(MATERIAL, NL)}
    assert all(found.values())
    assert "30 days end on Thursday 24 December 2026." in found["Last day to terminate for those told today"]
    assert found["Takes effect"] == (
        "00:00 in Amsterdam is 23:00 UTC on Thursday 7 January 2027. Until then it can be withdrawn."
    )
    at_once = calendar.calendar_of(
        replace(MATERIAL, change_class=ChangeClass.MINOR, effective_on=date(2026, 11, 24)), NL
    )
    assert [row.why for row in at_once] == [
        "The page, the changes and the feed show it at once. Nobody is mailed.",
        "With the release.",
    ]


@pytest.mark.parametrize(
    ("zone", "day", "words"),
    [
        ("Europe/Amsterdam", date(2027, 3, 28), "00:00 in Amsterdam is 23:00 UTC on Saturday 27 March 2027"),
        ("Europe/Amsterdam", date(2027, 3, 29), "00:00 in Amsterdam is 22:00 UTC on Sunday 28 March 2027"),
        ("Pacific/Kiritimati", date(2027, 1, 1), "00:00 in Kiritimati is 10:00 UTC on Thursday 31 December 2026"),
        ("Etc/GMT+12", date(2027, 1, 1), "00:00 in GMT+12 is 12:00 UTC on Friday 1 January 2027"),
        ("America/New_York", date(2027, 1, 1), "00:00 in New York is 05:00 UTC on Friday 1 January 2027"),
    ],
)
def test_midnight_is_said_here_and_in_utc(zone: str, day: date, words: str) -> None:
    assert calendar.midnight_in_words(day, ZoneInfo(zone)) == words
