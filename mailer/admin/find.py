"""One box that finds: an address, a message id, a contact's reference, a Message-ID, a name.

The box sends a POST, so that no address stands in a URL (invariant 12); a GET with `q` answers the same.
"""

from __future__ import annotations

import re

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import ids
from mailer.admin import links, queries
from mailer.contacts import queries as contacts
from mailer.db import reading
from mailer.delivery import compose
from mailer.outbox import queries as outbox
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("find", __name__, url_prefix="/admin/search")
LONGEST = 400
MESSAGE_ID = re.compile(r"msg_[0-9a-hjkmnp-tv-z]{13}")


@bp.route("", methods=["GET", "POST"])
@needs(May.SEE_PEOPLE)
def search() -> ResponseReturnValue:
    """Looks and changes nothing, also by POST."""
    query = request.values.get("q", "").strip()[:LONGEST]
    with reading() as session:
        page = _find_one(session, query) if query else None
        if page:
            return redirect(page, 303)
        people = contacts.search(session, query) if query else ()
        if len(people) == 1:
            return redirect(f"/admin/people/{people[0].id}", 303)
        messages = outbox.search(session, query) if query else ()
        return render_template("admin/find.html", query=query, people=people, messages=messages)


def _find_one(session: Session, query: str) -> str | None:
    """The one page that the query names exactly."""
    if (found := MESSAGE_ID.search(query)) and outbox.find(session, found[0]):
        return f"/admin/messages/{found[0]}"
    row = compose.read_message_id(query)
    if row is not None and outbox.find(session, ids.message_id(row)):
        return f"/admin/messages/{ids.message_id(row)}"
    if mail := queries.find_mail_by_message_id(session, query):
        return links.find_page(mail.id)
    contact = contacts.find_by_reference(session, query) or contacts.find_by_address(session, query)
    if contact is not None:
        return f"/admin/people/{contact.id}"
    return links.find_page(query) if _is_one_of_ours(query) else None


def _is_one_of_ours(query: str) -> bool:
    prefix = query.partition("_")[0]
    return prefix in links.PAGES and prefix != ids.MESSAGE and ids.is_id(query, prefix)
