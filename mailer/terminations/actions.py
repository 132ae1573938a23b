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
from mailer.staff import tasks
from mailer.terminations import mail, queries, rules
from mailer.terminations.models import Termination
from mailer.terminations.rules import TAKEN_BACK, UNDECIDED, State


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
    staff_id: str | None = None,
    answers_mail: bool = False,
) -> Termination:
    """Keep a request. `state` says what it needs yet: nothing (RECORDED), a click at the primary address, or a person.

    The same source gives the first row back. A second mail adds no second termination; it may settle what the first
    left open, or have the question asked again when the first may have been lost. `answers_mail` says that a machine
    would answer a mail: where it has answered enough, a person looks instead (`rules.may_answer`).
    """
    _lock(session, contact)  # two mails of one person are taken one after the other
    version_id = version.id if version else None
    if answers_mail:
        state = _as_far_as_answered(session, contact.id, version_id, state, at)
    known = queries.by_source(session, source_id) or queries.find_first(session, contact.id, version_id, received_on)
    if known is not None:
        _date_back(session, known, received_at, received_on, at)
        if state is State.RECORDED:
            _settle(session, known, at, staff_id)
        elif state is State.TO_BE_CONFIRMED and known.state is State.TO_BE_CONFIRMED and answers_mail:
            mail.ask_to_confirm(session, known, contact, version, at)
        return known
    termination = Termination(
        id=ids.new("trm"),
        source_id=source_id,
        contact_id=contact.id,
        version_id=version_id,
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
        record(session, termination, at, staff_id)
    elif state is State.TO_BE_CONFIRMED:
        mail.ask_to_confirm(session, termination, contact, version, at)
    return termination


def record(session: Session, termination: Termination, at: datetime, staff_id: str | None = None) -> bool:
    """The termination stands: sent its receipt, once, and told to other services. False if it stood already.

    Only staff take up again what was closed.
    """
    _lock(session, termination)
    if termination.state is State.RECORDED:
        return False
    if termination.state not in UNDECIDED and staff_id is None:
        raise AlreadyDecided(
            "This request to terminate was closed. If you do want to terminate, answer any of our mails."
        )
    termination.state, termination.recorded_at, termination.decided_by = State.RECORDED, at, staff_id
    contact = session.get_one(Contact, termination.contact_id)
    version = session.get(Version, termination.version_id) if termination.version_id else None
    mail.send_receipt(session, termination, contact, version, at)
    _off_the_desk(session, termination, at)
    ledger.record(session, "termination.recorded", at, contact_id=contact.id, **_facts(termination), staff=staff_id)
    ledger.tell(session, "termination.confirmed", at, contact_id=contact.id, **_facts(termination))
    return True


def close(session: Session, termination: Termination, at: datetime, staff_id: str | None) -> None:
    """It was not meant as a termination: staff found so, or (without a `staff_id`) the person who was asked says so."""
    _lock(session, termination)
    if termination.state not in UNDECIDED:
        raise AlreadyDecided("This termination was decided already; nothing was changed.")
    termination.state, termination.decided_by = State.CLOSED, staff_id
    _off_the_desk(session, termination, at)
    _tell(session, "termination.closed", termination, at, staff_id)


def ask_staff(session: Session, at: datetime) -> None:
    """Put each question that nobody answered for a week on the desk: the person may not have got it."""
    for waiting in queries.unanswered(session, at - rules.ANSWERS_APART):
        text = "A termination was not confirmed for a week. Ask the person by another way, then decide it."
        _open_task(session, waiting, f"termination/{waiting.id}", text, at)


def show_staff(session: Session, termination: Termination, because: str, at: datetime) -> None:
    """Put a request on the desk that no mail there stands for; once for each cause, said by one word or id."""
    text = "A termination waits for a person, and no mail on the desk stands for it. Ask the person, then decide it."
    _open_task(session, termination, f"termination/{termination.id}/{because}", text, at)


def reopen(session: Session, termination: Termination, at: datetime, staff_id: str) -> bool:
    """A colleague takes a decision back: it waits for a person again. Whether its receipt had gone out already."""
    _lock(session, termination)
    if termination.state not in (State.RECORDED, State.CLOSED):
        return False
    stood = termination.state is State.RECORDED
    termination.state, termination.recorded_at, termination.decided_by = State.FOR_PERSON, None, None
    had_gone = stood and not mail.stop_receipt(session, termination, at)
    if stood:  # who was told that it stands must hear that it does not
        _tell(session, "termination.withdrawn", termination, at, staff_id)
    facts = _facts(termination)
    ledger.record(session, "termination.reopened", at, contact_id=termination.contact_id, **facts, staff=staff_id)
    return had_gone


def withdraw(session: Session, termination: Termination, at: datetime, staff_id: str) -> None:
    """The person takes a termination back, whether it stood already or not; nothing ends because of it any more."""
    _lock(session, termination)
    if why_not := rules.why_not_withdrawn(termination.state):
        raise AlreadyDecided(why_not)
    termination.state, termination.decided_by = State.WITHDRAWN, staff_id
    _off_the_desk(session, termination, at)
    _tell(session, "termination.withdrawn", termination, at, staff_id)


def make_ordinary(session: Session, termination: Termination, at: datetime) -> bool:
    """The person takes up the offer to treat a late termination as an ordinary cancellation; False if it is done."""
    _lock(session, termination)
    if termination.ordinary_at is not None:
        return False
    if not rules.is_offered(termination.state, termination.timing, termination.ordinary_at):
        raise AlreadyDecided("There is no open offer for this termination; answer any of our mails if you need help.")
    termination.ordinary_at = at
    _tell(session, "termination.ordinary", termination, at, None)
    return True


def date_back(session: Session, termination: Termination, received_at: datetime, on: date, at: datetime) -> None:
    """The mail had come earlier than was known; a person who was told “late” hears that it was in time."""
    _lock(session, termination)
    _date_back(session, termination, received_at, on, at)


def disown(session: Session, termination: Termination, at: datetime, staff_id: str) -> None:
    """A person found that somebody else wrote the mail: closed, and the mail is free to be that other's request."""
    if termination.state not in TAKEN_BACK:
        close(session, termination, at, staff_id)
    termination.source_id = termination.id
    session.flush()


def _open_task(session: Session, termination: Termination, key: str, text: str, at: datetime) -> None:
    tasks.open_task(
        session,
        key=key,
        kind="termination",
        text=text,
        subject_id=termination.id,
        contact_id=termination.contact_id,
        due_on=termination.respond_by_on,
        at=at,
    )


def _off_the_desk(session: Session, termination: Termination, at: datetime) -> None:
    tasks.settle(session, f"termination/{termination.id}", "It was decided.", at)


def _as_far_as_answered(session: Session, contact_id: str, version_id: str | None, state: State, at: datetime) -> State:
    """The state that a mail may bring a request to; a person's, where a machine has answered enough in this case."""
    if state is State.FOR_PERSON:
        return state
    earlier = queries.answered_at(session, contact_id, version_id)
    return state if rules.may_answer(earlier, at, is_owed=state is State.RECORDED) else State.FOR_PERSON


def _tell(session: Session, kind: str, termination: Termination, at: datetime, staff_id: str | None) -> None:
    """Put an outcome into the ledger and tell the other services."""
    facts = _facts(termination)
    ledger.record(session, kind, at, contact_id=termination.contact_id, **facts, staff=staff_id)
    ledger.tell(session, kind, at, contact_id=termination.contact_id, **facts)


def _lock(session: Session, row: Contact | Termination) -> None:
    session.flush()  # a refresh forgets what was changed and not written yet
    session.refresh(row, with_for_update=True)


def _settle(session: Session, known: Termination, at: datetime, staff_id: str | None) -> None:
    if known.state in UNDECIDED or (staff_id is not None and known.state in TAKEN_BACK):
        record(session, known, at, staff_id)


def _date_back(session: Session, known: Termination, received_at: datetime, received_on: date, at: datetime) -> None:
    """An earlier mail that was only read later: its time stands, also where that makes a late request one in time."""
    if received_at >= known.received_at:
        return
    known.received_at, known.received_on = received_at, received_on
    timing = rules.timing(received_on, known.respond_by_on)
    if timing is known.timing:
        return
    known.timing = timing
    ledger.record(session, "termination.dated_back", at, contact_id=known.contact_id, **_facts(known))
    if known.state is State.RECORDED:  # the receipt said “late”: the person hears that it was in time
        contact = session.get_one(Contact, known.contact_id)
        version = session.get(Version, known.version_id) if known.version_id else None
        mail.send_receipt(session, known, contact, version, at, corrects=True)


def _facts(termination: Termination) -> dict[str, Any]:
    return {
        "termination": termination.id,
        "version": termination.version_id,
        "timing": termination.timing.value,
        "received_on": termination.received_on.isoformat(),
        "source": termination.source_id,
    }
