"""Words that colleagues begin an answer with: kept, changed, retired. What was sent with them stays as it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import ids
from mailer.errors import NotFound
from mailer.inbound.models import AnswerTemplate
from mailer.ledger import actions as ledger


class NoSuchTemplate(NotFound):
    """No words are kept under this id."""


def get(session: Session, template_id: str) -> AnswerTemplate:
    """The words with this id, also retired ones."""
    found = session.get(AnswerTemplate, template_id)
    if found is None:
        raise NoSuchTemplate("There is no such template; look it up in the list of templates.")
    return found


def in_use(session: Session) -> Sequence[AnswerTemplate]:
    """What an answer may begin with, by language and name."""
    query = select(AnswerTemplate).where(AnswerTemplate.retired_at.is_(None))
    return session.scalars(query.order_by(AnswerTemplate.locale, AnswerTemplate.name, AnswerTemplate.id)).all()


def add(session: Session, *, name: str, locale: str, text: str, staff_id: str, at: datetime) -> AnswerTemplate:
    """Keep new words."""
    made = AnswerTemplate(id=ids.new("atp"), name=name.strip(), locale=locale, text=text.strip(), updated_at=at)
    session.add(made)
    ledger.record(session, "answer_template.added", at, template=made.id, staff=staff_id)
    return made


def change(
    session: Session, template: AnswerTemplate, *, name: str, locale: str, text: str, staff_id: str, at: datetime
) -> None:
    """Say it better from now on."""
    template.name, template.locale, template.text, template.updated_at = name.strip(), locale, text.strip(), at
    ledger.record(session, "answer_template.changed", at, template=template.id, staff=staff_id)


def retire(session: Session, template: AnswerTemplate, staff_id: str, at: datetime) -> None:
    """Offer these words no longer."""
    if template.retired_at is None:
        template.retired_at = at
        ledger.record(session, "answer_template.retired", at, template=template.id, staff=staff_id)
