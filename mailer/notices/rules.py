"""Who was told, whose window is over, who is deemed to agree (S4, S5; invariant 7)."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from mailer.outbox import rules as outbox
from mailer.outbox.rules import MailKind
from mailer.policies import rules as policies

WHY_LIMIT = 300
TELLING = frozenset({MailKind.NOTICE, MailKind.ANNOUNCEMENT})
"""Mails that may tell of a version, and are taken back if it is withdrawn."""


def key_of(version_id: str, address_id: str = "") -> str:
    """The key of a notice to an address that is somebody's primary one only now; without one, how all of them begin."""
    return f"notice/{version_id}/{address_id}"


def reminder_key(version_id: str, respond_by_on: date | None = None) -> str:
    """How the keys of reminders of a version and a last day begin, the contact's id follows; without a day, of all."""
    return f"reminder/{version_id}/" + (f"{respond_by_on}/" if respond_by_on is not None else "")


class NoticeState(StrEnum):
    """Where one person's notice of one version stands."""

    PLANNED = "planned"
    ACCEPTED = "accepted"
    UNREACHED = "unreached"
    ENDED = "ended"


class NoticeKind(StrEnum):
    """What a notice is about: a change that affects rights, or that the company has a new owner (S2, S7)."""

    MATERIAL = "material"
    OWNERSHIP = "ownership"


class Via(StrEnum):
    """By what a person was reached: our mail, an announcement that a service showed, or a letter."""

    MAIL = "mail"
    ANNOUNCEMENT = "announcement"
    LETTER = "letter"


class FactKind(StrEnum):
    """What may happen to one person and one version."""

    PLANNED = "planned"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHHELD = "withheld"
    BOUNCED = "bounced"
    PLANNED_AGAIN = "planned_again"
    ANNOUNCED = "announced"
    LETTER = "letter"
    REMINDED = "reminded"
    ENDED = "ended"
    AGREED = "agreed"
    DEEMED = "deemed"


STANDING = frozenset({NoticeState.PLANNED, NoticeState.ACCEPTED})


@dataclass(frozen=True)
class Clock:
    """One person's dates: told, last day to answer, first day bound; and the day on which the plain 30 days end."""

    notified_on: date
    plain_end_on: date
    respond_by_on: date
    binding_on: date
    effective_on: date

    @property
    def days(self) -> Days:
        return Days(self.notified_on, self.respond_by_on, self.binding_on)


def clock_of(notified_on: date, effective_on: date, holidays: Container[date]) -> Clock:
    """The dates of somebody whose mail the next server accepted on a local day (DESIGN §5)."""
    respond_by_on = policies.respond_by(notified_on, holidays)
    return Clock(
        notified_on=notified_on,
        plain_end_on=notified_on + timedelta(days=policies.NOTICE_DAYS),
        respond_by_on=respond_by_on,
        binding_on=policies.binding_from(effective_on, respond_by_on),
        effective_on=effective_on,
    )


def last_day_to_tell(effective_on: date, holidays: Container[date]) -> date:
    """The last day on which a server's yes still lets a version bind its reader on the promised day (S2)."""
    day = effective_on - timedelta(days=policies.NOTICE_DAYS + 1)
    while policies.earliest_effective(day, holidays) > effective_on:
        day -= timedelta(days=1)
    return day


@dataclass(frozen=True)
class Fact:
    """One thing that happened to one person and one version; `days` are those its clock would have."""

    kind: FactKind
    at: datetime
    message_row: int | None = None
    days: Days | None = None
    why: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Days:
    """The three days of a person's clock."""

    notified_on: date
    respond_by_on: date
    binding_on: date

    @property
    def spelled(self) -> dict[str, str]:
        """The three in ISO 8601, for records and for programs."""
        return {name: day.isoformat() for name, day in asdict(self).items()}


@dataclass(frozen=True)
class Reached:
    """By what else than the mail a person was reached, and the clock that started."""

    via: Via
    days: Days
    evidence: str


@dataclass(frozen=True)
class NoticeStanding:
    """Where one person stands with one version, as it follows from the facts."""

    state: NoticeState = NoticeState.PLANNED
    via: Via = Via.MAIL
    message_row: int | None = None
    days: Days | None = None
    why: str = ""
    evidence: str = ""
    reminded_at: datetime | None = None
    otherwise: Reached | None = None  # what counts if the mail fails


_BESIDE = {FactKind.ANNOUNCED: Via.ANNOUNCEMENT, FactKind.LETTER: Via.LETTER}


def replay(facts: Iterable[Fact]) -> NoticeStanding:
    """Where the facts about one person and one version lead, in the order in which they were written down."""
    standing = NoticeStanding()
    for fact in facts:
        standing = after(standing, fact)
    return standing


def after(standing: NoticeStanding, fact: Fact) -> NoticeStanding:
    """Where a person stands once this happened too; what does not concern the mail in hand changes nothing.

    A mail that a server took starts the clock. If it fails, a clock that an announcement or a letter has started counts
    from then on, else the person is unreached. What has ended stays so.
    """
    if standing.state is NoticeState.ENDED:
        return standing
    is_ours = fact.message_row == standing.message_row
    match fact.kind:
        case FactKind.PLANNED | FactKind.PLANNED_AGAIN:
            return NoticeStanding(message_row=fact.message_row)
        case FactKind.ACCEPTED if is_ours and standing.state is NoticeState.PLANNED:
            return replace(standing, state=NoticeState.ACCEPTED, days=fact.days)
        case FactKind.REFUSED | FactKind.WITHHELD | FactKind.BOUNCED if is_ours and standing.via is Via.MAIL:
            return _failed(standing, fact.why)
        case FactKind.ANNOUNCED | FactKind.LETTER:
            return _reached_beside(standing, fact)
        case FactKind.REMINDED:
            return replace(standing, reminded_at=fact.at)
        case FactKind.ENDED:
            return replace(standing, state=NoticeState.ENDED, why=fact.why)
    return standing


def leaf(version_id: str, contact_id: str, message_id: str, days: Days) -> str:
    """What a batch proves of one person, spelled so that it hashes the same always: ids and days, nothing personal."""
    said = {"contact": contact_id, "message": message_id, "version": version_id} | days.spelled
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def deemed_leaf(contact_id: str, notified_on: date, binding_on: date, used_on: date) -> str:
    """What a batch of deemed agreements proves of one person, and from which days it was derived."""
    return f"{contact_id} {notified_on} {binding_on} {used_on}"


def _failed(standing: NoticeStanding, why: str) -> NoticeStanding:
    if standing.otherwise is not None:
        return _reached(standing, standing.otherwise)
    return replace(standing, state=NoticeState.UNREACHED, days=None, why=why, reminded_at=None)


def _reached_beside(standing: NoticeStanding, fact: Fact) -> NoticeStanding:
    """An announcement or a letter: it starts the clock of whom no mail reached, and waits where one may."""
    if fact.days is None or standing.otherwise is not None:
        return standing
    beside = Reached(_BESIDE[fact.kind], fact.days, fact.evidence)
    if standing.state is NoticeState.UNREACHED:
        return _reached(standing, beside)
    return replace(standing, otherwise=beside)


def _reached(standing: NoticeStanding, beside: Reached) -> NoticeStanding:
    return replace(
        standing,
        state=NoticeState.ACCEPTED,
        via=beside.via,
        days=beside.days,
        why="",
        evidence=beside.evidence,
        otherwise=beside,
        reminded_at=None,
    )


class NotAgreed(StrEnum):
    """Why a person is not deemed to agree (yet)."""

    NOT_REACHED = "not_reached"
    WINDOW_OPEN = "window_open"
    TERMINATED = "terminated"
    UNDECIDED = "undecided"
    NOT_USED = "not_used"
    WITHDRAWN = "version_withdrawn"
    CONSUMER = "consumer"
    SAID_SO = "agreed_expressly"


@dataclass(frozen=True)
class NoticeFacts:
    """What is known of one person and one version on a day."""

    state: NoticeState
    respond_by_on: date | None
    binding_on: date | None
    terminated: bool = False
    undecided: bool = False
    used_on: date | None = None
    version_withdrawn: bool = False
    is_consumer: bool = False
    agreed_expressly: bool = False


def without_addresses(text: str, to_address: str = "") -> str:
    """A server's words without the mail addresses in them, for rows that outlive a person's erasure."""
    return outbox.without_addresses(text, to_address)[:WHY_LIMIT]


def why_not_agreed(facts: NoticeFacts, today: date) -> NotAgreed | None:
    """Why this person is not deemed to agree on `today`; None if they are (S5).

    Deemed agreement is derived: told, window past, nothing that may be a termination, used the service since it binds.
    A consumer only ever agrees by saying so, and who said so needs nothing derived. No path leads here from a person
    who was not reached (invariant 7).
    """
    if facts.version_withdrawn:
        return NotAgreed.WITHDRAWN
    if facts.agreed_expressly:
        return NotAgreed.SAID_SO
    if facts.is_consumer:
        return NotAgreed.CONSUMER
    if facts.state is not NoticeState.ACCEPTED or facts.respond_by_on is None or facts.binding_on is None:
        return NotAgreed.NOT_REACHED
    if facts.terminated:
        return NotAgreed.TERMINATED
    if facts.undecided:
        return NotAgreed.UNDECIDED
    if today <= facts.respond_by_on or today < facts.binding_on:
        return NotAgreed.WINDOW_OPEN
    if facts.used_on is None or facts.used_on < facts.binding_on:
        return NotAgreed.NOT_USED
    return None
