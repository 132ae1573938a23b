"""Whom and what a mail answers: by token, by our Message-ID, by a proven sender; never by subject (DESIGN §9)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from mailer import ids, settings, signing
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.inbound import rules
from mailer.inbound.received import Mail
from mailer.outbox.models import Message

WORDS = ("reply", "bounce", "leave")


@dataclass(frozen=True)
class Match:
    """What a mail belongs to. `by` says how it was found; `token` that only who had our mail could write this one."""

    message: Message | None
    contact: Contact | None
    by: str
    word: str = ""
    token: bool = False
    aligned: bool = False


def match(session: Session, recipient: str, mail: Mail | None) -> Match:
    """Find what a mail answers, surest sign first."""
    found = _by_address(session, recipient, mail) or _by_message_id(session, mail)
    if found is not None:
        contact = session.get(Contact, found.message.contact_id) if found.message and found.message.contact_id else None
        return Match(found.message, contact, found.by, found.word, True, _is_aligned(contact, mail))
    contact = _by_sender(session, mail)
    return Match(None, contact, "sender" if contact else "", aligned=contact is not None)


def _by_address(session: Session, recipient: str, mail: Mail | None) -> Match | None:
    for address in dict.fromkeys((recipient, *(mail.to if mail else ()))):
        for word in WORDS:
            payload = signing.read_address(address, word)
            row = ids.message_row(f"msg_{payload}") if payload else None
            message = session.get(Message, row) if row else None
            if message is not None:
                return Match(message, None, f"{word} address", word)
    return None


def _by_message_id(session: Session, mail: Mail | None) -> Match | None:
    for answered in mail.answers if mail else ():
        row = compose.read_message_id(answered)
        message = session.get(Message, row) if row else None
        if message is not None:
            return Match(message, None, "Message-ID", "reply")
    return None


def _by_sender(session: Session, mail: Mail | None) -> Contact | None:
    if mail is None or len(mail.from_addresses) != 1:
        return None
    contact = contacts.find_by_address(session, mail.from_addresses[0])
    return contact if contact is not None and _is_aligned(contact, mail) else None


def _is_aligned(contact: Contact | None, mail: Mail | None) -> bool:
    if contact is None or mail is None:
        return False
    ours = settings.current().trusted_authserv_ids
    return any(rules.aligned(mail, ours, address.email) for address in contact.addresses)
