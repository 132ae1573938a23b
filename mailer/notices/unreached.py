"""Whom no notice reached, and the ways back: another address, what a service showed, a letter (S2; invariant 7)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.contacts.rules import read_address, read_line
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.notices import clocks, facts, letters, queries, rules
from mailer.notices.models import Notice
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.staff import tasks

PROOF_LIMIT = 200


class NotToBeReached(Conflict):
    """A notice that needs no other way: it reached its person, it is under way, or its version was withdrawn."""


class NotTheirs(Invalid):
    """An address that is not on file for this person."""

    field = "email"


class BadDay(Invalid):
    """A day on which this letter cannot have been handed over."""

    field = "delivered_on"


def mail_failed(session: Session, notice: Notice, kind: FactKind, why: str, at: datetime) -> None:
    """The mail did not reach the person: unreached, unless a service's announcement or a letter did."""
    now = facts.happened(session, notice, kind, at, message_row=notice.message_row, why=why)
    if now.state is NoticeState.UNREACHED:
        tell(session, notice, at)
    elif now.days is not None:  # something else had reached the person
        said: dict[str, Any] = {
            "version": notice.version_id,
            "via": now.via.value,
            "evidence": now.evidence,
        } | now.days.spelled
        ledger.record(session, "notice.reached_otherwise", at, contact_id=notice.contact_id, **said)
        ledger.tell(session, "notice.accepted", at, contact_id=notice.contact_id, **said)


def tell(session: Session, notice: Notice, at: datetime) -> None:
    """Put a person who was not reached on the desk, and let other services hear of it."""
    version = _version(session, notice)
    ledger.record(session, "notice.unreached", at, contact_id=notice.contact_id, version=version.id)
    ledger.tell(session, "notice.unreached", at, contact_id=notice.contact_id, version=version.id)
    tasks.open_task(
        session,
        key=_task_key(notice),
        kind="unreached",
        text=f"A notice of “{version.policy.title}”, version {version.number}, did not reach this person. "
        "Write to another address on file, let a service show it, or send a letter; "
        "until then the change does not bind them.",
        subject_id=version.id,
        contact_id=notice.contact_id,
        due_on=version.effective_on,
        at=at,
    )


def other_addresses(session: Session, notice: Notice) -> list[str]:
    """The addresses on file to which this notice was not sent yet."""
    contact = session.get_one(Contact, notice.contact_id)
    tried = queries.addresses_tried(session, notice)
    return [address.email for address in contact.addresses if address.email_key not in tried]


def tell_at(session: Session, notice: Notice, email: str, staff_id: str, at: datetime) -> Message:
    """Send the notice to another of the person's addresses. Its clock starts when a server takes it.

    The primary address stays what it is: that is for the person, or their service, to change.
    """
    _check_unreached(notice)
    contact = session.get_one(Contact, notice.contact_id)
    key = read_address(email).key
    address = next((one for one in contact.addresses if one.email_key == key), None)
    if address is None:
        raise NotTheirs("email: this address is not on file for this person; add it to the person first.")
    mailing = queries.find_mailing(session, notice.version_id)
    assert mailing is not None
    content_id = letters.in_language(mailing.contents, contact.locale)
    said = rules.key_of(notice.version_id, f"{address.id}/{notice.message_row}")
    message = outbox.put(
        session, kind=MailKind.NOTICE, contact=contact, content_id=content_id, key=said, to_address=email, at=at
    )
    if message.state is not State.QUEUED:
        raise NotToBeReached("Mail to this address is stopped: it is known to be dead. Choose another way.")
    plan_again(session, notice, message, "other address", at, staff=staff_id)
    return message


def plan_again(
    session: Session, notice: Notice, message: Message, because: str, at: datetime, *, staff: str = ""
) -> None:
    """Another mail carries the notice now; what was reckoned from the one before is void."""
    before = facts.standing(session, notice.version_id, notice.contact_id)
    said: dict[str, Any] = {"version": notice.version_id, "message": message.id, "because": because}
    said |= before.days.spelled if before.days else {}
    ledger.record(session, "notice.planned_again", at, contact_id=notice.contact_id, staff=staff or None, **said)
    facts.happened(session, notice, FactKind.PLANNED_AGAIN, at, message_row=message.row, because=because, staff=staff)
    _off_the_desk(session, notice, "Another mail is on its way.", at)


def shown(session: Session, notice: Notice, shown_at: datetime, evidence: str, at: datetime) -> bool:
    """A service showed the announcement to the person, signed in there: this starts the clock of whom no mail reached.

    While a mail is under way or has been taken, what was shown is kept and counts if that mail fails. False where it
    changes nothing: the version is over, was shown before, or cannot have been shown yet.
    """
    if shown_at < _version(session, notice).released_at:
        return False
    return _reached_beside(session, notice, FactKind.ANNOUNCED, clocks.day_of(shown_at), evidence, "", at)


def record_letter(
    session: Session, notice: Notice, delivered_on: date, proof: str, staff_id: str, at: datetime
) -> None:
    """A letter was handed over on a local day; `proof` says how that is known, such as the number of the item.

    NotToBeReached where the notice is not unreached, BadDay for a day before the release or still to come.
    """
    _check_unreached(notice)
    proof = read_line(proof, "proof")
    if not proof or len(proof) > PROOF_LIMIT:
        raise Invalid(f"proof: say how it is known, in 1 to {PROOF_LIMIT} characters.", field="proof")
    released_on = clocks.day_of(_version(session, notice).released_at)
    if not released_on <= delivered_on <= clocks.day_of(at):
        raise BadDay("delivered_on: choose a day between the release of the version and today.")
    _reached_beside(session, notice, FactKind.LETTER, delivered_on, rules.without_addresses(proof), staff_id, at)


def end_for(session: Session, contact: Contact, why: str, at: datetime) -> None:
    """Nothing more comes of any notice to this row: it is no person of its own any more."""
    mine = select(Notice).where(Notice.contact_id == contact.id, Notice.state != NoticeState.ENDED)
    for notice in session.scalars(mine).all():
        facts.happened(session, notice, FactKind.ENDED, at, message_row=notice.message_row, why=why)
        _off_the_desk(session, notice, "The person was merged.", at)


def _reached_beside(
    session: Session, notice: Notice, kind: FactKind, on: date, evidence: str, staff_id: str, at: datetime
) -> bool:
    before = facts.standing(session, notice.version_id, notice.contact_id)
    days = clocks.on(_version(session, notice), on).days
    if before.state is NoticeState.ENDED or before.otherwise is not None:
        return False
    now = facts.happened(session, notice, kind, at, days=days, evidence=evidence, staff=staff_id)
    said: dict[str, Any] = {"version": notice.version_id, "via": kind.value, "evidence": evidence} | days.spelled
    ledger.record(session, f"notice.{kind.value}", at, contact_id=notice.contact_id, staff=staff_id or None, **said)
    if before.state is NoticeState.UNREACHED and now.state is NoticeState.ACCEPTED:
        ledger.tell(session, "notice.accepted", at, contact_id=notice.contact_id, **said)
        _off_the_desk(session, notice, f"Reached by {kind.value}.", at)
    return True


def _check_unreached(notice: Notice) -> None:
    if notice.state is not NoticeState.UNREACHED:
        raise NotToBeReached("This person is not unreached any more; load the page again to see where they stand.")


def _off_the_desk(session: Session, notice: Notice, note: str, at: datetime) -> None:
    tasks.settle(session, f"unreached/{notice.version_id}/{notice.contact_id}/", note, at)


def _task_key(notice: Notice) -> str:
    return f"unreached/{notice.version_id}/{notice.contact_id}/{notice.message_row}"


def _version(session: Session, notice: Notice) -> Version:
    return policies.get_version(session, notice.version_id)
