"""The signed links of mails: leaving and preferences. A link says whom it concerns and which message it came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mailer import ids, signing
from mailer.contacts.models import Contact

LEAVE = "leave"
PREFERENCES = "preferences"
NOBODY = "con_0000000000000"  # a test mail has links that work and concern nobody


@dataclass(frozen=True)
class Link:
    """What a link says."""

    contact_id: str
    message_id: str


Makes = Callable[[str | None, str], str]
"""What makes the link of a contact and a message."""


def leave_url(base: str, contact_id: str | None, message_id: str, key_id: str) -> str:
    """The address that unsubscribes: `GET` shows, `POST` acts (RFC 8058 §3.1)."""
    return leave_urls(base, signing.seal(key_id))(contact_id, message_id)


def preferences_url(base: str, contact_id: str | None, message_id: str, key_id: str) -> str:
    return preferences_urls(base, signing.seal(key_id))(contact_id, message_id)


def leave_urls(base: str, seal: signing.Seal) -> Makes:
    """What makes `leave_url` for many."""
    return _made(f"{base}/u/", seal.tokens(LEAVE))


def preferences_urls(base: str, seal: signing.Seal) -> Makes:
    """What makes `preferences_url` for many."""
    return _made(f"{base}/preferences/", seal.tokens(PREFERENCES))


def read(purpose: str, token: str) -> Link:
    """What a link of ours says; BadToken on anything that we did not make for this purpose."""
    contact_id, _, message_id = signing.read(purpose, token).partition(".")
    if not ids.is_id(contact_id, "con") or ids.message_row(message_id) is None:
        raise signing.BadToken(
            "This link is not one of ours, or it was cut off. Open it again from the mail it came in."
        )
    return Link(contact_id, message_id)


def find_contact(session: Session, link: Link) -> Contact | None:
    """The person a link concerns; None for the erased and for test mails: doors answer them all alike."""
    contact = session.get(Contact, link.contact_id)
    return None if contact is None or contact.erased_at is not None else contact


def _made(before: str, sign: Callable[[str], str]) -> Makes:
    return lambda contact_id, message_id: f"{before}{sign(f'{contact_id or NOBODY}.{message_id}')}"
