"""Messages: the list, one message's life, and the mail itself as it is composed."""

from __future__ import annotations

import email
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from email.policy import default
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.admin import queries, spreadsheet, story
from mailer.admin.queries import MessageFilter
from mailer.admin.words import utc_iso
from mailer.consent import words
from mailer.consent.rules import Channel
from mailer.contacts import queries as contacts
from mailer.db import reading
from mailer.delivery import compose
from mailer.errors import MailerError
from mailer.outbox import queries as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from mailer.signing import KeyGone
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("messages", __name__, url_prefix="/admin/messages")
WAITING = "waiting"
VIEWS = {"html": "As the reader sees it", "text": "Text", "headers": "Headers", "source": "Source"}
# a mail in its frame: its own inline style, nothing from elsewhere, no script, no way out
FRAME_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


def _row(text: str) -> int:
    """The number of a row; ValueError on anything that no database counts to."""
    row = int(text)
    if not 0 < row < 2**63:
        raise ValueError(text)
    return row


@bp.get("/")
@needs(May.SEE_PEOPLE)
def index() -> ResponseReturnValue:
    chosen: dict[str, Any] = {
        name: value for name in ("state", "channel", "contact", "mailing", "since") if (value := request.args.get(name))
    }
    wanted, before = _read_filter(chosen), request.args.get("before", type=_row)
    with reading() as session:
        found = queries.messages(session, wanted, before)
        if request.args.get("format") == "csv":
            return _csv(found)
        full = len(found) == queries.PAGE
        return render_template(
            "admin/messages/index.html",
            messages=found,
            shown={one.row: _render(one).subject for one in found},
            withheld=words.WITHHELD,
            chosen=chosen,
            states=State,
            channels=Channel,
            contact=contacts.get(session, wanted.contact_id) if wanted.contact_id else None,
            progress=_progress(session, wanted.mailing_id),
            csv=url_for("messages.index", **chosen, before=before, format="csv"),
            next_page=url_for("messages.index", **chosen, before=found[-1].row) if full else None,
            first_page=url_for("messages.index", **chosen) if before is not None else None,
        )


@bp.get("/<message_id>")
@needs(May.SEE_PEOPLE)
def show(message_id: str) -> ResponseReturnValue:
    view = request.args.get("view", "")
    view = view if view in VIEWS else "html"
    with reading() as session:
        message = outbox.get(session, message_id)
        mail, why_no_mail = _compose(message)
        rendered = _render(message)
        return render_template(
            "admin/messages/show.html",
            message=message,
            subject=rendered.subject,
            steps=story.tell(message, outbox.attempts(session, message)),
            view=view,
            tab_items=[
                {"href": f"?view={key}", "label": label, "current": key == view} for key, label in VIEWS.items()
            ],
            rendered=rendered,
            mail=mail,
            why_no_mail=why_no_mail,
            headers=_headers(mail) if mail else [],
            source=mail.data.decode("ascii", "replace") if mail else "",
            message_id_header=compose.message_id_header(message) if mail else "",
            same_bytes=mail is not None and message.sha256 in (None, mail.sha256),
        )


@bp.get("/<message_id>/html")
@needs(May.SEE_PEOPLE)
def html(message_id: str) -> ResponseReturnValue:
    """The HTML part, for the frame."""
    with reading() as session:
        shown = _render(outbox.get(session, message_id)).html
    return Response(shown, mimetype="text/html", headers={"Content-Security-Policy": FRAME_SECURITY})


@bp.get("/<message_id>/mail.eml")
@needs(May.SEE_PEOPLE)
def eml(message_id: str) -> ResponseReturnValue:
    """The bytes of the mail, to keep."""
    with reading() as session:
        mail = compose.compose(outbox.get(session, message_id))
    kept = {"Content-Disposition": f'attachment; filename="{message_id}.eml"'}
    return Response(mail.data, mimetype="message/rfc822", headers=kept)


def _compose(message: Message) -> tuple[compose.Mail | None, str]:
    """The mail, or why there is none yet: a notice's dates are known only when it goes out."""
    try:
        return compose.compose(message), ""
    except MailerError as fault:
        return None, f"It cannot be composed in full at this moment: {fault}"


def _render(message: Message) -> compose.Rendered:
    """What the reader sees; a value that is not known yet stands as its name in brackets."""
    content = message.content
    try:
        values = compose.values(message)
    except KeyGone:
        values = compose.person(message.name, message.company, message.to_address, content.locale)
    return compose.preview(content, values)


def _headers(mail: compose.Mail) -> list[tuple[str, str]]:
    parsed = email.message_from_bytes(mail.data, policy=default)
    return [(name, str(value)) for name, value in parsed.items()]


def _read_filter(chosen: dict[str, str]) -> MessageFilter:
    """What the URL asks for; a word that is none of ours filters nothing."""
    state, channel = chosen.get("state", ""), chosen.get("channel", "")
    states = queries.WAITING if state == WAITING else (State(state),) if state in set(State) else ()
    wanted = MessageFilter(
        states=states,
        channel=Channel(channel) if channel in set(Channel) else None,
        contact_id=chosen.get("contact", ""),
        mailing_id=chosen.get("mailing", ""),
    )
    try:
        day = date.fromisoformat(chosen.get("since", ""))
    except ValueError:
        return wanted
    return replace(wanted, since=clock.midnight(day, settings.current().zone))


def _progress(session: Session, mailing_id: str) -> dict[State, int]:
    return outbox.progress(session, mailing_id) if mailing_id else {}


def _csv(found: Sequence[Message]) -> ResponseReturnValue:
    head = ("id", "to", "kind", "channel", "state", "withheld", "made", "settled", "tries")
    rows = (
        (one.id, one.to_address, one.kind, one.channel, one.state, one.withheld, *_times(one), one.attempts)
        for one in found
    )
    return spreadsheet.answer("messages", head, rows)


def _times(one: Message) -> tuple[str, str]:
    return utc_iso(one.created_at), utc_iso(one.settled_at) if one.settled_at else ""
