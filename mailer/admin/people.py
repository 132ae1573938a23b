"""People: the list, and one person with both standings side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock
from mailer.admin import queries, spreadsheet
from mailer.admin.notices import binding
from mailer.admin.notices.summary import why_lost
from mailer.admin.words import utc_iso
from mailer.consent import queries as consent
from mailer.consent import words
from mailer.consent.models import Suppression
from mailer.consent.rules import Act, Channel, Standing, why_withheld
from mailer.contacts import actions as contact_actions
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.db import reading, transaction
from mailer.errors import NotAllowed
from mailer.outbox import queries as outbox
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("people", __name__, url_prefix="/admin/people")
ORIGINS = {
    Origin.ACCOUNT_HOLDER: "Account holder",
    Origin.SUBSCRIBER: "Newsletter subscriber",
    Origin.THIRD_PARTY: "Entered by a customer",
}


@dataclass(frozen=True)
class MayGet:
    """Whether one person may get mail on one topic; since when and on whose word, or why not."""

    topic: str
    why_not: str | None
    since: datetime | None
    basis: str
    source: str
    wording: str


@bp.get("/")
@needs(May.SEE_PEOPLE)
def index() -> ResponseReturnValue:
    origin, before = _origin(request.args.get("origin", "")), request.args.get("before", "")
    with reading() as session:
        people = queries.people(session, origin, before)
    if request.args.get("format") == "csv":
        return _csv(people)
    own: dict[str, Any] = {"origin": origin.value} if origin else {}
    full = len(people) == queries.PAGE
    return render_template(
        "admin/people/index.html",
        people=people,
        origins=ORIGINS,
        origin=origin,
        csv=url_for("people.index", **own, before=before or None, format="csv"),
        next_page=url_for("people.index", **own, before=people[-1].id) if full else None,
        first_page=url_for("people.index", **own) if before else None,
    )


@bp.post("/<contact_id>/consumer")
@needs(May.SEE_PEOPLE)
def say_consumer(contact_id: str) -> ResponseReturnValue:
    """Say whether a person is a consumer: that decides how they agree, so it is for who may release."""
    if not current_staff().may(May.POLICY):
        raise NotAllowed("Your role does not include this; a policy officer can do it.")
    is_consumer = request.form.get("consumer") == "yes"
    with transaction() as session:
        contact = contacts.get(session, contact_id)
        is_new = contact_actions.set_consumer(session, contact, is_consumer, clock.now(), current_staff().id)
    if is_new:
        flash("This person is a consumer now." if is_consumer else "This person is no consumer any more.", "success")
    return redirect(url_for(".show", contact_id=contact_id), 303)


@bp.get("/<contact_id>")
@needs(May.SEE_PEOPLE)
def show(contact_id: str) -> ResponseReturnValue:
    with reading() as session:
        contact = contacts.get(session, contact_id)
        notices = queries.notices_of(session, contact.id)
        standing = consent.standing(session, contact)
        why_not_essential = why_withheld(Channel.ESSENTIAL, None, standing)
        return render_template(
            "admin/people/show.html",
            contact=contact,
            title=contact.name or (contact.primary.email if contact.primary else contact.id),
            origin=ORIGINS[contact.origin],
            must_not=words.WITHHELD[why_not_essential] if why_not_essential else None,
            may_get=_may_get(session, contact, standing),
            topics={topic.key: topic.name for topic in consent.topics(session)},
            history=consent.history(session, contact.id),
            basis=words.BASIS,
            granted=Act.GRANTED,
            suppressions={address.id: _suppressions(session, address.email_key) for address in contact.addresses},
            may_correct=current_staff().may(May.POLICY) and contact.erased_at is None,
            last_use=contacts.last_use(session, contact.id),
            notices=notices,
            bounds={version.id: binding.of(session, version, notice) for notice, version, _ in notices},
            why_lost=why_lost,
            agreed=queries.agreed_versions(session, contact.id),
            terminations=queries.terminations_of(session, contact.id),
            mails=queries.mails_of(session, contact.id),
            messages=outbox.of_contact(session, contact.id, limit=20),
            tasks=staff.tasks_about(session, contact.id),
        )


def _may_get(session: Session, contact: Contact, standing: Standing) -> list[MayGet]:
    events = {event.id: event for event in consent.history(session, contact.id)}
    said = consent.subscriptions(session, contact.id)
    found = []
    for topic in consent.topics(session):
        why = why_withheld(Channel.MARKETING, topic.key, standing)
        row = said.get(topic.key)
        event = events.get(row.event_id) if row else None
        found.append(
            MayGet(
                topic=topic.name,
                why_not=words.WITHHELD[why] if why else None,
                since=row.since if row else None,
                basis=words.BASIS[event.basis] if event else "",
                source=event.source if event else "",
                wording=event.wording if event else "",
            )
        )
    return found


def _suppressions(session: Session, email_key: str) -> list[tuple[Suppression, str]]:
    return [(row, words.SUPPRESSED[row.reason]) for row in consent.suppressions(session, email_key)]


def _csv(people: Sequence[Contact]) -> ResponseReturnValue:
    head = ("id", "name", "company", "email", "origin", "language", "since")
    rows = ((*_names(one), one.origin, one.locale, utc_iso(one.created_at)) for one in people)
    return spreadsheet.answer("people", head, rows)


def _names(one: Contact) -> tuple[str, str, str, str]:
    return one.id, one.name, one.company, one.primary.email if one.primary else ""


def _origin(text: str) -> Origin | None:
    return Origin(text) if text in set(Origin) else None
