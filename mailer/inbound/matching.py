"""Whom and what a mail answers: by token, by our Message-ID, by a proven sender; never by subject (DESIGN §9).

A token proves only that the writer saw our mail: whoever was sent a copy did, too. So it never speaks for a person by
itself; what it starts is confirmed at the primary address.
"""

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

REPLY, BOUNCE, LEAVE = "reply", "bounce", "leave"
WORDS = (REPLY, BOUNCE, LEAVE)


@dataclass(frozen=True)
class Match:
    """What a mail belongs to. `by` says how it was found, `word` what the address of ours was for.

    `token`: the writer saw our mail. `aligned`: our mail server proved the sender to be this person.
    `crossed`: a proven sender answered a mail of ours to somebody else; the match is the sender, and a person decides.
    """

    message: Message | None
    contact: Contact | None
    by: str
    word: str = ""
    token: bool = False
    aligned: bool = False
    crossed: bool = False


def match(session: Session, recipient: str, mail: Mail | None, *, is_vouched: bool = True) -> Match:
    """Find what a mail answers, surest sign first. One that did not pass our own mail server proves no sender:
    whoever hands it in could have written its Authentication-Results, too (RFC 8601 §5)."""
    sender = _proven_sender(session, mail) if is_vouched else None
    found = _by_address(session, recipient, mail) or _by_message_id(session, mail)
    if found is None:
        return Match(None, sender, "sender" if sender else "", aligned=sender is not None)
    message, word, by = found
    contact = contacts.kept(session, session.get_one(Contact, message.contact_id)) if message.contact_id else None
    if sender is not None and sender is not contact and word == REPLY:
        return Match(message, sender, "sender", word, aligned=True, crossed=True)
    return Match(message, contact, by, word, token=True, aligned=contact is not None and sender is contact)


_Found = tuple[Message, str, str]


def _by_address(session: Session, recipient: str, mail: Mail | None) -> _Found | None:
    for address in dict.fromkeys((recipient, *(mail.to if mail else ()))):
        for word in WORDS:
            payload = signing.read_address(address, word)
            row = ids.message_row(f"msg_{payload}") if payload else None
            message = session.get(Message, row) if row else None
            if message is not None:
                return message, word, f"{word} address"
    return None


def _by_message_id(session: Session, mail: Mail | None) -> _Found | None:
    for answered in mail.answers if mail else ():
        row = compose.read_message_id(answered)
        message = session.get(Message, row) if row else None
        if message is not None:
            return message, REPLY, "Message-ID"
    return None


def _proven_sender(session: Session, mail: Mail | None) -> Contact | None:
    """The person whose address the one From is, if our mail server proved it."""
    if mail is None or len(mail.from_addresses) != 1:
        return None
    contact = contacts.find_by_address(session, mail.from_addresses[0])
    if contact is None:
        return None
    ours = settings.current().trusted_authserv_ids
    return contact if any(rules.aligned(mail, ours, address.email) for address in contact.addresses) else None
