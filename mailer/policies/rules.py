"""Classes of change, who may release what, what is in force on a day, and the legal days (DESIGN §5, §6)."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays as holiday_calendars

from mailer.errors import Conflict, Invalid
from mailer.policies.languages import LANGUAGES as LANGUAGES
from mailer.policies.languages import check_translation as check_translation
from mailer.policies.languages import is_right_to_left as is_right_to_left

NOTICE_DAYS = 30  # statement S2, S4
RIGHTS_WORKING_DAYS = 10  # statement S8
PROPOSED_DAYS = 35  # deliveries are retried for five days (TRAPS 22)
BANNER_DAYS = 30  # how long after its first day an announced change stays on the banner


class ChangeClass(StrEnum):
    """How much a change matters; material unless shown otherwise."""

    MATERIAL = "material"
    ORDINARY = "ordinary"
    MINOR = "minor"


class Announce(StrEnum):
    """How an ordinary change is told (S3)."""

    ANNOUNCEMENT = "announcement"
    EMAIL = "email"


class DraftState(StrEnum):
    """The way of a draft."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RELEASED = "released"
    DISCARDED = "discarded"


OPEN = frozenset({DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.APPROVED})


class Phase(StrEnum):
    """Where a released version stands on a given day."""

    PENDING = "pending"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


QUESTIONS: Mapping[str, str] = {
    "purposes": "Does it change what personal data are used for?",
    "controller": "Does it change who is responsible for the data?",
    "exercise": "Does it change how people use their rights?",
    "recipients": "Does it change who receives the data?",
    "transfers": "Does it change whether data leave the European Economic Area?",
    "retention": "Does it change how long data are kept?",
    "duties": "Does it change what users must do?",
}


class NoticeTooShort(Invalid):
    """The effective date leaves somebody less than the promised notice."""

    field = "effective_on"


class StillMaterial(Invalid):
    """A change was called less than material without what that needs."""

    field = "change_class"


class NeedsSecondPerson(Conflict):
    """Fewer people approved a text than its class needs; nobody releases alone."""


class NothingChanged(Conflict):
    """A draft whose text is the text in force."""


class TooEarly(Invalid):
    """A version would take effect before its base does, or before the day that was approved."""

    field = "effective_on"


class NotWithdrawable(Conflict):
    """A version that is in effect, or on which another stands, cannot be withdrawn."""


@dataclass(frozen=True)
class Released:
    """What the law of a version needs to know of it."""

    number: int
    effective_on: date
    withdrawn: bool = False


@lru_cache(maxsize=8)
def holidays_of(country: str) -> Container[date]:
    """The public holidays of a country (`NL`), any year."""
    return holiday_calendars.country_holidays(country)


def is_day_off(day: date, holidays: Container[date]) -> bool:
    return day.weekday() >= 5 or day in holidays


def next_working_day(day: date, holidays: Container[date]) -> date:
    """`day` itself if it is a working day, else the next one (Regulation 1182/71 art. 3(4))."""
    while is_day_off(day, holidays):
        day += timedelta(days=1)
    return day


def rights_due(received_on: date, holidays: Container[date]) -> date:
    """The last day to answer a request about one's own data: 10 working days, the day of receipt not counted (S8)."""
    day = received_on
    for _ in range(RIGHTS_WORKING_DAYS):
        day = next_working_day(day + timedelta(days=1), holidays)
    return day


def respond_by(notified_on: date, holidays: Container[date]) -> date:
    """The last day on which a termination counts: 30 days after the notice, never ending on a day off (S4)."""
    return next_working_day(notified_on + timedelta(days=NOTICE_DAYS), holidays)


def binding_from(effective_on: date, respond_by_on: date) -> date:
    """The day from which a version binds a person who was told: never before that person's window is over."""
    return max(effective_on, respond_by_on + timedelta(days=1))


def earliest_effective(last_notice_on: date, holidays: Container[date]) -> date:
    """The earliest lawful effective date of a material change whose last planned notice goes out on this day."""
    return respond_by(last_notice_on, holidays) + timedelta(days=1)


def proposed_effective(today: date, holidays: Container[date]) -> date:
    """What the form proposes: 35 days ahead, for deliveries are retried for five, and never less than lawful."""
    return max(today + timedelta(days=PROPOSED_DAYS), earliest_effective(today, holidays))


def effective_day(
    change_class: ChangeClass, wished: date | None, today: date, base: Released | None, holidays: Container[date]
) -> date:
    """The day a version takes effect if it is released today, checked; NoticeTooShort or TooEarly if it may not.

    Without a wish a change takes effect at once, or rides along with the pending version that it builds on: its text
    holds that version's text, so it can never be in force before it. A material change needs a date of its own.
    """
    if wished is None:
        if change_class is ChangeClass.MATERIAL:
            earliest = earliest_release(change_class, today, base, holidays)
            raise NoticeTooShort(
                f"effective_on: a material change needs the date from which it applies. "
                f"The earliest lawful date is {say(earliest)}: {explain_window(today, holidays)}"
            )
        return earliest_release(change_class, today, base, holidays)
    if base is not None and today <= wished < base.effective_on:
        earliest = earliest_release(change_class, today, base, holidays)
        raise TooEarly(
            f"effective_on: {say(wished)} is before {say(base.effective_on)}, when version {base.number} takes effect. "
            f"This text builds on it; the earliest lawful date is {say(earliest)}."
        )
    check_effective(change_class, wished, today, holidays)
    return wished


def released_day(approved: date | None, wished: date | None) -> date | None:
    """The day asked for at the release: the approved one or a later, which only gives people more time."""
    if approved is not None and wished is not None and wished < approved:
        raise TooEarly(
            f"effective_on: {say(wished)} is earlier than the approved {say(approved)}. A later day needs no new "
            f"approval; for an earlier one edit the draft and have it approved again."
        )
    return wished or approved


def earliest_release(change_class: ChangeClass, today: date, base: Released | None, holidays: Container[date]) -> date:
    """The earliest lawful effective date of a change released today."""
    own = earliest_effective(today, holidays) if change_class is ChangeClass.MATERIAL else today
    return own if base is None else max(own, base.effective_on)


def check_effective(change_class: ChangeClass, effective_on: date, today: date, holidays: Container[date]) -> None:
    """NoticeTooShort if a version of this class may not take effect on that day."""
    if effective_on < today:
        raise NoticeTooShort(f"effective_on: {say(effective_on)} is past; the earliest day is today, {say(today)}.")
    earliest = earliest_effective(today, holidays)
    if change_class is ChangeClass.MATERIAL and effective_on < earliest:
        raise NoticeTooShort(
            f"effective_on: {say(effective_on)} is too early for a material change. "
            f"The earliest lawful date is {say(earliest)}: {explain_window(today, holidays)}"
        )


def explain_window(notified_on: date, holidays: Container[date]) -> str:
    """The computation of a person's window, in words."""
    plain = notified_on + timedelta(days=NOTICE_DAYS)
    last = respond_by(notified_on, holidays)
    first = last + timedelta(days=1)
    moved = f" That is a day off, so it moves to {say(last)}." if last != plain else ""
    return (
        f"Notified on {say(notified_on)}. The day itself does not count. "
        f"{NOTICE_DAYS} days end on {say(plain)}.{moved} "
        f"Respond by {say(last)}, 24:00. Binding from {say(first)} at the earliest."
    )


def check_class(change_class: ChangeClass, class_reason: str, answers: Mapping[str, bool]) -> None:
    """StillMaterial unless a lesser class has a reason and a “no” to each of the seven questions (DESIGN §6)."""
    if change_class is ChangeClass.MATERIAL:
        return
    if not class_reason.strip():
        raise StillMaterial(
            f"class_reason: say in a sentence why this change is only {change_class.value}.", field="class_reason"
        )
    unanswered = [key for key in QUESTIONS if key not in answers]
    if unanswered:
        raise StillMaterial(f"answers: question “{QUESTIONS[unanswered[0]]}” has no answer yet.", field=unanswered[0])
    touched = [key for key in QUESTIONS if answers[key]]
    if touched:
        raise StillMaterial(
            f"answers: “{QUESTIONS[touched[0]]}” was answered yes, so this change is material.", field=touched[0]
        )


def approvals_needed(change_class: ChangeClass) -> int:
    """How many people other than its author must approve a change: one, and a second where people get no notice."""
    return 1 if change_class is ChangeClass.MATERIAL else 2


def approvals_counted(writers: Container[str], approvers: Iterable[str]) -> list[str]:
    """Whose approvals count, in their order: each person once, and nobody who wrote any of it."""
    return [who for who in dict.fromkeys(approvers) if who not in writers]


def check_approvals(change_class: ChangeClass, writers: Container[str], approvers: Iterable[str]) -> list[str]:
    """Whose approvals count; NeedsSecondPerson if they are fewer than the class needs."""
    counted, needed = approvals_counted(writers, approvers), approvals_needed(change_class)
    if len(counted) >= needed:
        return counted
    if needed == 1:
        raise NeedsSecondPerson(
            "A second person must approve this text before it can be released; ask a colleague to read it."
        )
    raise NeedsSecondPerson(
        f"A change below material needs two approvals by others than its author, and has {len(counted)}; "
        f"ask {'another colleague' if counted else 'two colleagues'} to read it."
    )


def fingerprint(*parts: object) -> str:
    """What an approval approves: any change of text, class, date or words ends it."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()


def in_force(versions: Iterable[Released], day: date) -> Released | None:
    """The version in force on a day: the highest number that has taken effect and was not withdrawn."""
    effective = [v for v in versions if not v.withdrawn and v.effective_on <= day]
    return max(effective, key=lambda v: v.number, default=None)


def phase(version: Released, versions: Iterable[Released], day: date) -> Phase:
    """Where a version stands on a day; decided by dates alone, so a stopped scheduler changes nothing."""
    if version.withdrawn:
        return Phase.WITHDRAWN
    current = in_force(versions, day)
    if version.effective_on > day:
        return Phase.PENDING
    return Phase.EFFECTIVE if current is not None and current.number == version.number else Phase.SUPERSEDED


def latest(versions: Iterable[Released]) -> Released | None:
    """The version that the next one builds on: the highest number that was not withdrawn, pending or not."""
    return max((v for v in versions if not v.withdrawn), key=lambda v: v.number, default=None)


def check_withdrawal(version: Released, versions: Iterable[Released], day: date) -> None:
    """NotWithdrawable unless the version is still pending and no other text builds on it (DESIGN §6)."""
    if version.withdrawn:
        raise NotWithdrawable(f"Version {version.number} is withdrawn already.")
    if version.effective_on <= day:
        raise NotWithdrawable(
            f"Version {version.number} took effect on {say(version.effective_on)} and can no longer be withdrawn; "
            f"release a new version instead."
        )
    newest = latest(versions)
    if newest is not None and newest.number > version.number:
        raise NotWithdrawable(
            f"Version {newest.number} builds on version {version.number} and would bring its text "
            f"into force all the same; withdraw version {newest.number} first."
        )


def is_on_banner(change_class: ChangeClass, version: Released, day: date) -> bool:
    """Whether other sites show this change: until `BANNER_DAYS` after its first day; a minor change never (S3, S6)."""
    if version.withdrawn or change_class is ChangeClass.MINOR:
        return False
    return day <= version.effective_on + timedelta(days=BANNER_DAYS)


def say(day: date) -> str:
    """A day in words, as errors and explanations use it."""
    return f"{day:%A} {day.day} {day:%B %Y}"
