"""Find people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from mailer import signing
from mailer.contacts import rules
from mailer.contacts.models import Address, Contact, ContactUse, ErasedAddress
from mailer.errors import NotFound


class NoSuchContact(NotFound):
    """Nobody is known by this id or reference."""


def get(session: Session, contact_id: str) -> Contact:
    """The contact with this id; NoSuchContact if there is none."""
    found = session.get(Contact, contact_id)
    if found is None:
        raise NoSuchContact("There is no such person here; the row may have been mistyped.")
    return found


def find_by_reference(session: Session, reference: str) -> Contact | None:
    """The contact that other services call `reference`; if it was merged into another, that one."""
    found = session.scalar(select(Contact).where(Contact.reference == reference))
    return kept(session, found) if found is not None else None


def kept(session: Session, contact: Contact) -> Contact:
    """The row that stands for this person by now: itself, or the one it was merged into."""
    while contact.merged_into is not None:
        contact = session.get_one(Contact, contact.merged_into)
    return contact


def merged(session: Session, contact_id: str) -> Sequence[Contact]:
    """The rows that were merged into this one."""
    return session.scalars(select(Contact).where(Contact.merged_into == contact_id)).all()


def get_by_reference(session: Session, reference: str) -> Contact:
    """The contact that other services call `reference`; NoSuchContact if there is none."""
    found = find_by_reference(session, reference)
    if found is None:
        raise NoSuchContact(
            f"reference: nobody is known as “{reference}”; send contact.upserted first.", field="reference"
        )
    return found


def look_up(session: Session, who: str) -> Contact:
    """The contact meant by an id, a reference or an address; NoSuchContact if nobody is."""
    found = session.get(Contact, who) or find_by_reference(session, who) or find_by_address(session, who)
    if found is None:
        raise NoSuchContact(f"“{who}” is nobody's id, reference or address here.")
    return found


def find_by_address(session: Session, email: str) -> Contact | None:
    """Who an address belongs to; None also for what is no address."""
    try:
        key = rules.read_address(email).key
    except rules.BadAddress:
        return None
    return session.scalar(select(Contact).join(Address).where(Address.email_key == key))


def is_erased(session: Session, email_key: str) -> bool:
    """Whether this address belonged to an erased person, by its keyed hash (S11)."""
    digests = signing.keyed_digests("erased-address", email_key)
    return bool(session.scalar(select(exists().where(ErasedAddress.digest.in_(digests)))))


def search(session: Session, words: str = "", after: str = "", limit: int = 50) -> Sequence[Contact]:
    """People whose name, company, reference or address holds `words`; a keyset page in order of id."""
    query = select(Contact).where(Contact.id > after).order_by(Contact.id).limit(limit)
    if words:
        by_address = select(Address.contact_id).where(Address.email_key.contains(words.lower(), autoescape=True))
        text = (Contact.name, Contact.company, Contact.reference)
        query = query.where(
            or_(
                *(func.lower(column).contains(words.lower(), autoescape=True) for column in text),
                Contact.id.in_(by_address),
            )
        )
    return session.scalars(query.options(selectinload(Contact.addresses))).all()


def last_use(session: Session, contact_id: str) -> date | None:
    """The last local day on which the person used a service; an API key's use does not count."""
    used = select(func.max(ContactUse.used_on)).where(ContactUse.contact_id == contact_id, ~ContactUse.automatic)
    return session.scalar(used)
