"""The editor has a place for a new owner, in every language; what is typed there is kept, shown and approved (S7)."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer import clock
from mailer.policies.models import Policy
from mailer.staff.rules import Role
from tests import factories
from tests.policies.desk import FILLED, SignIn, only_draft, seen_on

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OWNER = {
    "ownership_owner": "Acme B.V.",
    "ownership_uses": "As before.",
    "ownership_choices": "You may leave.",
}


@pytest.fixture
def policy(session: Session) -> Policy:
    made = factories.policy(session, at=clock.now())
    session.commit()
    return made


def test_a_new_owner_is_kept_shown_and_can_be_taken_out(signed_in: SignIn, policy: Policy) -> None:
    author = signed_in(Role.POLICY)
    author.post("/admin/policies/privacy/drafts/new", data=FILLED | OWNER | {"keep": "1"})
    draft = only_draft()
    assert draft.ownership == {"en": {"owner": "Acme B.V.", "uses": "As before.", "choices": "You may leave."}}
    here = f"/admin/policies/drafts/{draft.id}"
    assert "Acme B.V." in author.get(here).text
    editor = author.get(f"{here}/edit").text
    assert "Acme B.V." in editor
    author.post(f"{here}/edit", data=FILLED | {"keep": "1", "seen": seen_on(editor)})
    assert only_draft().ownership is None


def test_half_a_notice_of_a_new_owner_is_not_reviewed(signed_in: SignIn, policy: Policy) -> None:
    author = signed_in(Role.POLICY)
    author.post("/admin/policies/privacy/drafts/new", data=FILLED | {"ownership_owner": "Acme B.V.", "keep": "1"})
    draft = only_draft()
    asked = author.post(f"/admin/policies/drafts/{draft.id}/submit", follow_redirects=True)
    assert "names the new owner, the uses of the data" in asked.text
