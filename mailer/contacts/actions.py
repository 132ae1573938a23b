"""Change what is known of people. An upsert adds and corrects; it never weakens an origin or brings the erased back."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailer import ids, signing
from mailer.contacts import queries, rules
from mailer.contacts.models import Address, Contact, ContactUse, ErasedAddress
from mailer.contacts.rules import Origin
from mailer.errors import Conflict
from mailer.ledger import actions as ledger


class AddressErased(Conflict):
    """The address belonged to somebody who was erased (S11)."""

    field = "email"


class AddressTaken(Conflict):
    """The address belongs to another person."""

    field = "email"


def upsert(
    session: Session,
    *,
    email: str,
    origin: Origin,
    at: datetime,
    source: str,
    reference: str | None = None,
    name: str = "",
    company: str = "",
    locale: str = "",
    time_zone: str = "",
    is_consumer: bool | None = None,
    reopens: bool = True,
) -> Contact:
    """Add a person or correct what is known; found by reference, else by address. Empty text corrects nothing,
    and neither does None.

    The address becomes the primary one, unless the person was found by it. `reopens` says whether whoever calls knows
    that a closed account is open again.
    """
    address = rules.read_address(email)
    name, company = rules.read_line(name, "name"), rules.read_line(company, "company")
    locale, time_zone = rules.read_locale(locale), rules.read_time_zone(time_zone)
    reference = rules.read_line(reference, "reference", 120) if reference else None
    if queries.is_erased(session, address.key):
        raise AddressErased("email: this address belonged to a person who was erased; it cannot be brought back.")
    owner = session.scalar(select(Address).where(Address.email_key == address.key))
    found = queries.find_by_reference(session, reference) if reference else None
    if found is None and owner is not None and (reference is None or owner.contact.reference is None):
        found = owner.contact
    if owner is not None and found is not owner.contact:
        raise AddressTaken("email: this address belongs to another person; correct one of the two.")
    before = None if found is None else _known(found)
    if found is None:
        found = Contact(id=ids.new("con"), origin=origin, created_at=at, name="", company="", locale="en", addresses=[])
        found.is_consumer = False
        session.add(found)
    found.reference = found.reference or reference
    found.name, found.company = name or found.name, company or found.company
    found.locale, found.time_zone = locale or found.locale, time_zone or found.time_zone
    if is_consumer is not None:
        found.is_consumer = is_consumer
    found.origin = rules.stronger(found.origin, origin)
    found.closed_at = None if reopens else found.closed_at
    if owner is None or (reference is not None and not owner.is_primary):
        _make_primary(session, found, owner, address, at)
    session.flush()
    if before != _known(found):
        kind = "contact.corrected" if before else "contact.added"
        ledger.record(session, kind, at, contact_id=found.id, source=source)
    return found


def record_use(
    session: Session, contact: Contact, used_on: date, used_at: datetime, source: str, automatic: bool
) -> bool:
    """Note that a service was used; one row a day, source and sort of use. False if it was known already."""
    key = {"contact_id": contact.id, "used_on": used_on, "source": source, "automatic": automatic}
    known = session.scalar(select(ContactUse).filter_by(**key))
    if known is not None:
        known.last_at = max(known.last_at, used_at)
        return False
    session.add(ContactUse(**key, last_at=used_at))
    session.flush()
    return True


def close(session: Session, contact: Contact, at: datetime) -> None:
    """The account is closed: no more marketing, and no notice of a later version."""
    session.refresh(contact, with_for_update=True)  # ordered against the last look before a send
    if contact.closed_at is None:
        contact.closed_at = at
        ledger.record(session, "contact.closed", at, contact_id=contact.id)


def set_consumer(session: Session, contact: Contact, is_consumer: bool, at: datetime, staff_id: str) -> bool:
    """Say whether the person is a consumer, who never agrees by mere use; False if that is how it stands."""
    session.refresh(contact, with_for_update=True)
    if contact.is_consumer is is_consumer:
        return False
    contact.is_consumer = is_consumer
    session.flush()
    ledger.record(session, "contact.corrected", at, contact_id=contact.id, consumer=is_consumer, staff=staff_id)
    return True


def erase(session: Session, contact: Contact, at: datetime) -> None:
    """Take the person out of this room: name and addresses go, keyed hashes of the addresses stay (S11).

    Doors call `admin.erasure.erase`, which empties every other room too.
    """
    session.refresh(contact, with_for_update=True)  # ordered against the last look before a send
    for address in contact.addresses:
        digest = signing.keyed_digest("erased-address", address.email_key)
        session.merge(ErasedAddress(digest=digest, erased_at=at))
    session.execute(delete(Address).where(Address.contact_id == contact.id))
    session.expire(contact, ["addresses"])
    contact.name = contact.company = ""
    contact.reference = contact.time_zone = None
    contact.erased_at = at
    ledger.forget(session, contact.id)
    ledger.record(session, "contact.erased", at, contact_id=contact.id)
    ledger.tell(session, "contact.erased", at, contact_id=contact.id)


def _known(contact: Contact) -> tuple[object, ...]:
    primary = contact.primary
    said = (contact.reference, contact.name, contact.company, contact.locale, contact.time_zone)
    return (*said, contact.origin, contact.is_consumer, contact.closed_at, primary.email_key if primary else "")


def _make_primary(
    session: Session, contact: Contact, known: Address | None, address: rules.MailAddress, at: datetime
) -> None:
    for other in contact.addresses:
        other.is_primary = False
    session.flush()  # the old primary must step down before the unique index sees the new one
    if known is not None:
        known.is_primary = True
        return
    contact.addresses.append(
        Address(id=ids.new("adr"), email=address.email, email_key=address.key, is_primary=True, created_at=at)
    )
