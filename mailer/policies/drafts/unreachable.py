"""The people concerned by a policy whom no mail can reach, so far as is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mailer.consent.rules import Channel, Withheld
from mailer.contacts.models import Contact
from mailer.outbox import audience

PAGE = 50
WHY = {Withheld.DEAD_ADDRESS: "Mail to the address came back for good", Withheld.NO_ADDRESS: "No address is known"}


@dataclass(frozen=True)
class Unreachable:
    """One person, with the address that does not work, if there is one, and why."""

    contact: Contact
    email: str
    why: str


def people(session: Session, concerns: list[str], after: str = "", limit: int = PAGE) -> Sequence[Unreachable]:
    """Those after the contact with this id, by id."""
    query = audience.concerned(audience.of_origins(concerns), Channel.ESSENTIAL)
    known = audience.why_withheld(Channel.ESSENTIAL, None).in_([why.value for why in WHY])
    rows = session.execute(query.where(known, Contact.id > after).order_by(Contact.id).limit(limit))
    return [
        Unreachable(contact, address.email if address else "", WHY[Withheld(str(why))])
        for contact, address, why in rows
    ]
