"""In the pages: a draft never takes back, without a word, what was released while it was written."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.db import reading, transaction
from mailer.policies import queries
from mailer.policies.models import Draft
from mailer.staff.rules import Role
from tests import factories
from tests.policies.sample import released

SignIn = Callable[..., FlaskClient]
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
FILLED = {"text": NEW_TEXT, "summary": "Seven years.", "change_class": "material", "effective_on": "2099-01-01"}
NEW = "/admin/policies/privacy/drafts/new"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def hidden(page: str, name: str) -> str:
    """What a hidden field of a page carries."""
    found = re.search(rf'name="{name}"[^>]*value="(\w*)"', page)
    assert found is not None
    return found[1]


def release_another() -> None:
    """Somebody else releases version 2 meanwhile."""
    with transaction() as session:
        released(session, queries.get(session, "privacy"), factories.POLICY_TEXT.replace("your name", "your full name"))


def count_drafts() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Draft).where(Draft.state == "draft")) or 0


def test_a_new_draft_begun_before_a_release_is_shown_against_it_first(signed_in: SignIn, session: Session) -> None:
    factories.policy(session)
    session.commit()
    officer = signed_in(Role.POLICY)
    begun = hidden(officer.get(NEW).text, "base")
    assert begun == "1"
    release_another()
    answer = officer.post(NEW, data=FILLED | {"base": begun})
    assert (answer.status_code, count_drafts()) == (409, 0)
    assert "A version was released or withdrawn since you opened this page." in answer.text
    assert "It builds on version 2" in answer.text
    assert "seven years" in answer.text
    assert officer.post(NEW, data=FILLED | {"base": hidden(answer.text, "base")}).status_code == 303


def test_the_review_names_the_release_that_a_draft_has_not_seen(signed_in: SignIn, session: Session) -> None:
    factories.policy(session)
    session.commit()
    officer = signed_in(Role.POLICY)
    show = officer.post(NEW, data=FILLED | {"base": "1"}).headers["Location"]
    release_another()
    said = "This text was written on version 1; version 2 was released since."
    assert said in officer.get(show).text
    officer.post(f"{show}/edit", data=FILLED | {"seen": hidden(officer.get(f"{show}/edit").text, "seen")})
    assert said not in officer.get(show).text


def test_keeping_a_draft_as_it_is_ends_nothing_and_says_so(signed_in: SignIn, session: Session) -> None:
    factories.policy(session)
    session.commit()
    author, other = signed_in(Role.POLICY), signed_in(Role.POLICY)
    show = author.post(NEW, data=FILLED).headers["Location"]
    author.post(f"{show}/submit")
    other.post(f"{show}/approve")
    other.post(f"{show}/edit", data=FILLED | {"seen": hidden(other.get(f"{show}/edit").text, "seen")})
    page = other.get(show).text
    assert "Nothing was changed; the draft and its approvals stand." in page
    assert "Go on to release version 2" in page
