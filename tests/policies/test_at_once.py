"""Two people at one draft in the same moment: nothing is lost without a word, nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from mailer import db
from mailer.errors import MailerError
from mailer.policies import actions, queries
from mailer.policies.actions import Wording
from mailer.policies.models import Draft
from tests import factories

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
WORDS = Wording(TEXT, effective_on=date(2027, 1, 8), summary="Seven years.")
Act = Callable[[Session, Draft, str], object]


@pytest.fixture
def people(session: Session) -> list[str]:
    """The author and two others."""
    return [factories.staff(session).id for _ in range(3)]


@pytest.fixture
def draft_id(session: Session, people: list[str]) -> str:
    """A draft in review, kept."""
    draft = actions.draft(session, factories.policy(session, at=AT), TEXT, people[0], AT, WORDS)
    actions.submit(session, draft, people[0], AT)
    session.commit()
    return draft.id


def at_once(draft_id: str, acts: list[tuple[str, Act]]) -> list[MailerError | None]:
    """Let each person act in a transaction of their own, all at the same moment; what each was told."""
    together = Barrier(len(acts))

    def one(who: str, act: Act) -> MailerError | None:
        together.wait()
        try:
            with db.transaction() as session:
                act(session, queries.get_draft(session, draft_id), who)
        except MailerError as fault:
            return fault
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return [told.result() for told in [pool.submit(one, *each) for each in acts]]


def test_of_two_edits_at_once_one_is_kept_and_the_other_told(
    session: Session, people: list[str], draft_id: str
) -> None:
    draft = queries.get_draft(session, draft_id)
    seen = actions.fingerprint(draft, queries.shelf(session, draft.policy).latest())
    session.commit()

    def edit(inner: Session, found: Draft, who: str) -> None:
        actions.edit(inner, found, replace(WORDS, why=f"Because of {who}."), who, AT, seen=seen)

    told = at_once(draft_id, [(who, edit) for who in people])
    assert sum(fault is None for fault in told) == 1
    assert {type(fault) for fault in told if fault} == {actions.StaleDraft}
    with db.reading() as fresh:
        kept = queries.get_draft(fresh, draft_id)
        assert (kept.why, kept.revision) == (f"Because of {kept.author_id}.", 1)


def test_an_approval_never_covers_an_edit_made_in_the_same_moment(
    session: Session, people: list[str], draft_id: str
) -> None:
    def approve(inner: Session, found: Draft, who: str) -> None:
        actions.approve(inner, found, who, AT)

    def edit(inner: Session, found: Draft, who: str) -> None:
        actions.edit(inner, found, replace(WORDS, why="Other words."), who, AT)

    at_once(draft_id, [(people[1], approve), (people[0], edit)])
    with db.reading() as fresh:
        kept = queries.get_draft(fresh, draft_id)
        base = queries.shelf(fresh, kept.policy).latest()
        assert (kept.why, actions.approvers(kept, base)) == ("Other words.", [])


def test_a_draft_becomes_one_version_however_many_press_release(
    session: Session, people: list[str], draft_id: str
) -> None:
    actions.approve(session, queries.get_draft(session, draft_id), people[1], AT)
    session.commit()

    def release(inner: Session, found: Draft, who: str) -> None:
        actions.release(inner, found, who, AT)

    told = at_once(draft_id, [(who, release) for who in people])
    assert sum(fault is None for fault in told) == 1
    assert {type(fault) for fault in told if fault} == {actions.AlreadyReleased}
    with db.reading() as fresh:
        assert [v.number for v in queries.shelf(fresh, queries.get(fresh, "privacy")).versions] == [1, 2]
