"""Write, approve, release and withdraw policies (DESIGN §6). A release is two people and one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, ids, settings
from mailer.contacts.rules import read_line
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.policies import queries, rules, written
from mailer.policies.models import Approval, Draft, Policy, Version, VersionEffect, VersionWithdrawal
from mailer.policies.rules import Announce, ChangeClass, DraftState
from mailer.policies.text import recognise_headings

FIRST_VERSION = "The first version: nobody lived under an earlier one."


class SlugTaken(Conflict):
    """Another policy has this name in addresses."""

    field = "slug"


class AlreadyReleased(Conflict):
    """The policy has a version already, or the draft became one."""


class DraftClosed(Conflict):
    """A draft that was released or discarded cannot be worked on."""


class NotInReview(Conflict):
    """A text is approved only after its author submitted it."""


class OwnText(rules.NeedsSecondPerson):
    """Its author cannot approve a text."""


@dataclass(frozen=True)
class Wording:
    """All that an approval approves: the text, its class, its day, and what people are told of it."""

    text: str
    change_class: ChangeClass = ChangeClass.MATERIAL
    announce: Announce = Announce.ANNOUNCEMENT
    effective_on: date | None = None
    summary: str = ""
    why: str = ""
    impact: str = ""
    class_reason: str = ""
    answers: Mapping[str, bool] = field(default_factory=dict)


def create(session: Session, *, slug: str, title: str, concerns: Collection[str], at: datetime) -> Policy:
    """A policy without a version yet; SlugTaken if the name is in use."""
    slug = written.read_slug(slug)
    title = read_line(title, "title")
    if not title:
        raise written.BadPolicy("title: say what people call this policy, such as “Privacy statement”.", field="title")
    if queries.find(session, slug) is not None:
        raise SlugTaken(f"slug: a policy “{slug}” exists already; choose another name.")
    policy = Policy(id=ids.new("pol"), slug=slug, title=title, concerns=written.read_concerns(concerns), created_at=at)
    session.add(policy)
    session.flush()
    ledger.record(session, "policy.created", at, policy=policy.id, slug=slug, concerns=policy.concerns)
    return policy


def import_first(
    session: Session,
    *,
    slug: str,
    title: str,
    text: bytes | str,
    effective_on: date | None,
    at: datetime,
    staff_id: str | None = None,
    concerns: Collection[str] = ("account_holder", "subscriber"),
) -> Version:
    """The text people live under already, as version 1: in effect, nothing mailed. AlreadyReleased if there is one."""
    policy = queries.find(session, slug) or create(session, slug=slug, title=title, concerns=concerns, at=at)
    if queries.shelf(session, policy).versions:
        raise AlreadyReleased(f"slug: “{slug}” has a first version already; a new text becomes a draft.", field="slug")
    words = Wording(
        read_document(text), ChangeClass.ORDINARY, effective_on=effective_on or _today(at), class_reason=FIRST_VERSION
    )
    return _add_version(session, policy, words, 1, at, released_by=staff_id)


def read_document(data: bytes | str) -> str:
    """A policy's text from a file or a form, bare heading lines made headings; errors as `written.read_text`."""
    return written.read_text(recognise_headings(written.read_text(data)))


def draft(
    session: Session, policy: Policy, text: bytes | str, author_id: str, at: datetime, wording: Wording | None = None
) -> Draft:
    """A new text to work on; material unless shown otherwise. `wording` gives the rest of it, if known."""
    made = Draft(
        id=ids.new("drf"), policy=policy, policy_id=policy.id, author_id=author_id, created_at=at, approvals=[]
    )
    _write(made, wording or Wording(""), text, at)
    session.add(made)
    session.flush()
    ledger.record(session, "policy.drafted", at, policy=policy.id, draft=made.id, staff=author_id)
    return made


def edit(session: Session, draft: Draft, wording: Wording, staff_id: str, at: datetime) -> None:
    """Change a draft; whoever changes it is its author from then on, and its approvals end."""
    _must_be_open(draft)
    _write(draft, wording, wording.text, at)
    draft.author_id = staff_id
    ledger.record(session, "policy.draft_edited", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def submit(session: Session, draft: Draft, staff_id: str, at: datetime) -> None:
    """Ask colleagues to read it: EmptyText, NothingChanged or NotMinor if there is nothing to approve yet."""
    _must_be_open(draft)
    check_words(draft, queries.shelf(session, draft.policy).latest())
    draft.state, draft.updated_at = DraftState.IN_REVIEW, at
    ledger.record(session, "policy.submitted", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def approve(session: Session, draft: Draft, staff_id: str, at: datetime) -> None:
    """Another person than the author says yes to this very text, class, day and words."""
    _must_be_open(draft)
    if draft.state is DraftState.DRAFT:
        raise NotInReview("This text was changed and review was not asked for since; its author must ask for it first.")
    if staff_id == draft.author_id:
        raise OwnText("You wrote this text; somebody else must read and approve it.")
    print_ = fingerprint(draft, queries.shelf(session, draft.policy).latest())
    if (staff_id, print_) not in {(approval.staff_id, approval.fingerprint) for approval in draft.approvals}:
        draft.approvals.append(Approval(id=ids.new("apr"), staff_id=staff_id, fingerprint=print_, at=at))
        ledger.record(
            session, "policy.approved", at, policy=draft.policy_id, draft=draft.id, staff=staff_id, fingerprint=print_
        )
    draft.state = DraftState.APPROVED


def discard(session: Session, draft: Draft, staff_id: str, at: datetime) -> None:
    """Put a draft away for good; nobody was ever told of it."""
    _must_be_open(draft)
    draft.state, draft.updated_at = DraftState.DISCARDED, at
    ledger.record(session, "policy.draft_discarded", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def release(session: Session, draft: Draft, staff_id: str, at: datetime, effective_on: date | None = None) -> Version:
    """Make the approved draft the next version; every guard of DESIGN §6 is asked again here.

    `effective_on` may be later than the approved day, never earlier.
    """
    _lock(session, draft.policy)  # one release at a time: numbers have no gap and no double
    _lock(session, draft)
    _must_be_open(draft)
    shelf = queries.shelf(session, draft.policy)
    base = shelf.latest()
    check_words(draft, base)
    today, holidays = _today(at), rules.holidays_of(settings.current().country)
    law = shelf.released[base.number] if base else None
    wished = rules.released_day(draft.effective_on, effective_on)
    takes_effect_on = rules.effective_day(draft.change_class, wished, today, law, holidays)
    approver = rules.check_two_people(draft.author_id, approvers(draft, base))
    words = wording_of(draft, takes_effect_on)
    number = len(shelf.versions) + 1
    version = _add_version(
        session, draft.policy, words, number, at, author_id=draft.author_id, approver_id=approver, released_by=staff_id
    )
    draft.state, draft.updated_at = DraftState.RELEASED, at
    return version


def withdraw(session: Session, version: Version, staff_id: str, reason: str, at: datetime) -> None:
    """Take a pending version back; NotWithdrawable once it is in effect or another text builds on it."""
    reason = written.read_words(reason, "reason")
    if not reason:
        raise written.BadText(
            "reason: say why the version is withdrawn; those already told will read it.", field="reason"
        )
    _lock(session, version.policy)
    shelf = queries.shelf(session, version.policy)
    rules.check_withdrawal(shelf.released[version.number], shelf.released.values(), _today(at))
    session.add(VersionWithdrawal(version_id=version.id, at=at, staff_id=staff_id, reason=reason))
    session.flush()
    ledger.record(session, "policy.withdrawn", at, version=version.id, staff=staff_id)
    ledger.tell(session, "policy.withdrawn", at, version=version.id, policy=version.policy.slug, number=version.number)


def take_effect(session: Session, at: datetime, today: date) -> list[Version]:
    """Tell, once, of each version whose day has come. Safe to run twice: what is in force is decided by dates alone."""
    due = list(queries.to_take_effect(session, today))
    for version in due:
        session.add(VersionEffect(version_id=version.id, at=at))
        ledger.record(session, "policy.effective", at, version=version.id, sha256=version.sha256)
        ledger.tell(
            session,
            "policy.effective",
            at,
            version=version.id,
            policy=version.policy.slug,
            number=version.number,
            effective_on=version.effective_on.isoformat(),
        )
    session.flush()
    return due


def fingerprint(draft: Draft, base: Version | None) -> str:
    """What an approval approves, with the version it was compared with."""
    answers = json.dumps(dict(draft.answers), sort_keys=True)
    words = (draft.text, draft.summary, draft.why, draft.impact, draft.class_reason, answers)
    return rules.fingerprint(
        *words, draft.change_class.value, draft.announce.value, draft.effective_on, base.number if base else 0
    )


def approvers(draft: Draft, base: Version | None) -> list[str]:
    """Who approved the draft as it is now."""
    present = fingerprint(draft, base)
    return [approval.staff_id for approval in draft.approvals if approval.fingerprint == present]


def wording_of(draft: Draft, effective_on: date | None) -> Wording:
    """What a draft says."""
    return Wording(
        text=draft.text,
        change_class=draft.change_class,
        announce=draft.announce,
        effective_on=effective_on,
        summary=draft.summary,
        why=draft.why,
        impact=draft.impact,
        class_reason=draft.class_reason,
        answers=dict(draft.answers),
    )


def check_words(draft: Draft, base: Version | None) -> None:
    """The mistake that keeps a draft from review and release, if its words have one."""
    written.read_text(draft.text)
    if base is not None and draft.text == base.text:
        raise rules.NothingChanged(
            f"This text is word for word that of version {base.number}; there is nothing to release."
        )
    rules.check_class(draft.change_class, draft.class_reason, draft.answers)
    if draft.change_class is not ChangeClass.MINOR and not draft.summary:
        raise written.BadText(
            "summary: say in plain words what changes; it is the first thing people read.", field="summary"
        )


def _write(draft: Draft, wording: Wording, text: bytes | str, at: datetime) -> None:
    draft.text = read_document(text)
    draft.change_class, draft.announce = wording.change_class, wording.announce
    draft.effective_on = wording.effective_on
    for name in ("summary", "why", "impact", "class_reason"):
        setattr(draft, name, written.read_words(getattr(wording, name), name))
    draft.answers = {key: bool(wording.answers[key]) for key in rules.QUESTIONS if key in wording.answers}
    draft.state, draft.updated_at = DraftState.DRAFT, at


def _lock(session: Session, row: Policy | Draft) -> None:
    """Let others wait for this row, and read it anew; by its id alone, for PostgreSQL locks no outer join."""
    table = type(row)
    session.execute(select(table.id).where(table.id == row.id).with_for_update())
    session.refresh(row)


def _must_be_open(draft: Draft) -> None:
    if draft.state is DraftState.RELEASED:
        raise AlreadyReleased("This draft was released; open the version, or start a new draft.")
    if draft.state not in rules.OPEN:
        raise DraftClosed("This draft was discarded; start a new one.")


def _add_version(
    session: Session,
    policy: Policy,
    words: Wording,
    number: int,
    at: datetime,
    *,
    author_id: str | None = None,
    approver_id: str | None = None,
    released_by: str | None = None,
) -> Version:
    assert words.effective_on is not None
    version = Version(
        id=ids.new("ver"),
        policy=policy,
        policy_id=policy.id,
        number=number,
        text=words.text,
        sha256=hashlib.sha256(words.text.encode()).hexdigest(),
        change_class=words.change_class,
        announce=words.announce,
        effective_on=words.effective_on,
        summary=words.summary,
        why=words.why,
        impact=words.impact,
        class_reason=words.class_reason,
        answers=dict(words.answers),
        author_id=author_id,
        approver_id=approver_id,
        released_by=released_by,
        released_at=at,
    )
    session.add(version)
    session.flush()
    ledger.record(
        session,
        "policy.released",
        at,
        policy=policy.id,
        version=version.id,
        number=number,
        change_class=version.change_class.value,
        effective_on=version.effective_on.isoformat(),
        sha256=version.sha256,
        author=author_id,
        approver=approver_id,
        staff=released_by,
    )
    ledger.tell(
        session,
        "policy.released",
        at,
        policy=policy.slug,
        version=version.id,
        number=number,
        change_class=version.change_class.value,
        effective_on=version.effective_on.isoformat(),
    )
    return version


def _today(at: datetime) -> date:
    return clock.local_day(at, settings.current().zone)
