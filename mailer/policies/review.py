"""What a reviewer must see before saying yes: the change, the law's dates, the people, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from mailer import settings
from mailer.consent.rules import Withheld
from mailer.errors import MailerError
from mailer.outbox import audience
from mailer.outbox import queries as outbox
from mailer.outbox.queries import AudienceCount
from mailer.outbox.rules import MailKind
from mailer.policies import actions, queries, review_links, rules, wording
from mailer.policies.advice import ADVICE_WORDS, Advice, advise
from mailer.policies.calendar import Day, Plan, calendar_of
from mailer.policies.diff import Diff
from mailer.policies.languages import LANGUAGES
from mailer.policies.models import Approval, Draft, DraftTranslation, Version
from mailer.policies.public.comparison import compare
from mailer.policies.queries import Shelf
from mailer.policies.review_links import DeadEnd, LinkChange, Side
from mailer.policies.rules import Announce, ChangeClass, DraftState
from mailer.staff import queries as staff

UNREACHABLE = (Withheld.DEAD_ADDRESS, Withheld.NO_ADDRESS)


@dataclass(frozen=True)
class Check:
    """One thing that is in order, to be looked at, or in the way: tone good, warn or bad."""

    tone: str
    text: str


@dataclass(frozen=True)
class Return:
    """That a reader gave the draft back, and what they asked for."""

    by: str
    note: str
    at: datetime


@dataclass(frozen=True)
class Review:
    """A draft as it stands today."""

    draft: Draft
    shelf: Shelf
    base: Version | None
    found: Diff
    today: date
    earliest: date
    held_by: int | None
    computation: str
    effective_on: date | None
    date_fault: str
    people: AudienceCount
    author: str
    approvals: Sequence[Approval]
    approved_by: Sequence[str]
    returns: Sequence[Return]
    calendar: Sequence[Day]
    links: Sequence[LinkChange]
    dead_ends: Sequence[DeadEnd]
    checks: Sequence[Check]

    @property
    def number(self) -> int:
        """The number the version will have."""
        return len(self.shelf.versions) + 1

    @property
    def languages(self) -> list[str]:
        """The languages it is written in, its own first."""
        return languages_of(self.draft)

    @property
    def is_mailed(self) -> bool:
        return is_mailed(self.draft.change_class, self.draft.announce)

    @property
    def unreachable(self) -> int:
        """How many are known to have no address that works."""
        return sum(self.people.left_out.get(why, 0) for why in UNREACHABLE)

    @property
    def approvals_needed(self) -> int:
        return rules.approvals_needed(self.draft.change_class)

    @property
    def is_approved(self) -> bool:
        """Whether enough others than its author said yes to this very text."""
        return len(self.approved_by) >= self.approvals_needed


def languages_of(draft: Draft) -> list[str]:
    """The languages a draft is written in, its policy's own first."""
    return [draft.policy.language, *(row.language for row in draft.translations)]


def told_in(draft: Draft, language: str) -> Draft | DraftTranslation:
    """What people who read this language are told of the change."""
    return next((row for row in draft.translations if row.language == language), draft)


def is_mailed(change_class: ChangeClass, announce: Announce) -> bool:
    """Whether a release sends mail (S2, S3, S6)."""
    return change_class is ChangeClass.MATERIAL or (change_class is ChangeClass.ORDINARY and announce is Announce.EMAIL)


def review(session: Session, draft: Draft, today: date) -> Review:
    """Everything about a draft that its release depends on."""
    shelf = queries.shelf(session, draft.policy)
    base, now = shelf.latest(), settings.current()
    holidays = rules.holidays_of(now.country)
    law = shelf.released[base.number] if base else None
    effective_on, date_fault = None, ""
    try:
        effective_on = rules.effective_day(draft.change_class, draft.effective_on, today, law, holidays)
    except MailerError as fault:
        date_fault = str(fault).removeprefix("effective_on: ")
    names = staff.names(session)
    approvals = _approvals(draft, base)
    approved_by = [names.get(approval.staff_id, approval.staff_id) for approval in approvals]
    earliest = rules.earliest_release(draft.change_class, today, law, holidays)
    mailed = is_mailed(draft.change_class, draft.announce)
    is_held = base is not None and earliest > rules.earliest_release(draft.change_class, today, None, holidays)
    held_by = base.number if base and is_held else None
    plan = Plan(draft.change_class, mailed, today, effective_on or earliest, earliest, now.zone, held_by)
    sides = _sides(draft, base)
    dead_ends = review_links.dead_ends(sides, {*queries.published(session), draft.policy.slug}, now.url)
    return Review(
        draft=draft,
        shelf=shelf,
        base=base,
        found=compare(base.text if base else "", draft.text),
        today=today,
        earliest=earliest,
        held_by=held_by,
        computation=rules.explain_window(today, holidays),
        effective_on=effective_on,
        date_fault=date_fault,
        people=outbox.audience_count(session, MailKind.NOTICE, audience.of_origins(draft.policy.concerns)),
        author=names.get(draft.author_id, draft.author_id),
        approvals=approvals,
        approved_by=approved_by,
        returns=[Return(names.get(row.staff_id, row.staff_id), row.note, row.at) for row in draft.returns],
        calendar=calendar_of(plan, holidays),
        links=review_links.link_changes(sides),
        dead_ends=dead_ends,
        checks=[
            *_words_check(draft, base),
            *_date_check(effective_on, date_fault),
            *_language_checks(draft, base),
            *_weight_checks(draft, sides[1:], base),
            *_link_checks(dead_ends),
            _approval_check(draft, approved_by),
        ],
    )


def _sides(draft: Draft, base: Version | None) -> list[Side]:
    """Its text in each language beside that of its base, its own first."""
    written = [(draft.policy.language, draft.text), *((row.language, row.text) for row in draft.translations)]
    return [Side(language, text, base.in_language(language) if base else None) for language, text in written]


def _approvals(draft: Draft, base: Version | None) -> list[Approval]:
    """The approvals of the draft as it is now that count, in their order."""
    counted = rules.approvals_counted(draft.written_by, actions.approvers(draft, base))
    present = {approval.staff_id: approval for approval in draft.approvals}  # the last one of each
    return [present[who] for who in counted]


def _words_check(draft: Draft, base: Version | None) -> list[Check]:
    if draft.state is DraftState.RELEASED:
        return []
    try:
        actions.check_words(draft, base)
    except MailerError as fault:
        return [Check("bad", str(fault).partition(": ")[2] or str(fault))]
    return [Check("good", f"The words are complete for a change of class {draft.change_class.value}.")]


def _date_check(effective_on: date | None, date_fault: str) -> list[Check]:
    if date_fault:
        return [Check("bad", date_fault)]
    return [Check("good", f"Released today, it takes effect on {rules.say(effective_on)}.")] if effective_on else []


def _language_checks(draft: Draft, base: Version | None) -> list[Check]:
    """Translations that did not follow the text, or were left out."""
    stale = [LANGUAGES[code] for code in wording.stale_translations(draft, base)]
    spoken = {row.language for row in draft.translations}
    missing = [LANGUAGES[row.language] for row in (base.translations if base else []) if row.language not in spoken]
    found = []
    if stale:
        found.append(Check("warn", f"The text changed, but not in {', '.join(stale)}: is the translation still right?"))
    if missing:
        found.append(Check("warn", f"Version {base.number if base else 0} had {', '.join(missing)}; this one has not."))
    return found


def _weight_checks(draft: Draft, translations: Sequence[Side], base: Version | None) -> list[Check]:
    """Translations that change more than the class says, or of which nobody can tell: seen on their own tabs only."""
    if draft.change_class is ChangeClass.MATERIAL or base is None:
        return []
    return [Check("warn", words) for side in translations if (words := _weight_in_words(side, draft.change_class))]


def _weight_in_words(side: Side, change_class: ChangeClass) -> str:
    name = LANGUAGES[side.language]
    if side.before is None:
        return f"{name} is new: there is no earlier text to compare it with. Read it whole before you approve."
    advice = advise(compare(side.before.text, side.text)).advice
    if advice is Advice.MINOR:
        return ""
    looks = f"In {name} the change looks {ADVICE_WORDS[advice]}, and its class is {change_class.value}."
    return f"{looks} Read its changes under “{name}” before you approve."


def _link_checks(dead_ends: Sequence[DeadEnd]) -> list[Check]:
    if not dead_ends:
        return []
    targets = ", ".join(f"{end.target} ({LANGUAGES[end.language]})" for end in dead_ends)
    return [Check("warn", f"Links that lead nowhere: {targets}.")]


def _approval_check(draft: Draft, approved_by: Sequence[str]) -> Check:
    needed = rules.approvals_needed(draft.change_class)
    if len(approved_by) >= needed:
        return Check("good", f"Approved by {' and '.join(approved_by)}, who did not write it.")
    if approved_by:
        return Check("warn", f"{len(approved_by)} of {needed} approvals: {' and '.join(approved_by)}.")
    if needed > 1:
        return Check(
            "warn", f"A change below material needs {needed} approvals by others than its author; it has none."
        )
    return Check("warn", "Nobody but its author has approved this text yet.")
