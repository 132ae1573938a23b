"""What a reviewer must see before saying yes: the change, the law's dates, the people, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from mailer import settings
from mailer.consent.rules import Withheld
from mailer.errors import MailerError
from mailer.outbox import audience
from mailer.outbox import queries as outbox
from mailer.outbox.queries import AudienceCount
from mailer.outbox.rules import MailKind
from mailer.policies import actions, queries, rules
from mailer.policies.diff import Diff, diff
from mailer.policies.models import Draft, Version
from mailer.policies.queries import Shelf
from mailer.policies.rules import Announce, ChangeClass
from mailer.staff import queries as staff

UNREACHABLE = (Withheld.DEAD_ADDRESS, Withheld.NO_ADDRESS)


@dataclass(frozen=True)
class Check:
    """One thing that is in order, to be looked at, or in the way: tone good, warn or bad."""

    tone: str
    text: str


@dataclass(frozen=True)
class Review:
    """A draft as it stands today."""

    draft: Draft
    shelf: Shelf
    base: Version | None
    found: Diff
    today: date
    earliest: date
    computation: str
    effective_on: date | None
    date_fault: str
    people: AudienceCount
    author: str
    approved_by: Sequence[str]
    checks: Sequence[Check]

    @property
    def number(self) -> int:
        """The number the version will have."""
        return len(self.shelf.versions) + 1

    @property
    def is_mailed(self) -> bool:
        return is_mailed(self.draft.change_class, self.draft.announce)

    @property
    def unreachable(self) -> int:
        """How many are known to have no address that works."""
        return sum(self.people.left_out.get(why, 0) for why in UNREACHABLE)

    @property
    def may_release(self) -> bool:
        return bool(self.approved_by) and not any(check.tone == "bad" for check in self.checks)


def is_mailed(change_class: ChangeClass, announce: Announce) -> bool:
    """Whether a release sends mail (S2, S3, S6)."""
    return change_class is ChangeClass.MATERIAL or (change_class is ChangeClass.ORDINARY and announce is Announce.EMAIL)


def review(session: Session, draft: Draft, today: date) -> Review:
    """Everything about a draft that its release depends on."""
    shelf = queries.shelf(session, draft.policy)
    base = shelf.latest()
    holidays = rules.holidays_of(settings.current().country)
    law = shelf.released[base.number] if base else None
    effective_on, date_fault = None, ""
    try:
        effective_on = rules.effective_day(draft.change_class, draft.effective_on, today, law, holidays)
    except MailerError as fault:
        date_fault = str(fault).removeprefix("effective_on: ")
    names = staff.names(session)
    approved_by = [names.get(who, who) for who in actions.approvers(draft, base) if who != draft.author_id]
    people = outbox.audience_count(session, MailKind.NOTICE, audience.of_origins(draft.policy.concerns))
    return Review(
        draft=draft,
        shelf=shelf,
        base=base,
        found=diff(base.text if base else "", draft.text),
        today=today,
        earliest=rules.earliest_release(draft.change_class, today, law, holidays),
        computation=rules.explain_window(today, holidays),
        effective_on=effective_on,
        date_fault=date_fault,
        people=people,
        author=names.get(draft.author_id, draft.author_id),
        approved_by=approved_by,
        checks=_checks(draft, base, effective_on, date_fault, approved_by),
    )


def _checks(
    draft: Draft, base: Version | None, effective_on: date | None, date_fault: str, approved_by: Sequence[str]
) -> list[Check]:
    found = []
    try:
        actions.check_words(draft, base)
        found.append(Check("good", f"The words are complete for a change of class {draft.change_class.value}."))
    except MailerError as fault:
        found.append(Check("bad", str(fault).partition(": ")[2] or str(fault)))
    if date_fault:
        found.append(Check("bad", date_fault))
    elif effective_on is not None:
        found.append(Check("good", f"Released today, it takes effect on {rules.say(effective_on)}."))
    if approved_by:
        found.append(Check("good", f"Approved by {', '.join(approved_by)}, who did not write it."))
    else:
        found.append(Check("warn", "Nobody but its author has approved this text yet."))
    return found
