"""Make one person of two rows: what is known of one goes over to the other (DESIGN §5, “merged contacts”)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailer.contacts import actions, rules
from mailer.contacts.models import Address, Contact, ContactUse
from mailer.errors import Conflict
from mailer.ledger import actions as ledger


class NotMergeable(Conflict):
    """Two rows that cannot become one person."""


def merge(session: Session, kept: Contact, other: Contact, at: datetime, staff_id: str) -> None:
    """Addresses and uses of `other` go to `kept`, whose primary address stays; the other row is empty and closed.

    The reference of the other still leads here. Doors call `admin.merging.merge`, which sees to every other room.
    """
    _check(kept, other)
    for address in other.addresses:
        address.is_primary = False
    session.flush()  # the old primary must step down before the unique index sees it beside the other
    session.execute(update(Address).where(Address.contact_id == other.id).values(contact_id=kept.id))
    for use in session.scalars(select(ContactUse).where(ContactUse.contact_id == other.id)).all():
        actions.record_use(session, kept, use.used_on, use.last_at, use.source, use.automatic)
    session.execute(delete(ContactUse).where(ContactUse.contact_id == other.id))
    session.expire(kept, ["addresses"])
    session.expire(other, ["addresses"])
    _describe(session, kept, other, at)
    if kept.primary is None and kept.addresses:
        kept.addresses[0].is_primary = True
    session.flush()
    ledger.record(session, "contact.merged", at, contact_id=kept.id, other=other.id, staff=staff_id or None)
    ledger.tell(session, "contact.merged", at, contact_id=kept.id, other=other.id)


def _check(kept: Contact, other: Contact) -> None:
    if kept.id == other.id:
        raise NotMergeable("These two are the same person already.")
    for one in (kept, other):
        if one.erased_at is not None:
            raise NotMergeable(f"{one.id} was erased; nobody can be made of it.")
        if one.merged_into is not None:
            raise NotMergeable(f"{one.id} was merged into {one.merged_into} before.")


def _describe(session: Session, kept: Contact, other: Contact, at: datetime) -> None:
    """What was not known of the one is known by the other; a person is a consumer if either was said to be one."""
    kept.name, kept.company = kept.name or other.name, kept.company or other.company
    kept.time_zone = kept.time_zone or other.time_zone
    kept.origin = rules.stronger(kept.origin, other.origin)
    kept.is_consumer = kept.is_consumer or other.is_consumer
    kept.closed_at = None if other.closed_at is None else kept.closed_at
    kept.created_at = min(kept.created_at, other.created_at)
    reference = other.reference
    if kept.reference is None and reference is not None:
        other.reference = None
        session.flush()
        kept.reference = reference
    other.name = other.company = ""
    other.time_zone = None
    other.merged_into, other.closed_at = kept.id, other.closed_at or at
    session.flush()
