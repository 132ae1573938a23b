"""Find people by what somebody remembers of them, among a million and on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from mailer import db
from mailer.contacts.models import Address, Contact

FEW = 1_000  # people who go by some words


def is_called(session: Session, who: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """Whether a person is meant by these words: an id, reference or address, else a part of a name or address.

    Few are named one by one. Where many go by the words the list soon finds a page of them, one after the other.
    """
    exact = select(Contact.id).where(or_(Contact.id == words, Contact.reference == words))
    address = select(Address.contact_id).where(Address.email_key == words.lower())
    named, owner = select(Contact.id).where(_has_name(session, words)), Contact.id
    if "@" in words:
        named, owner = select(Address.contact_id).where(_has_key(words)), Address.contact_id
    for meant in (exact, address, named):
        found = session.scalars(meant.limit(FEW + 1)).all()
        if len(found) > FEW:
            return meant.where(owner == who).exists()
        if found:
            return who.in_(found)
    return false()


def _has_key(words: str) -> ColumnElement[bool]:
    """Whether an address holds these words; its key is in lower case."""
    return Address.email_key.contains(words.lower(), autoescape=True)


def _has_name(session: Session, words: str) -> ColumnElement[bool]:
    """Whether a name holds these words, capitals or not.

    Both databases fold ASCII alone (PostgreSQL with the collation C, which takes half the time of a language's): other
    letters are looked for as typed, all small, and all capital.
    """
    name: Any = Contact.name
    if db.is_postgresql(session):
        name = func.lower(Contact.name.collate("C"))
    spelled = {_fold(each) for each in (words, words.lower(), words.upper())}
    return or_(*(name.contains(each, autoescape=True) for each in sorted(spelled)))


def _fold(text: str) -> str:
    """ASCII letters in lower case, all others as they are."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
