"""The change-over is exact to the company's midnight, told once, however late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.ledger.models import Event
from mailer.policies import actions, queries, rules
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from mailer.policies.rules import Phase
from tests import factories
from tests.conftest import Configure

AMSTERDAM = "Europe/Amsterdam"
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
SECOND = timedelta(seconds=1)
# zone, legal day, the instant at which it begins, computed by hand
MIDNIGHTS = [
    pytest.param(AMSTERDAM, date(2027, 1, 8), "2027-01-07T23:00:00Z", id="winter"),
    pytest.param(AMSTERDAM, date(2027, 7, 1), "2027-06-30T22:00:00Z", id="summer"),
    pytest.param(AMSTERDAM, date(2027, 3, 28), "2027-03-27T23:00:00Z", id="the night that loses an hour"),
    pytest.param(AMSTERDAM, date(2027, 3, 29), "2027-03-28T22:00:00Z", id="the night after"),
    pytest.param(AMSTERDAM, date(2027, 10, 31), "2027-10-30T22:00:00Z", id="the night that gains an hour"),
    pytest.param(AMSTERDAM, date(2027, 11, 1), "2027-10-31T23:00:00Z", id="the night after that"),
    pytest.param("Pacific/Kiritimati", date(2027, 1, 8), "2027-01-07T10:00:00Z", id="UTC+14"),
    pytest.param("Etc/GMT+12", date(2027, 1, 8), "2027-01-08T12:00:00Z", id="UTC-12"),
    pytest.param("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00Z", id="a day without its midnight"),
]


def release(session: Session, effective_on: date) -> Version:
    """Version 2 of a policy, material, released by two people sixty days before its day."""
    at = datetime(effective_on.year, effective_on.month, effective_on.day, 12, tzinfo=UTC) - timedelta(days=60)
    author, other = factories.staff(session).id, factories.staff(session).id
    policy = factories.policy(session, at=at - timedelta(days=300))
    words = Wording(NEW_TEXT, effective_on=effective_on, summary="Seven years.")
    draft = actions.draft(session, policy, words.text, author, at, words)
    actions.submit(session, draft, author, at)
    actions.approve(session, draft, other, at)
    return actions.release(session, draft, author, at)


def told(session: Session) -> list[Event]:
    """The events of change-overs, the first version's left out."""
    events = session.scalars(select(Event).where(Event.kind == "policy.effective").order_by(Event.id)).all()
    return [event for event in events if event.data["number"] == 2]


@pytest.mark.parametrize(("zone", "day", "begins"), MIDNIGHTS)
def test_a_version_is_in_force_from_the_first_second_of_its_day(
    session: Session, configure: Configure, zone: str, day: date, begins: str
) -> None:
    place, midnight = ZoneInfo(zone), datetime.fromisoformat(begins)
    version = release(session, day)
    shelf = queries.shelf(session, version.policy)
    before, after = (clock.local_day(instant, place) for instant in (midnight - SECOND, midnight))
    assert (shelf.phase(version, before), shelf.phase(version, after)) == (Phase.PENDING, Phase.EFFECTIVE)
    assert shelf.in_force(before) is shelf.get(1)
    assert shelf.in_force(after) is version


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("zone", "day", "begins"), MIDNIGHTS[:8])
def test_the_change_over_is_told_with_the_instant_of_its_midnight(
    session: Session, configure: Configure, zone: str, day: date, begins: str
) -> None:
    configure(time_zone=zone)
    version = release(session, day)
    midnight = datetime.fromisoformat(begins)
    for at in (midnight - SECOND, midnight, midnight + timedelta(minutes=1)):
        actions.take_effect(session, at, clock.local_day(at, ZoneInfo(zone)))
    [event] = told(session)
    assert event.at == midnight
    assert event.data["effective_on"] == day.isoformat()
    assert datetime.fromisoformat(event.data["effective_at"]) == midnight
    assert event.data["version"] == version.id


def test_a_scheduler_that_was_down_tells_late_and_once(session: Session) -> None:
    version = release(session, date(2027, 1, 8))
    late = datetime(2027, 1, 11, 8, 30, tzinfo=UTC)
    assert version in actions.take_effect(session, late, date(2027, 1, 11))
    assert actions.take_effect(session, late + timedelta(days=1), date(2027, 1, 12)) == []
    [event] = told(session)
    assert event.data["effective_at"] == "2027-01-07T23:00:00+00:00"
    assert event.data["told_at"] == late.isoformat()


def test_what_applies_at_once_takes_effect_with_its_release(session: Session) -> None:
    at = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    version = release(session, date(2027, 1, 8))
    people = [factories.staff(session).id for _ in range(3)]
    answers = dict.fromkeys(rules.QUESTIONS, False)
    words = replace(
        Wording(NEW_TEXT + "\nMore.\n", class_reason="A typo.", answers=answers),
        change_class=rules.ChangeClass.MINOR,
    )
    later = datetime(2027, 2, 1, 14, 0, tzinfo=UTC)
    draft = actions.draft(session, version.policy, words.text, people[0], at, words)
    actions.submit(session, draft, people[0], at)
    for who in people[1:]:
        actions.approve(session, draft, who, at)
    third = actions.release(session, draft, people[0], later)
    assert third.effective_on == date(2027, 2, 1)
    actions.take_effect(session, later + timedelta(minutes=1), third.effective_on)
    [event] = [e for e in session.scalars(select(Event)).all() if e.data.get("number") == 3 and "told_at" in e.data]
    assert event.data["effective_at"] == later.isoformat(), "never before it was released"


@pytest.mark.parametrize("since", [date(2026, 3, 1), date(2026, 11, 24)], ids=["long ago", "today"])
def test_what_was_in_force_before_it_came_here_is_so_since_its_midnight(session: Session, since: date) -> None:
    at = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    version = actions.import_first(session, slug="old", title="Old", text=NEW_TEXT, effective_on=since, at=at)
    assert actions.take_effect(session, at, date(2026, 11, 24)) == [version]
    [event] = session.scalars(select(Event).where(Event.kind == "policy.effective")).all()
    begins = clock.midnight(since, ZoneInfo(AMSTERDAM))
    assert datetime.fromisoformat(event.data["effective_at"]) == begins


def test_two_schedulers_at_once_tell_once(session: Session) -> None:
    release(session, date(2027, 1, 8))
    session.commit()
    late, together = datetime(2027, 1, 9, tzinfo=UTC), Barrier(2)

    def tell() -> int:
        together.wait()
        with db.transaction() as own:
            return len(actions.take_effect(own, late, date(2027, 1, 9)))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(done.result() for done in [pool.submit(tell), pool.submit(tell)]) == [0, 2]
    assert len(told(session)) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_withdrawal_that_is_committed_first_wins(session: Session) -> None:
    version = release(session, date(2027, 1, 8))
    session.commit()
    late = datetime(2027, 1, 9, tzinfo=UTC)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as own:
            staff = factories.staff(own).id
            held = queries.get_version(own, version.id)
            actions.withdraw(own, held, staff, "A mistake.", datetime(2027, 1, 7, tzinfo=UTC))
            telling = pool.submit(_take_effect, late)
            with pytest.raises(TimeoutError):
                telling.result(timeout=1)
        assert telling.result() == [1], "the first version alone"
    assert told(session) == []


def _take_effect(at: datetime) -> list[int]:
    with db.transaction() as own:
        return [version.number for version in actions.take_effect(own, at, at.date())]


def test_what_others_were_told_of_is_not_withdrawn(session: Session) -> None:
    version = release(session, date(2027, 1, 8))
    actions.take_effect(session, datetime(2027, 1, 8, tzinfo=UTC), date(2027, 1, 8))
    earlier = datetime(2027, 1, 7, 12, tzinfo=UTC)  # a clock that runs behind
    with pytest.raises(rules.NotWithdrawable, match="were told that version 2 is in effect"):
        actions.withdraw(session, version, factories.staff(session).id, "Late.", earlier)


def test_a_withdrawn_version_never_takes_effect(session: Session) -> None:
    version = release(session, date(2027, 1, 8))
    actions.withdraw(session, version, factories.staff(session).id, "A mistake.", datetime(2027, 1, 7, tzinfo=UTC))
    assert version not in actions.take_effect(session, datetime(2027, 1, 9, tzinfo=UTC), date(2027, 1, 9))
    assert told(session) == []
