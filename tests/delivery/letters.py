"""Messages for the tests of this room, made through the real freezing of the real templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.delivery import content
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
WORDS = {"preheader": "", "greets": False, "body_text": "Hello there.", "body_html": "<p>Hello there.</p>"}


def letter(
    session: Session,
    *,
    kind: MailKind = MailKind.ADMINISTRATIVE,
    to: Contact | None = None,
    name: str = "Anna de Vries",
    key: str = "letter",
    locale: str = "en",
    facts: dict[str, str] | None = None,
    in_reply_to: str | None = None,
    **words: Any,
) -> Message:
    """One queued mail of a kind; `words` are what its templates print."""
    to = to or factories.contact(session, "anna@people.example", name=name, topics=["news"], at=AT)
    content_id = content.freeze(
        session, kind, locale, {"subject": "A message", **WORDS, **words}, AT, why="A test.", topic="News"
    )
    topic = "news" if kind is MailKind.CAMPAIGN else None
    return outbox.put(
        session,
        kind=kind,
        contact=to,
        content_id=content_id,
        key=key,
        at=AT,
        facts=facts,
        topic=topic,
        in_reply_to=in_reply_to,
    )
