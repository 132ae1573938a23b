"""A version's life: written, read by two, released, in effect; or withdrawn before (DESIGN §6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer.ledger.models import Event, LedgerEntry
from mailer.policies import actions, queries, rules, written
from mailer.policies.actions import Wording
from mailer.policies.models import Draft, Version
from mailer.policies.rules import ChangeClass, DraftState, Phase
from tests import factories

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
LAWFUL = date(2027, 1, 8)
ALL_NO = dict.fromkeys(rules.QUESTIONS, False)
MATERIAL = Wording(NEW_TEXT, ChangeClass.MATERIAL, effective_on=LAWFUL, summary="We keep your data for seven years.")
MINOR = Wording(NEW_TEXT, ChangeClass.MINOR, class_reason="A typo.", answers=ALL_NO)


@pytest.fixture
def people(session: Session) -> tuple[str, str]:
    """The author and the other person."""
    return factories.staff(session, name="Anna").id, factories.staff(session, name="Bram").id


def ready(session: Session, people: tuple[str, str], wording: Wording = MATERIAL, slug: str = "privacy") -> Draft:
    """A draft that the other person approved."""
    author, other = people
    policy = queries.find(session, slug) or factories.policy(session, slug, at=AT - timedelta(days=300))
    draft = actions.draft(session, policy, wording.text, author, AT, wording)
    actions.submit(session, draft, author, AT)
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


def test_two_people_release_a_version_and_the_ledger_has_its_digest(session: Session, people: tuple[str, str]) -> None:
    draft = ready(session, people)
    version = actions.release(session, draft, people[0], AT)
    assert (version.number, version.effective_on) == (2, LAWFUL)
    assert (version.author_id, version.approver_id) == people
    assert draft.state is DraftState.RELEASED
    assert count(session, "policy.released", Event) == 2
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "policy.released")).all()[-1]
    assert version.sha256 in entry.subjects
    with pytest.raises(actions.AlreadyReleased):
        actions.release(session, draft, people[0], AT)


def test_one_person_alone_releases_nothing(session: Session, people: tuple[str, str]) -> None:
    author, _ = people
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
        {"change_class": ChangeClass.ORDINARY},
        {"effective_on": LAWFUL + timedelta(days=1)},
        {"summary": "Other words."},
    ],
)
def test_any_edit_ends_the_approvals(session: Session, people: tuple[str, str], change: dict[str, object]) -> None:
    draft = ready(session, people)
    actions.edit(session, draft, replace(MATERIAL, **change), people[0], AT)  # type: ignore[arg-type]
    assert draft.state is DraftState.DRAFT
    actions.submit(session, draft, people[0], AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    actions.release(session, draft, people[1], AT)


def test_a_release_in_between_ends_the_approvals_too(session: Session, people: tuple[str, str]) -> None:
    first = ready(session, people)
    second = ready(
        session, people, replace(MATERIAL, text=NEW_TEXT + "\nMore.\n", effective_on=LAWFUL + timedelta(days=9))
    )
    actions.release(session, first, people[0], AT)
    with pytest.raises(rules.NeedsSecondPerson):
        actions.release(session, second, people[0], AT)


def test_a_date_too_early_is_refused_with_the_earliest_lawful_one(session: Session, people: tuple[str, str]) -> None:
    draft = ready(session, people, replace(MATERIAL, effective_on=date(2026, 12, 24)))
    with pytest.raises(rules.NoticeTooShort, match="Friday 25 December 2026") as raised:
        actions.release(session, draft, people[0], AT)
    assert raised.value.field == "effective_on"
    version = actions.release(session, draft, people[0], AT, effective_on=date(2026, 12, 25))
    assert version.effective_on == date(2026, 12, 25)


def test_words_that_do_not_suffice_are_not_reviewed(session: Session, people: tuple[str, str]) -> None:
    author, _ = people
    policy = factories.policy(session)
    for wording, fault in (
        (replace(MATERIAL, text=factories.POLICY_TEXT), rules.NothingChanged),
        (replace(MATERIAL, summary=" "), written.BadText),
        (replace(MINOR, class_reason=""), rules.NotMinor),
        (replace(MINOR, answers=ALL_NO | {"retention": True}), rules.NotMinor),
    ):
        draft = actions.draft(session, policy, wording.text, author, AT, wording)
        with pytest.raises(fault):
            actions.submit(session, draft, author, AT)
    with pytest.raises(written.EmptyText):
        actions.draft(session, policy, " ", author, AT)


def test_a_correction_of_a_pending_version_rides_along_with_it(session: Session, people: tuple[str, str]) -> None:
    actions.release(session, ready(session, people), people[0], AT)
    corrected = replace(MINOR, text=NEW_TEXT.replace("your name", "your full name"))
    version = actions.release(session, ready(session, people, corrected), people[0], AT)
    assert (version.number, version.effective_on) == (3, LAWFUL)
    shelf = queries.shelf(session, version.policy)
    assert [shelf.in_force(day).number for day in (TODAY, LAWFUL)] == [1, 3]  # type: ignore[union-attr]
    too_early = replace(corrected, text=corrected.text + "\nMore.\n", effective_on=TODAY)
    with pytest.raises(rules.TooEarly, match="version 3"):
        actions.release(session, ready(session, people, too_early), people[0], AT)


def test_a_version_is_withdrawn_before_it_is_effective_and_before_its_base(
    session: Session, people: tuple[str, str]
) -> None:
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


def test_taking_effect_is_told_once(session: Session, people: tuple[str, str]) -> None:
    version = actions.release(session, ready(session, people), people[0], AT)
    actions.take_effect(session, AT, TODAY)
    assert actions.take_effect(session, AT, LAWFUL - timedelta(days=1)) == []
    assert actions.take_effect(session, AT, LAWFUL) == [version]
    assert actions.take_effect(session, AT, LAWFUL) == []
    assert count(session, "policy.effective", Event) == 2


def test_a_discarded_draft_is_over(session: Session, people: tuple[str, str]) -> None:
    draft = ready(session, people)
    actions.discard(session, draft, people[0], AT)
    for verb in (actions.submit, actions.approve, actions.release, actions.discard):
        with pytest.raises(actions.DraftClosed):
            verb(session, draft, people[1], AT)


def test_the_database_refuses_to_change_a_version(session: Session) -> None:
    version = queries.shelf(session, factories.policy(session)).get(1)
    session.commit()
    for statement in (
        "UPDATE policy_versions SET text = 'x' WHERE id = :id",
        "DELETE FROM policy_versions WHERE id = :id",
    ):
        with pytest.raises(DatabaseError):
            session.execute(text(statement), {"id": version.id})
        session.rollback()
    assert session.get_one(Version, version.id).text == factories.POLICY_TEXT


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
