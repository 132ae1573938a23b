"""The letter of this room: what a person answers to a mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.delivery import content
from mailer.inbound import desk
from mailer.inbound.models import InboundMail
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind

HEADINGS = {"en": "Our answer to your mail", "nl": "Ons antwoord op uw mail"}
WHY = {"en": "you wrote to us.", "nl": "u schreef ons."}


def put_answer(
    session: Session, mail: InboundMail, contact: Contact | None, address: str, text: str, at: datetime
) -> Message:
    """Put an answer, threaded to its mail; the same words twice are one letter."""
    locale = contact.locale if contact else mail.locale if mail.locale in HEADINGS else "en"
    facts = {
        "subject": desk.answer_subject(mail.subject),
        "heading": HEADINGS[locale],
        "paragraphs": paragraphs(text),
    }
    content_id = content.freeze(session, MailKind.ANSWER, locale, facts, at, why=WHY[locale])
    return outbox.put(
        session,
        kind=MailKind.ANSWER,
        contact=contact,
        to_address=address,
        content_id=content_id,
        key=f"{MailKind.ANSWER}/{mail.id}/{content_id[:16]}",
        at=at,
        in_reply_to=desk.threadable(mail.message_id_header) or None,
    )


def paragraphs(text: str) -> list[list[str]]:
    """A text as typed, in paragraphs of lines."""
    blocks: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").strip().split("\n"):
        if line.strip():
            blocks[-1].append(line.strip())
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]
