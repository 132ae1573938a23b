"""Write, approve, release and withdraw policies (DESIGN §6). A release is two people and one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, ids, settings
from mailer.contacts.rules import read_line
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.policies import queries, rules, versions, wording, written
from mailer.policies.documents import read_document as read_document
from mailer.policies.effects import take_effect as take_effect
from mailer.policies.languages import read_language
from mailer.policies.models import Approval, Draft, DraftReturn, Policy, Version, VersionWithdrawal
from mailer.policies.rules import ChangeClass, DraftState
from mailer.policies.wording import OldBase as OldBase
from mailer.policies.wording import Translation as Translation
from mailer.policies.wording import Wording as Wording
from mailer.policies.wording import check_base as check_base
from mailer.policies.wording import check_words as check_words
from mailer.policies.wording import fingerprint as fingerprint

FIRST_VERSION = "The first version: nobody lived under an earlier one."
_NOT_KEPT = "Nothing of yours is kept yet: open the draft anew in another tab, and bring your changes into it."
_NOT_READ = "Read the draft again as it is now, then decide."
_RELEASED_SINCE = (
    "A version was released or withdrawn since you opened this page. Nothing of yours is kept yet: what changes is "
    "shown against that version now; bring in what it says, then keep this draft."
)


class SlugTaken(Conflict):
    """Another policy has this name in addresses."""

    field = "slug"


class AlreadyReleased(Conflict):
    """The policy has a version already, or the draft became one."""


class NotLivedUnder(Invalid):
    """A first version that is not in force yet: it needs a draft, a second person, and notice."""

    field = "effective_on"


class DraftClosed(Conflict):
    """A draft that was released or discarded cannot be worked on."""


class NotInReview(Conflict):
    """A text is approved, or sent back, only after its author submitted it."""


class OwnText(rules.NeedsSecondPerson):
    """Whoever wrote any of it cannot approve a text."""


class AlreadyApproved(rules.NeedsSecondPerson):
    """The same person cannot approve a text twice."""


class StaleDraft(Conflict):
    """Somebody else changed a draft since it was looked at."""


def create(
    session: Session, *, slug: str, title: str, concerns: Collection[str], at: datetime, language: str = "en"
) -> Policy:
    """A policy without a version yet; SlugTaken if the name is in use. `language` is that of its authoritative text."""
    slug = written.read_slug(slug)
    title = read_line(title, "title")
    if not title:
        raise written.BadPolicy("title: say what people call this policy, such as “Privacy statement”.", field="title")
    if queries.find(session, slug) is not None:
        raise SlugTaken(f"slug: a policy “{slug}” exists already; choose another name.")
    policy = Policy(
        id=ids.new("pol"),
        slug=slug,
        title=title,
        concerns=written.read_concerns(concerns),
        language=read_language(language),
        created_at=at,
    )
    session.add(policy)
    session.flush()
    ledger.record(
        session,
        "policy.created",
        at,
        policy=policy.id,
        slug=slug,
        concerns=policy.concerns,
        language=policy.language,
    )
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
    language: str = "en",
    translations: Mapping[str, Translation] | None = None,
) -> Version:
    """The text people live under already, as version 1: in effect, nothing mailed. AlreadyReleased if there is one."""
    policy = queries.find(session, slug) or create(
        session, slug=slug, title=title, concerns=concerns, at=at, language=language
    )
    if queries.shelf(session, policy).versions:
        raise AlreadyReleased(f"slug: “{slug}” has a first version already; a new text becomes a draft.", field="slug")
    since = effective_on or _today(at)
    if since > _today(at):
        raise NotLivedUnder(
            f"effective_on: {rules.say(since)} is still to come, and nobody would be told; use a draft."
        )
    words = Wording(
        read_document(text),
        ChangeClass.ORDINARY,
        effective_on=since,
        class_reason=FIRST_VERSION,
        translations=wording.read_translations(translations or {}, policy.language),
    )
    return versions.add(session, policy, words, 1, None, versions.Signed(staff_id), at)


def draft(
    session: Session,
    policy: Policy,
    text: bytes | str,
    author_id: str,
    at: datetime,
    words: Wording | None = None,
    base_number: int | None = None,
) -> Draft:
    """A new text to work on; material unless shown otherwise. `words` gives the rest of it, if known.

    Its translations begin as those of the version it builds on. `base_number` is the version that its author began
    with, 0 if there was none; StaleDraft if another is the latest by now.
    """
    base = queries.shelf(session, policy).latest()
    if base_number is not None and base_number != wording.number_of(base):
        raise StaleDraft(_RELEASED_SINCE)
    words = replace(words or Wording(""), text=read_document(text))
    if words.translations is None:
        words = replace(words, translations=wording.carried(base))
    made = Draft(
        id=ids.new("drf"),
        policy=policy,
        policy_id=policy.id,
        author_id=author_id,
        writers=[author_id],
        base_number=base.number if base else None,
        state=DraftState.DRAFT,
        revision=0,
        created_at=at,
        updated_at=at,
        approvals=[],
        returns=[],
        translations=[],
    )
    wording.write(made, words)
    session.add(made)
    session.flush()
    ledger.record(session, "policy.drafted", at, policy=policy.id, draft=made.id, staff=author_id)
    return made


def edit(session: Session, draft: Draft, words: Wording, staff_id: str, at: datetime, seen: str | None = None) -> bool:
    """Change a draft; whoever changes it is its author from then on, and its approvals end. False if nothing changed.

    `seen` is the fingerprint of what the editor began with; StaleDraft if the draft says something else by now.
    """
    _lock(session, draft)
    _must_be_open(draft)
    base = queries.shelf(session, draft.policy).latest()
    _must_be_as_seen(draft, base, seen, _NOT_KEPT)
    before = wording.wording_of(draft, draft.effective_on)
    wording.write(draft, words)
    if before == wording.wording_of(draft, draft.effective_on) and wording.number_of(base) == (draft.base_number or 0):
        return False
    draft.base_number = base.number if base else None
    draft.author_id = staff_id
    draft.writers = [*dict.fromkeys([*draft.writers, staff_id])]
    _back_to_its_author(draft, at)
    session.flush()
    ledger.record(session, "policy.draft_edited", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)
    return True


def submit(session: Session, draft: Draft, staff_id: str, at: datetime) -> None:
    """Ask colleagues to read it: EmptyText, OldBase and their kin if there is nothing to approve yet."""
    _lock(session, draft)
    _must_be_open(draft)
    if draft.state is not DraftState.DRAFT:
        return  # asked already
    check_words(draft, queries.shelf(session, draft.policy).latest())
    draft.state, draft.updated_at = DraftState.IN_REVIEW, at
    ledger.record(session, "policy.submitted", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def approve(session: Session, draft: Draft, staff_id: str, at: datetime, seen: str | None = None) -> None:
    """A person who wrote none of it says yes to this very text, class, day and words, in every language.

    `seen` is the fingerprint of what was read; StaleDraft if the draft says something else by now.
    """
    _lock(session, draft)
    _must_be_in_review(draft)
    base = queries.shelf(session, draft.policy).latest()
    _must_be_as_seen(draft, base, seen, _NOT_READ)
    if staff_id in draft.written_by:
        raise OwnText("You wrote this text, or some of it; somebody else must read and approve it.")
    check_base(draft, base)
    if staff_id in approvers(draft, base):
        raise AlreadyApproved("You approved this text already; your approval stands and counts once.")
    print_ = fingerprint(draft, base)
    draft.approvals.append(Approval(id=ids.new("apr"), staff_id=staff_id, fingerprint=print_, at=at))
    counted = rules.approvals_counted(draft.written_by, approvers(draft, base))
    is_enough = len(counted) >= rules.approvals_needed(draft.change_class)
    draft.state = DraftState.APPROVED if is_enough else DraftState.IN_REVIEW
    session.flush()
    ledger.record(
        session, "policy.approved", at, policy=draft.policy_id, draft=draft.id, staff=staff_id, fingerprint=print_
    )


def send_back(session: Session, draft: Draft, staff_id: str, note: str, at: datetime) -> None:
    """Give a draft in review back to its author with what is to be done; approvals of it end. The note is kept."""
    _lock(session, draft)
    _must_be_in_review(draft)
    note = written.read_words(note, "note")
    if not note:
        raise written.BadText("note: say what should change; its author will read it.", field="note")
    draft.returns.append(DraftReturn(id=ids.new("ret"), staff_id=staff_id, note=note, at=at))
    _back_to_its_author(draft, at)
    session.flush()
    ledger.record(session, "policy.sent_back", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def discard(session: Session, draft: Draft, staff_id: str, at: datetime) -> None:
    """Put a draft away for good; nobody was ever told of it."""
    _lock(session, draft)
    _must_be_open(draft)
    draft.state, draft.updated_at = DraftState.DISCARDED, at
    ledger.record(session, "policy.draft_discarded", at, policy=draft.policy_id, draft=draft.id, staff=staff_id)


def release(
    session: Session,
    draft: Draft,
    staff_id: str,
    at: datetime,
    effective_on: date | None = None,
    seen: str | None = None,
) -> Version:
    """Make the approved draft the next version; every guard of DESIGN §6 is asked again here.

    `effective_on` may be later than the approved day, never earlier. `seen` is the fingerprint of what the releaser
    read; StaleDraft if the draft says something else by now.
    """
    _lock(session, draft.policy)  # one release at a time: numbers have no gap and no double
    _lock(session, draft)
    _must_be_open(draft)
    shelf = queries.shelf(session, draft.policy)
    base = shelf.latest()
    _must_be_as_seen(draft, base, seen, _NOT_READ)
    check_words(draft, base)
    today, holidays = _today(at), rules.holidays_of(settings.current().country)
    law = shelf.released[base.number] if base else None
    wished = rules.released_day(draft.effective_on, effective_on)
    takes_effect_on = rules.effective_day(draft.change_class, wished, today, law, holidays)
    counted = rules.check_approvals(draft.change_class, draft.written_by, approvers(draft, base))
    since = {approval.staff_id: approval.at for approval in draft.approvals}
    signed = versions.Signed(staff_id, draft.author_id, [(who, since[who]) for who in counted])
    words, number = wording.wording_of(draft, takes_effect_on), len(shelf.versions) + 1
    version = versions.add(session, draft.policy, words, number, base, signed, at)
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
    if queries.is_in_effect(session, version.id):
        raise rules.NotWithdrawable(f"Others were told that version {version.number} is in effect; release a new one.")
    session.add(VersionWithdrawal(version_id=version.id, at=at, staff_id=staff_id, reason=reason))
    session.flush()
    ledger.record(session, "policy.withdrawn", at, version=version.id, staff=staff_id)
    ledger.tell(session, "policy.withdrawn", at, version=version.id, policy=version.policy.slug, number=version.number)


def approvers(draft: Draft, base: Version | None) -> list[str]:
    """Who approved the draft as it is now, in their order."""
    present = fingerprint(draft, base)
    return [approval.staff_id for approval in draft.approvals if approval.fingerprint == present]


def _back_to_its_author(draft: Draft, at: datetime) -> None:
    draft.state, draft.updated_at = DraftState.DRAFT, at
    draft.revision += 1


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


def _must_be_in_review(draft: Draft) -> None:
    _must_be_open(draft)
    if draft.state is DraftState.DRAFT:
        raise NotInReview("This text was changed and review was not asked for since; its author must ask for it first.")


def _must_be_as_seen(draft: Draft, base: Version | None, seen: str | None, what_now: str) -> None:
    if seen is not None and seen != fingerprint(draft, base):
        raise StaleDraft(f"Somebody changed this draft, or released a version, since you opened this page. {what_now}")


def _today(at: datetime) -> date:
    return clock.local_day(at, settings.current().zone)
