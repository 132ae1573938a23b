"""Messages for the tests of this room, made through the real freezing of the real templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer import signing
from mailer.contacts.models import Contact
from mailer.delivery import content
from mailer.outbox import actions as outbox
from mailer.outbox.models import Content, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind
from tests import factories

# what no header may hold
CONTROLS = "".join(map(chr, (*range(32), *range(0x7F, 0xA0)))) + "\u2028\u2029"
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
WORDS = {"preheader": "", "greets": False, "body_text": "Hello there.", "body_html": "<p>Hello there.</p>"}


def loose(
    kind: MailKind = MailKind.ADMINISTRATIVE,
    *,
    subject: str = "A message",
    text: str = "Hello there.\n",
    html: str = "<p>Hello there.</p>\n",
    sender: str = "Company <service@company.example>",
    **changes: Any,
) -> Outgoing:
    """One claimed mail without a database; `changes` are what its row says."""
    wording = Content(
        id="0123456789abcdef" * 4,
        kind=kind,
        locale="en",
        sender=sender,
        reply_domain="reply.company.example",
        url="https://company.example",
        subject=subject,
        text=text,
        html=html,
    )
    row: dict[str, Any] = {
        "row": 12345,
        "contact_id": "con_01jd3v8k2m4p6q7r9stvwxyz01",
        "mailing_id": None,
        "kind": kind,
        "channel": kind.channel,
        "topic": "news" if kind is MailKind.CAMPAIGN else None,
        "content": wording,
        "key_id": changes.get("key_id") or signing.newest_key_id(),
        "to_address": "anna@people.example",
        "name": "Anna de Vries",
        "company": "Example B.V.",
        "facts": None,
        "in_reply_to": None,
        "created_at": AT,
        "attempts": 0,
        "dated_at": AT,
    }
    return Outgoing(**{**row, **changes})


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
