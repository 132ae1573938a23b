"""What the pages of the reply desk show; they only look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from mailer import settings
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.errors import Invalid, MailerError
from mailer.inbound import child, clocks, decisions, desk, matching, queries
from mailer.inbound.actions import SHOWN_TEXT, reading_for_desk
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail, InboundReading
from mailer.inbound.rules import Kind
from mailer.outbox.models import Message
from mailer.staff import queries as staff
from mailer.staff.models import Staff
from mailer.staff.rules import May, Role, may

ALL, NOBODY = "all", "nobody"
STATES = {
    DeskState.FOR_PERSON: "Waiting for a person",
    DeskState.KEPT: "Not read yet",
    DeskState.SETTLED: "Settled by the machine",
    DeskState.DECIDED: "Decided by a person",
}
VIEWS = {"text": "Whole text", "html": "As HTML", "headers": "Headers", "source": "Source"}


@dataclass(frozen=True)
class Chosen:
    """What a list shows, as it stands in its address; nothing personal is in it (invariant 12)."""

    state: str = DeskState.FOR_PERSON.value
    kind: str = ""
    contact: str = ""
    to: str = ""

    @property
    def filters(self) -> dict[str, Any]:
        """The same for the query."""
        return {
            "state": DeskState(self.state) if self.state in set(DeskState) else None,
            "kind": Kind(self.kind) if self.kind in set(Kind) else None,
            "contact_id": self.contact,
            "assigned_to": self.to,
        }

    def address(self, **other: str) -> str:
        """The address of the list, with what is chosen otherwise."""
        kept: dict[str, Any] = {"state": self.state, "kind": self.kind, "contact": self.contact, "to": self.to} | other
        return url_for("inbound_admin.index", **{name: value for name, value in kept.items() if value})


def list_page(session: Session, chosen: Chosen, *, words: str, after: str, limit: int, at: datetime) -> dict[str, Any]:
    """The facts of a list."""
    mails = queries.desk(session, **chosen.filters, words=words, after=after, limit=limit)
    people = {mail.contact_id: contacts.get(session, mail.contact_id) for mail in mails if mail.contact_id}
    contact = contacts.get(session, chosen.contact) if chosen.contact else None
    is_full = len(mails) == limit and not words
    return {
        "mails": mails,
        "people": {key: name_of(person) for key, person in people.items()},
        "chosen": chosen,
        "tabs": _tabs(session, chosen),
        "states": STATES,
        "kinds": queries.counts_of_kinds(session, chosen.filters["state"]),
        "colleagues": colleagues(session),
        "names": staff.names(session),
        "clocks": clocks.of(session, mails, at, settings.current().zone),
        "contact": name_of(contact) if contact else "",
        "words": words,
        "next_href": chosen.address(after=mails[-1].id) if is_full else None,
        "first_href": chosen.address() if after else None,
    }


def mail_page(session: Session, mail: InboundMail, *, view: str, at: datetime) -> dict[str, Any]:
    """The facts of one mail's page; only the source needs its bytes, and of those only the beginning."""
    view = view if view in VIEWS else "text"
    read = read_of(session, mail)
    message = session.get(Message, mail.message_row) if mail.message_row else None
    contact = session.get(Contact, mail.contact_id) if mail.contact_id else None
    source = queries.beginning(session, mail, SHOWN_TEXT) if view == "source" else b""
    return {
        "mail": mail,
        "read": read,
        "contact": contact,
        "message": message,
        "message_text": _text_of(message),
        "notice": queries.notice_of_message(session, message.row) if message else None,
        "clock": clocks.of(session, [mail], at, settings.current().zone).get(mail.id),
        "came_by": queries.doors_of(session, mail.id),
        "notes": queries.notes(session, mail.id),
        "next_id": queries.next_waiting(session, mail.id),
        "names": staff.names(session),
        "colleagues": colleagues(session),
        "states": STATES,
        "view": view,
        "views": [
            {"href": url_for("inbound_admin.show", mail_id=mail.id, view=key), "label": label, "current": key == view}
            for key, label in VIEWS.items()
        ],
        "source": source.decode("utf-8", "replace"),
        "is_cut": mail.size > SHOWN_TEXT,
        "shown_text": SHOWN_TEXT,
        "goes_to": _goes_to(session, mail, read),
    }


def read_of(session: Session, mail: InboundMail) -> InboundReading:
    """What was kept of the reading; a mail of an earlier release is read again, in the child with its limits."""
    kept = session.get(InboundReading, mail.id)
    if kept is not None or mail.state is DeskState.KEPT:
        return kept or InboundReading(mail_id=mail.id, from_name="", text="", html="", headers=[], attachments=[])
    reading = child.read(mail.raw)
    found = matching.match(session, mail.recipient, reading.mail, is_vouched=mail.is_vouched)
    return reading_for_desk(mail, reading, found)


def colleagues(session: Session) -> Sequence[Staff]:
    """Who may answer a mail, by name."""
    return [
        one
        for one in staff.all_staff(session)
        if one.disabled_at is None and may([Role(role) for role in one.roles], May.REPLY)
    ]


def name_of(contact: Contact) -> str:
    """What a person is called on these pages."""
    return contact.name or (contact.primary.email if contact.primary else contact.id)


def _tabs(session: Session, chosen: Chosen) -> list[dict[str, Any]]:
    counts = queries.counts(session)
    labels = {one.value: f"{label} ({counts.get(one, 0):,})" for one, label in STATES.items()} | {ALL: "All"}
    return [
        {"href": chosen.address(state=one), "label": label, "current": one == chosen.state}
        for one, label in labels.items()
    ]


def _goes_to(session: Session, mail: InboundMail, read: InboundReading) -> tuple[str, str]:
    """(address an answer goes to, why there can be none): one of the two is empty."""
    try:
        why_not = desk.why_not_answered(mail.kind or Kind.UNSURE, mail.sender, bool(read.is_auto))
        return ("", why_not) if why_not else (decisions.answers_to(session, mail)[1], "")
    except Invalid as fault:
        return "", str(fault)


def _text_of(message: Message | None) -> str:
    """The words of our mail that this one answers, as they were sent; empty if they cannot be made any more."""
    if message is None:
        return ""
    try:
        return compose.render(message.content, compose.values(message)).text[:SHOWN_TEXT]
    except MailerError:
        return ""
