"""Staff write and approve versions; what is wrong is said at its field and nothing typed is lost."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.db import reading
from mailer.policies.models import Draft, Policy
from mailer.policies.rules import DraftState
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
FILLED = {"text": NEW_TEXT, "summary": "Seven years.", "change_class": "material", "effective_on": "2099-01-01"}
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def policy(session: Session) -> Policy:
    made = factories.policy(session)
    session.commit()
    return made


def drafts() -> list[Draft]:
    """What is kept by now; a session of its own, for an open one would keep the doors waiting."""
    with reading() as session:
        return list(session.scalars(select(Draft)))


def only_draft() -> Draft:
    [draft] = drafts()
    return draft


def test_a_policy_is_added_with_the_text_in_force(signed_in: SignIn) -> None:
    officer = signed_in(Role.POLICY)
    filled = {"title": "Terms", "slug": "terms", "concerns": ["subscriber"], "text": "# Terms\n\nBe kind."}
    assert officer.get("/admin/policies/new").status_code == 200
    answer = officer.post("/admin/policies/new", data=filled)
    assert answer.headers["Location"] == "/admin/policies/terms"
    assert "Version 1 is in force" in officer.get("/admin/policies/terms").text
    assert "Terms" in officer.get("/admin/policies/").text
    again = officer.post("/admin/policies/new", data=filled)
    assert (again.status_code, "has a first version already" in again.text, "Be kind." in again.text) == (
        409,
        True,
        True,
    )
    empty = officer.post("/admin/policies/new", data={})
    assert (empty.status_code, "Write what people call this policy." in empty.text) == (422, True)


def test_a_draft_goes_from_writing_to_approval_by_another(signed_in: SignIn, session: Session, policy: Policy) -> None:
    author, other = signed_in(Role.POLICY), signed_in(Role.POLICY)
    page = author.get("/admin/policies/privacy/drafts/new").text
    assert "two years" in page
    where = author.post("/admin/policies/privacy/drafts/new", data=FILLED).headers["Location"]
    review = author.get(where).text
    assert "1 change: 1 word removed, 1 added." in review
    assert "Ask for review" in review
    author.post(f"{where}/submit")
    author.post(f"{where}/approve")
    assert "You wrote this text" in author.get(where).text
    assert only_draft().state is DraftState.IN_REVIEW
    other.post(f"{where}/approve")
    assert "Go on to release version 2" in other.get(where).text
    author.post(f"{where}/edit", data=FILLED | {"summary": "Other words."})
    assert only_draft().state is DraftState.DRAFT
    assert "Other words." in author.get(f"{where}/edit").text
    author.post(f"{where}/discard")
    assert only_draft().state is DraftState.DISCARDED
    assert "nothing can be done with it" in author.get(where).text


def test_an_uploaded_file_takes_the_place_of_the_text(signed_in: SignIn, session: Session, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    filled = FILLED | {
        "text": "",
        "file": (io.BytesIO(b"\xef\xbb\xbfPrivacy\r\n\r\nWho we are\r\n\r\nA company."), "p.txt"),
    }
    assert officer.post("/admin/policies/privacy/drafts/new", data=filled).status_code == 303
    assert only_draft().text == "# Privacy\n\n## Who we are\n\nA company.\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": ""}, "The policy has no words"),
        ({"file": (io.BytesIO("Privé".encode("latin-1")), "p.txt")}, "The file is not UTF-8"),
        ({"summary": "x" * 4001}, "4,001 characters are too many"),
        ({"change_class": "tiny"}, "Not a valid choice"),
        ({"effective_on": "soon"}, "Not a valid date"),
    ],
)
def test_a_mistake_stands_at_its_field_and_keeps_what_was_typed(
    signed_in: SignIn, session: Session, policy: Policy, change: dict[str, object], words: str
) -> None:
    answer = signed_in(Role.POLICY).post(
        "/admin/policies/privacy/drafts/new", data=FILLED | {"why": "Because."} | change
    )
    assert answer.status_code == 422
    assert words in answer.text
    assert "Because." in answer.text
    assert drafts() == []


def test_a_preview_needs_no_script_and_keeps_nothing(signed_in: SignIn, session: Session, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    page = officer.post(
        "/admin/policies/privacy/drafts/new", data=FILLED | {"text": "# New <script>\n\n**bold**", "preview": "1"}
    )
    assert (page.status_code, "<strong>bold</strong>" in page.text, "<script>\n" in page.text) == (200, True, False)
    part = officer.post("/admin/policies/preview", data={"text": "*soft*"}).text
    assert "<em>soft</em>" in part
    assert "<html" not in part
    assert "no words" in officer.post("/admin/policies/preview", data={"text": ""}).text
    assert drafts() == []


def test_only_the_policy_role_writes(signed_in: SignIn, policy: Policy) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/admin/policies/privacy").status_code == 200
    assert "Write version 2" not in auditor.get("/admin/policies/privacy").text
    assert auditor.get("/admin/policies/privacy/drafts/new").status_code == 403
    assert auditor.post("/admin/policies/privacy/drafts/new", data=FILLED).status_code == 403
    assert auditor.get("/admin/policies/nothing").status_code == 404
    assert auditor.get("/admin/policies/drafts/drf_0").status_code == 404
