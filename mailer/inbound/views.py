"""The link in a notice that begins a termination: GET shows, POST acts, and the primary address confirms (STYLE §13).

It stands here because it needs both the notice and the terminations, which are strangers to each other.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, ids, settings, signing
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.inbound import effects, queries
from mailer.notices import queries as notices
from mailer.outbox.models import Message
from mailer.signing import BadToken
from mailer.terminations.rules import State
from mailer.terminations.views import page, ring

bp = Blueprint("inbound_views", __name__)
# the page after the press; where the request ended meanwhile there is nothing to show, and one may press again
PRESSED = {State.TO_BE_CONFIRMED: "started", State.FOR_PERSON: "noted", State.RECORDED: "done"}


@bp.get("/terminations/start/<token>")
def show(token: str) -> ResponseReturnValue:
    """What the link would do, or has done."""
    with reading() as session:
        message, contact = _behind(session, token)
        notice = queries.notice_of_message(session, message.row)
        day = queries.last_day_of(session, notice, contact) if notice else None
        begun = queries.begun_by_link(session, message.id, contact.id)
    if "done" in request.args and begun is not None and begun.state in PRESSED:
        return page(PRESSED[begun.state], contact.locale, day=begun.received_on)
    is_over = day is not None and day < clock.local_day(clock.now(), settings.current().zone)
    return page(
        "over" if is_over else "start", contact.locale, action=url_for("inbound_views.start", token=token), day=day
    )


@bp.post("/terminations/start/<token>")
def start(token: str) -> ResponseReturnValue:
    """Somebody who has the notice terminates; the link that confirms it goes to the primary address."""
    with transaction(is_durable=True) as session:
        message, contact = _behind(session, token)
        effects.terminate_by_link(session, message, contact, clock.now())
    ring()
    return redirect(url_for("inbound_views.show", token=token, done=1), 303)


def _behind(session: Session, token: str) -> tuple[Message, Contact]:
    """The message that a link came in, and whose it is; the same BadToken for whatever is not there any more."""
    row = ids.message_row(signing.read(notices.TERMINATE, token))
    message = session.get(Message, row) if row is not None else None
    told = session.get(Contact, message.contact_id) if message and message.contact_id else None
    contact = contacts.kept(session, told) if told else None
    if message is None or contact is None or contact.erased_at is not None:
        raise BadToken("This link is not one of ours, or it was cut off. Open it again from the mail it came in.")
    return message, contact
