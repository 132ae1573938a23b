"""What will happen when, if a draft is released today: plain dates in, rows for the review page out (DESIGN §5, §6)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailer.consent.rules import Channel
from mailer.outbox.rules import GIVE_UP_AFTER
from mailer.policies import rules
from mailer.policies.rules import ChangeClass, say

RETRY_DAYS = GIVE_UP_AFTER[Channel.ESSENTIAL].days


@dataclass(frozen=True)
class Day:
    """One row of the calendar."""

    day: date
    what: str
    why: str


@dataclass(frozen=True)
class Plan:
    """A release as the calendar needs to know it: what kind of change, told how, on which days, where.

    `earliest` is the earliest lawful day; `held_by` the version that holds it back beyond the law's own, if one does.
    """

    change_class: ChangeClass
    is_mailed: bool
    released_on: date
    effective_on: date
    earliest: date
    zone: ZoneInfo
    held_by: int | None = None


def calendar_of(plan: Plan, holidays: Container[date]) -> list[Day]:
    """What happens on which day, in order of days, each with its reason."""
    rows = [*_told(plan)]
    if plan.change_class is ChangeClass.MATERIAL:
        rows += _windows(plan, holidays)
    rows += _in_force(plan)
    return sorted(rows, key=lambda row: row.day)


def midnight_in_words(day: date, zone: ZoneInfo) -> str:
    """The instant at which a day begins in a zone, there and in UTC: “00:00 in Amsterdam is 23:00 UTC on …”."""
    begins = datetime.combine(day, time(), zone)
    utc = begins.astimezone(UTC)
    place = zone.key.rpartition("/")[2].replace("_", " ")
    return f"00:00 in {place} is {utc:%H:%M} UTC on {say(utc.date())}"


def _told(plan: Plan) -> Iterator[Day]:
    today = plan.released_on
    if plan.change_class is ChangeClass.MINOR:
        yield Day(today, "Released", "The page, the changes and the feed show it at once. Nobody is mailed.")
        return
    yield Day(today, "Released", "The page, the changes, the feed and the banner show it at once.")
    if plan.is_mailed:
        last = today + timedelta(days=RETRY_DAYS)
        yield Day(today, "Mail goes out", "To everyone concerned, at their primary address.")
        yield Day(last, "Last try", f"A mail that no server takes is tried again for {RETRY_DAYS} days, then given up.")


def _windows(plan: Plan, holidays: Container[date]) -> Iterator[Day]:
    today, last = plan.released_on, plan.released_on + timedelta(days=RETRY_DAYS)
    for told, who in ((today, "those told today"), (last, "those told at the last try")):
        end = rules.respond_by(told, holidays)
        yield Day(end, f"Last day to terminate for {who}", rules.explain_window(told, holidays))
    yield Day(plan.earliest, "Earliest lawful date", _why_not_earlier(plan))
    binding = rules.binding_from(plan.effective_on, rules.respond_by(today, holidays))
    yield Day(
        binding,
        "Deemed agreement can begin",
        "Whoever was told today, did not terminate and uses the service on or after this day is deemed to agree.",
    )
    latest = rules.binding_from(plan.effective_on, rules.respond_by(last, holidays))
    if latest > plan.effective_on:
        yield Day(latest, "Binds those told at the last try", "It binds nobody before their own last day is over.")


def _why_not_earlier(plan: Plan) -> str:
    if plan.held_by is not None:
        return f"Not before version {plan.held_by}, whose text it holds."
    return f"The day after the last day of those told today, {say(plan.released_on)}."


def _in_force(plan: Plan) -> Iterator[Day]:
    at_once = plan.effective_on <= plan.released_on
    began = "With the release." if at_once else f"{midnight_in_words(plan.effective_on, plan.zone)}."
    yield Day(plan.effective_on, "Takes effect", f"{began} Until then it can be withdrawn." if not at_once else began)
    if plan.change_class is not ChangeClass.MINOR:
        until = plan.effective_on + timedelta(days=rules.BANNER_DAYS)
        yield Day(until, "Last day on the banner", f"It stays there for {rules.BANNER_DAYS} days after its first day.")
