"""Receive, confirm and close requests to terminate. The first mail's time always stands; one receipt each (S4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer import ids
from mailer.contacts.models import Contact
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.policies.models import Version
from mailer.terminations import mail, queries, rules
from mailer.terminations.models import Termination
from mailer.terminations.rules import UNDECIDED, State


class AlreadyDecided(Conflict):
    """A termination that is recorded or closed is not decided again."""


def receive(
    session: Session,
    *,
    contact: Contact,
    version: Version | None,
    respond_by_on: date | None,
    received_at: datetime,
    received_on: date,
    source_id: str,
    state: State,
    at: datetime,
    in_reply_to: str = "",
) -> Termination:
    """Keep a request. `state` says what it needs yet: nothing (RECORDED), a click at the primary address, or a person.

    The same source gives the first row back. A second mail adds no second termination and gets no second answer;
    it may settle what the first left open.
    """
    known = queries.by_source(session, source_id) or queries.standing_of(
        session, contact.id, version.id if version else None
    )
    if known is not None:
        if state is State.RECORDED and known.state in UNDECIDED:
            record(session, known, at)
        return known
    termination = Termination(
        id=ids.new("trm"),
        source_id=source_id,
        contact_id=contact.id,
        version_id=version.id if version else None,
        state=State.FOR_PERSON if state is State.RECORDED else state,
        timing=rules.timing(received_on, respond_by_on),
        received_at=received_at,
        received_on=received_on,
        respond_by_on=respond_by_on,
        in_reply_to=in_reply_to,
    )
    session.add(termination)
    session.flush()
    ledger.record(session, "termination.received", at, contact_id=contact.id, **_facts(termination))
    ledger.tell(session, "termination.received", at, contact_id=contact.id, **_facts(termination))
    if state is State.RECORDED:
        record(session, termination, at)
    elif state is State.TO_BE_CONFIRMED:
        mail.ask_to_confirm(session, termination, contact, version, at)
    return termination


def record(session: Session, termination: Termination, at: datetime, staff_id: str | None = None) -> bool:
    """The termination stands: sent its receipt, once, and told to other services. False if it stood already."""
    if termination.state is State.RECORDED:
        return False
    if termination.state not in UNDECIDED:
        raise AlreadyDecided("This termination was withdrawn or closed; the person has to ask again.")
    termination.state, termination.recorded_at, termination.decided_by = State.RECORDED, at, staff_id
    contact = session.get_one(Contact, termination.contact_id)
    version = session.get(Version, termination.version_id) if termination.version_id else None
    mail.send_receipt(session, termination, contact, version, at)
    ledger.record(session, "termination.recorded", at, contact_id=contact.id, **_facts(termination))
    ledger.tell(session, "termination.confirmed", at, contact_id=contact.id, **_facts(termination))
    return True


def close(session: Session, termination: Termination, at: datetime, staff_id: str) -> None:
    """A person found that it was not meant as a termination."""
    if termination.state not in UNDECIDED:
        raise AlreadyDecided("This termination was decided already; nothing was changed.")
    termination.state, termination.decided_by = State.CLOSED, staff_id
    ledger.record(
        session, "termination.closed", at, contact_id=termination.contact_id, **_facts(termination), staff=staff_id
    )


def _facts(termination: Termination) -> dict[str, Any]:
    return {
        "termination": termination.id,
        "version": termination.version_id,
        "timing": termination.timing.value,
        "received_on": termination.received_on.isoformat(),
        "source": termination.source_id,
    }
