"""What tests of the drafts' pages do at the desk: look at what is kept, read what a page says, press through."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock
from mailer.db import reading
from mailer.policies import actions, queries
from mailer.policies.models import Draft
from tests import factories

SignIn = Callable[..., FlaskClient]
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
FILLED = {"text": NEW_TEXT, "summary": "Seven years.", "change_class": "material", "effective_on": "2099-01-01"}
WORDLESS = factories.POLICY_TEXT.replace("for two years.", "for two years!")


def drafts() -> list[Draft]:
    """What is kept by now; a session of its own, for an open one would keep the doors waiting."""
    with reading() as session:
        return list(session.scalars(select(Draft).order_by(Draft.id)))


def only_draft() -> Draft:
    [draft] = drafts()
    return draft


def seen_on(page: str) -> str:
    """The fingerprint that an editor's page carries."""
    found = re.search(r'name="seen"[^>]*value="(\w+)"', page)
    assert found is not None
    return found[1]


def approval_of(page: str) -> str:
    """The fingerprint of what a reader is about to approve."""
    return seen_on(page)


def release(author: FlaskClient, other: FlaskClient, session: Session, show: str) -> None:
    """Bring a draft to its release, which tells nobody here."""
    author.post(f"{show}/submit")
    other.post(f"{show}/approve", data={"seen": approval_of(other.get(show).text)})
    draft = queries.get_draft(session, show.rpartition("/")[2])
    actions.release(session, draft, draft.author_id, clock.now())
    session.commit()
