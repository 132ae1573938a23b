"""A version's life: written, read by two, released, in effect; or withdrawn before (DESIGN §6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.ledger.models import Event, LedgerEntry
from mailer.policies import actions, queries, rules, written
from mailer.policies.actions import Translation, Wording
from mailer.policies.models import Draft
from mailer.policies.rules import ChangeClass, DraftState, Phase
from tests import factories

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
LAWFUL = date(2027, 1, 8)
ALL_NO = dict.fromkeys(rules.QUESTIONS, False)
MATERIAL = Wording(NEW_TEXT, ChangeClass.MATERIAL, effective_on=LAWFUL, summary="We keep your data for seven years.")
ORDINARY = replace(MATERIAL, change_class=ChangeClass.ORDINARY, class_reason="It frees.", answers=ALL_NO)
DUTCH = Translation("Privacyverklaring", "# Privacyverklaring\n\nWij bewaren uw naam zeven jaar.\n", "Zeven jaar.")
MINOR = Wording(NEW_TEXT, ChangeClass.MINOR, class_reason="A typo.", answers=ALL_NO)


People = tuple[str, str, str]


@pytest.fixture
def people(session: Session) -> People:
    """The author and two others."""
    anna, bram, cleo = (factories.staff(session, name=name).id for name in ("Anna", "Bram", "Cleo"))
    return anna, bram, cleo


def ready(session: Session, people: People, wording: Wording = MATERIAL, slug: str = "privacy") -> Draft:
    """A draft that as many others approved as its class needs."""
    author, *others = people
    policy = queries.find(session, slug) or factories.policy(session, slug, at=AT - timedelta(days=300))
    draft = actions.draft(session, policy, wording.text, author, AT, wording)
    actions.submit(session, draft, author, AT)
    for other in others[: rules.approvals_needed(wording.change_class)]:
        actions.approve(session, draft, other, AT)
    return draft


def count(session: Session, kind: str, table: type = LedgerEntry) -> int:
    session.commit()
    return session.scalar(select(func.count()).select_from(table).where(table.kind == kind)) or 0


def test_a_first_import_is_in_force_and_mails_nobody(session: Session) -> None:
    version = actions.import_first(
        session,
        slug="privacy",
        title="Privacy",
        text="Privacy\r\n\r\nWho we are\r\n\r\nA company.",
        effective_on=None,
        at=AT,
    )
    assert (version.number, version.effective_on) == (1, TODAY)
    assert queries.shelf(session, version.policy).in_force(TODAY) is version
    assert count(session, "policy.released") == 1
    with pytest.raises(actions.AlreadyReleased, match="becomes a draft"):
        actions.import_first(session, slug="privacy", title="", text="x", effective_on=None, at=AT)


def test_what_nobody_lives_under_yet_is_not_brought_in_past_review(session: Session) -> None:
    with pytest.raises(actions.NotLivedUnder, match="Wednesday 25 November 2026 is still to come") as raised:
        actions.import_first(
            session, slug="privacy", title="Privacy", text="Words.", effective_on=TODAY + timedelta(days=1), at=AT
        )
    assert raised.value.field == "effective_on"


@pytest.mark.parametrize(
    ("title", "slug", "concerns", "field"),
    [("", "a", ["subscriber"], "title"), ("A", "A b", ["subscriber"], "slug"), ("A", "a", [], "concerns")],
)
def test_a_policy_without_a_proper_name_is_refused(
    session: Session, title: str, slug: str, concerns: list[str], field: str
) -> None:
    with pytest.raises(written.BadPolicy) as raised:
        actions.create(session, slug=slug, title=title, concerns=concerns, at=AT)
    assert raised.value.field == field


def test_a_name_is_taken_once(session: Session) -> None:
    factories.policy(session)
    with pytest.raises(actions.SlugTaken):
        actions.create(session, slug="privacy", title="Other", concerns=["subscriber"], at=AT)


def test_two_people_release_a_version_and_the_ledger_has_its_digest(session: Session, people: People) -> None:
    draft = ready(session, people)
    version = actions.release(session, draft, people[0], AT)
    assert (version.number, version.effective_on) == (2, LAWFUL)
    assert (version.author_id, version.approver_id) == people[:2]
    assert [(approval.staff_id, approval.at) for approval in version.approvals] == [(people[1], AT)]
    assert draft.state is DraftState.RELEASED
    assert count(session, "policy.released", Event) == 2
    released = select(LedgerEntry).where(LedgerEntry.kind == "policy.released").order_by(LedgerEntry.seq)
    entry = session.scalars(released).all()[-1]
    assert version.sha256 in entry.subjects
    with pytest.raises(actions.AlreadyReleased):
        actions.release(session, draft, people[0], AT)


def test_one_person_alone_releases_nothing(session: Session, people: People) -> None:
    author = people[0]
    policy = factories.policy(session)
    draft = actions.draft(session, policy, NEW_TEXT, author, AT, MATERIAL)
    with pytest.raises(actions.NotInReview):
        actions.approve(session, draft, people[1], AT)
    actions.submit(session, draft, author, AT)
    with pytest.raises(actions.OwnText):
        actions.approve(session, draft, author, AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, draft, author, AT)


@pytest.mark.parametrize(
    "change",
    [
        {"text": NEW_TEXT + "\nMore.\n"},
        {"why": "Because."},
        {"translations": {"nl": DUTCH}},
        {"effective_on": LAWFUL + timedelta(days=1)},
        {"summary": "Other words."},
    ],
)
def test_any_edit_ends_the_approvals(session: Session, people: People, change: dict[str, object]) -> None:
    draft = ready(session, people)
    actions.edit(session, draft, replace(MATERIAL, **change), people[0], AT)  # type: ignore[arg-type]
    assert draft.state is DraftState.DRAFT
    actions.submit(session, draft, people[0], AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    actions.release(session, draft, people[1], AT)


def test_words_that_come_back_need_a_new_approval(session: Session, people: People) -> None:
    draft = ready(session, people)
    for wording in (replace(MATERIAL, text=NEW_TEXT + "\nMore.\n"), MATERIAL):
        actions.edit(session, draft, wording, people[0], AT)
    actions.submit(session, draft, people[0], AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    assert actions.release(session, draft, people[0], AT).number == 2


@pytest.mark.parametrize("wording", [ORDINARY, MINOR], ids=["ordinary", "minor"])
def test_a_lesser_class_needs_two_others(session: Session, people: People, wording: Wording) -> None:
    policy = factories.policy(session)
    draft = actions.draft(session, policy, wording.text, people[0], AT, wording)
    actions.submit(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    assert draft.state is DraftState.IN_REVIEW
    with pytest.raises(actions.AlreadyApproved, match="counts once"):
        actions.approve(session, draft, people[1], AT)
    with pytest.raises(rules.NeedsSecondPerson, match="has 1; ask another colleague"):
        actions.release(session, draft, people[1], AT)
    actions.approve(session, draft, people[2], AT + timedelta(hours=1))
    assert draft.state is DraftState.APPROVED
    version = actions.release(session, draft, people[2], AT)
    assert [approval.staff_id for approval in version.approvals] == list(people[1:])
    session.commit()
    released = select(LedgerEntry).where(LedgerEntry.kind == "policy.released").order_by(LedgerEntry.seq)
    entry = session.scalars(released).all()[-1]
    assert all(who in entry.subjects for who in people)


def test_whoever_wrote_any_of_a_draft_approves_none_of_it(session: Session, people: People) -> None:
    anna, bram, cleo = people
    draft = ready(session, people)
    assert actions.edit(session, draft, replace(MATERIAL, why="Tax."), bram, AT)
    actions.submit(session, draft, bram, AT)
    for writer in (anna, bram):
        with pytest.raises(actions.OwnText):
            actions.approve(session, draft, writer, AT)
    actions.approve(session, draft, cleo, AT)
    assert actions.release(session, draft, anna, AT).author_id == bram, "whoever changed it last"


def test_words_that_say_the_same_change_neither_author_nor_approvals(session: Session, people: People) -> None:
    anna, bram, _ = people
    draft = ready(session, people, replace(MATERIAL, translations={"nl": DUTCH}))
    same = replace(MATERIAL, text=NEW_TEXT.replace("\n", "\r\n"), summary=f" {MATERIAL.summary}\n")
    assert not actions.edit(session, draft, replace(same, translations={"nl": DUTCH}), bram, AT + timedelta(hours=1))
    session.commit()
    session.refresh(draft)
    assert (draft.author_id, draft.writers, draft.revision) == (anna, [anna], 0)
    assert (draft.state, draft.updated_at, draft.written_by) == (DraftState.APPROVED, AT, {anna})
    assert count(session, "policy.draft_edited") == 0
    assert actions.release(session, draft, bram, AT).approver_id == bram


def test_asking_for_review_again_changes_nothing(session: Session, people: People) -> None:
    draft = ready(session, people)
    actions.submit(session, draft, people[0], AT + timedelta(hours=1))
    assert (draft.state, draft.updated_at) == (DraftState.APPROVED, AT)
    assert count(session, "policy.submitted") == 1


def test_a_reader_sends_a_draft_back_with_a_note_and_its_approvals_end(session: Session, people: People) -> None:
    anna, bram, cleo = people
    draft = ready(session, people)
    with pytest.raises(written.BadText, match="note: say what should change"):
        actions.send_back(session, draft, cleo, " ", AT)
    actions.send_back(session, draft, cleo, "Say for whom.", AT)
    assert draft.state is DraftState.DRAFT
    assert [(back.staff_id, back.note) for back in draft.returns] == [(cleo, "Say for whom.")]
    with pytest.raises(actions.NotInReview):
        actions.send_back(session, draft, cleo, "Again.", AT)
    actions.submit(session, draft, anna, AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, draft, anna, AT)
    actions.approve(session, draft, bram, AT)
    actions.release(session, draft, anna, AT)
    assert count(session, "policy.sent_back") == 1


def test_an_edit_of_a_text_that_changed_meanwhile_is_refused(session: Session, people: People) -> None:
    draft = ready(session, people)
    base = queries.shelf(session, draft.policy).latest()
    seen = actions.fingerprint(draft, base)
    actions.edit(session, draft, replace(MATERIAL, why="Tax."), people[1], AT, seen=seen)
    with pytest.raises(actions.StaleDraft, match="Somebody changed this draft"):
        actions.edit(session, draft, replace(MATERIAL, why="Other."), people[0], AT, seen=seen)
    assert (draft.why, draft.author_id) == ("Tax.", people[1])
    actions.submit(session, draft, people[1], AT)
    with pytest.raises(actions.StaleDraft, match="Read the draft again"):
        actions.approve(session, draft, people[2], AT, seen=seen)
    actions.approve(session, draft, people[2], AT, seen=actions.fingerprint(draft, base))


def test_a_release_of_what_was_not_read_is_refused(session: Session, people: People) -> None:
    draft = ready(session, people)
    base = queries.shelf(session, draft.policy).latest()
    read = actions.fingerprint(draft, base)
    actions.edit(session, draft, replace(MATERIAL, why="Tax."), people[0], AT)
    actions.submit(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    with pytest.raises(actions.StaleDraft, match="Read the draft again"):
        actions.release(session, draft, people[2], AT, seen=read)
    assert actions.release(session, draft, people[2], AT, seen=actions.fingerprint(draft, base)).number == 2


def test_a_draft_takes_no_release_back_that_came_after_it(session: Session, people: People) -> None:
    anna, bram, cleo = people
    later = replace(MATERIAL, effective_on=LAWFUL + timedelta(days=9))
    old = [ready(session, people, replace(later, text=f"{factories.POLICY_TEXT}\n{n}.\n")) for n in range(2)]
    unread = actions.draft(session, old[0].policy, later.text, anna, AT, replace(later, text=NEW_TEXT + "\nMore.\n"))
    second = actions.release(session, ready(session, people), anna, AT)
    said = "written on version 1; version 2 was released since. Open it, bring in what version 2 changed, and keep it"
    with pytest.raises(actions.OldBase, match=said):
        actions.submit(session, unread, anna, AT)
    with pytest.raises(actions.OldBase, match=said):
        actions.approve(session, old[0], cleo, AT)
    for draft in old:
        with pytest.raises(actions.OldBase, match=said):
            actions.release(session, draft, anna, AT)
    same = replace(later, text=old[0].text)
    assert actions.edit(session, old[0], same, bram, AT), "the same words kept again are words on version 2"
    assert (old[0].base_number, old[0].state) == (2, DraftState.DRAFT)
    actions.submit(session, old[0], anna, AT)
    actions.approve(session, old[0], cleo, AT)
    actions.withdraw(session, second, anna, "A mistake.", AT)
    with pytest.raises(actions.OldBase, match="version 2, which was withdrawn since"):
        actions.release(session, old[0], anna, AT)
    assert old[1].base_number == 1
    assert actions.release(session, old[1], anna, AT).number == 3, "its base is the latest again"


def test_a_first_draft_knows_that_there_was_no_version(session: Session, people: People) -> None:
    policy = actions.create(session, slug="terms", title="Terms", concerns=["subscriber"], at=AT)
    one, other = (actions.draft(session, policy, NEW_TEXT + end, people[0], AT, MATERIAL, 0) for end in ("", "\nA.\n"))
    assert (one.base_number, other.base_number) == (None, None)
    actions.submit(session, one, people[0], AT)
    actions.approve(session, one, people[1], AT)
    actions.release(session, one, people[0], AT)
    with pytest.raises(actions.OldBase, match="before there was a version; version 1 was released since"):
        actions.submit(session, other, people[0], AT)
    with pytest.raises(actions.StaleDraft, match="released or withdrawn since you opened this page"):
        actions.draft(session, policy, NEW_TEXT + "\nB.\n", people[0], AT, MATERIAL, 0)


def test_a_date_too_early_is_refused_with_the_earliest_lawful_one(session: Session, people: People) -> None:
    draft = ready(session, people, replace(MATERIAL, effective_on=date(2026, 12, 24)))
    with pytest.raises(rules.NoticeTooShort, match="Friday 25 December 2026") as raised:
        actions.release(session, draft, people[0], AT)
    assert raised.value.field == "effective_on"
    version = actions.release(session, draft, people[0], AT, effective_on=date(2026, 12, 25))
    assert version.effective_on == date(2026, 12, 25)


def test_words_that_do_not_suffice_are_not_reviewed(session: Session, people: People) -> None:
    author = people[0]
    policy = factories.policy(session)
    for wording, fault in (
        (replace(MATERIAL, text=factories.POLICY_TEXT), rules.NothingChanged),
        (replace(MATERIAL, summary=" "), written.BadText),
        (replace(MINOR, class_reason=""), rules.StillMaterial),
        (replace(MINOR, answers=ALL_NO | {"retention": True}), rules.StillMaterial),
        (replace(ORDINARY, answers={}), rules.StillMaterial),
        (replace(ORDINARY, summary=""), written.BadText),
    ):
        draft = actions.draft(session, policy, wording.text, author, AT, wording)
        with pytest.raises(fault):
            actions.submit(session, draft, author, AT)
    with pytest.raises(written.EmptyText):
        actions.draft(session, policy, " ", author, AT)


def test_a_correction_of_a_pending_version_rides_along_with_it(session: Session, people: People) -> None:
    actions.release(session, ready(session, people), people[0], AT)
    corrected = replace(MINOR, text=NEW_TEXT.replace("your name", "your full name"))
    version = actions.release(session, ready(session, people, corrected), people[0], AT)
    assert (version.number, version.effective_on) == (3, LAWFUL)
    shelf = queries.shelf(session, version.policy)
    assert [shelf.in_force(day).number for day in (TODAY, LAWFUL)] == [1, 3]  # type: ignore[union-attr]
    too_early = replace(corrected, text=corrected.text + "\nMore.\n", effective_on=TODAY)
    with pytest.raises(rules.TooEarly, match="version 3"):
        actions.release(session, ready(session, people, too_early), people[0], AT)


def test_a_version_is_withdrawn_before_it_is_effective_and_before_its_base(session: Session, people: People) -> None:
    second = actions.release(session, ready(session, people), people[0], AT)
    third = actions.release(session, ready(session, people, replace(MINOR, text=NEW_TEXT + "\nMore.\n")), people[0], AT)
    with pytest.raises(rules.NotWithdrawable, match="Version 3 builds on version 2"):
        actions.withdraw(session, second, people[0], "A mistake.", AT)
    with pytest.raises(written.BadText, match="say why"):
        actions.withdraw(session, third, people[0], " ", AT)
    later = AT + timedelta(hours=1)
    actions.withdraw(session, third, people[0], "A mistake.", later)
    actions.withdraw(session, second, people[0], "A mistake.", later)
    shelf = queries.shelf(session, second.policy)
    assert shelf.phase(second, LAWFUL) is Phase.WITHDRAWN
    assert shelf.in_force(LAWFUL) == shelf.get(1)
    assert shelf.base_of(third) == second, "what it was built on stays so"
    fourth = actions.release(session, ready(session, people), people[0], later)
    assert queries.shelf(session, second.policy).base_of(fourth) == shelf.get(1)
    with pytest.raises(rules.NotWithdrawable, match="took effect"):
        actions.withdraw(session, fourth, people[0], "Late.", AT + timedelta(days=90))


def test_a_discarded_draft_is_over(session: Session, people: People) -> None:
    draft = ready(session, people)
    actions.discard(session, draft, people[0], AT)
    for verb in (actions.submit, actions.approve, actions.release, actions.discard):
        with pytest.raises(actions.DraftClosed):
            verb(session, draft, people[1], AT)


def test_the_statement_in_full_is_brought_in_with_its_sections(session: Session, shared: Path) -> None:
    file = shared / "statement" / "leadmark-privacy-statement.txt"
    if not file.is_file():
        pytest.skip(f"needs {file}")
    version = actions.import_first(
        session, slug="statement", title="Privacy statement", text=file.read_bytes(), effective_on=None, at=AT
    )
    assert version.text.startswith("# PRIVACY STATEMENT\n")
    assert "## Cookies and other tracking technologies\n" in version.text
    assert "## Notification of changes\n" in version.text
