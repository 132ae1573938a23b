"""The pages behind the links of every mail: leave, undo, choose (S1; RFC 8058; UI “Unsubscribe and preference pages”).

No cookie is set and none is asked for: the signed link says whom it concerns. A page's button carries a nonce of that
page, so that neither a scanner's GET nor a bare POST acts (TRAPS 23). What a link says is looked at only when a
button is pressed: the page before it is the same for every link, known or not (TRAPS 26).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, signing
from mailer.consent import actions, links, pages, queries
from mailer.consent.links import LEAVE, PREFERENCES, Link
from mailer.consent.rules import LEAVING_SECONDS, SuppressionReason
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.db import reading, transaction

bp = Blueprint("consent", __name__)
ONE_CLICK = ("List-Unsubscribe", "One-Click")  # RFC 8058 §3.1
PRESS = "press"


@bp.get("/u/<token>")
def ask(token: str) -> ResponseReturnValue:
    """One sentence, one button. Looks at nothing, changes nothing."""
    return _page("leave", token)


@bp.post("/u/<token>")
def leave(token: str) -> ResponseReturnValue:
    """A mail client's one-click, or the button of the page."""
    by_client = request.form.get(ONE_CLICK[0]) == ONE_CLICK[1]
    if not by_client and not _is_pressed(token):
        return _page("leave", token, status=400)
    link = links.read(LEAVE, token)
    with transaction(is_durable=True) as session:
        contact = links.find_contact(session, link)
        source = f"{'one-click' if by_client else 'the page'} of {link.message_id}"
        stopped = actions.leave_all(session, contact, source=source, at=clock.now()) if contact else []
        names = [topic.name for topic in queries.topics(session) if topic.key in stopped]
    _let_looks_go_stale()
    if by_client:
        return Response("You are unsubscribed.\n", mimetype="text/plain")
    return _page("left", token, stopped=names, choose_url=_choose_url(link))


@bp.post("/u/<token>/undo")
def undo(token: str) -> ResponseReturnValue:
    """Take the leaving back."""
    if not _is_pressed(token):
        return _page("leave", token, status=400)
    link = links.read(LEAVE, token)
    with transaction(is_durable=True) as session:
        if contact := links.find_contact(session, link):
            actions.undo_leave(session, contact, source=f"undo of {link.message_id}", at=clock.now())
    return _page("undone", token, choose_url=_choose_url(link))


@bp.get("/preferences/<token>")
def preferences(token: str) -> ResponseReturnValue:
    link = links.read(PREFERENCES, token)
    with reading() as session:
        return _preferences(session, token, link)


@bp.post("/preferences/<token>")
def save(token: str) -> ResponseReturnValue:
    link = links.read(PREFERENCES, token)
    if not _is_pressed(token):
        with reading() as session:
            return _preferences(session, token, link, status=400)
    with transaction(is_durable=True) as session:
        chosen = {topic.key for topic in queries.topics(session)} & set(request.form.getlist("topic"))
        if contact := links.find_contact(session, link):
            actions.choose(session, contact, chosen, source=f"preferences of {link.message_id}", at=clock.now())
    _let_looks_go_stale()
    with reading() as session:
        return _preferences(session, token, link, saved=True, shown=chosen)


def _let_looks_go_stale() -> None:
    """Answer only when every mail that was looked at before this act has begun or is looked at again (invariant 3).

    Everybody waits, known or not: the time of an answer tells nothing (TRAPS 26).
    """
    time.sleep(LEAVING_SECONDS)


def _preferences(
    session: Session, token: str, link: Link, *, saved: bool = False, shown: set[str] | None = None, status: int = 200
) -> Response:
    contact = links.find_contact(session, link)
    return _page(
        "preferences",
        token,
        status,
        topics=queries.topics(session),
        ticked=shown if shown is not None else _subscribed(session, contact),
        is_third_party=contact is not None and contact.origin is Origin.THIRD_PARTY,
        saved=saved,
    )


def _subscribed(session: Session, contact: Contact | None) -> frozenset[str]:
    if contact is None:
        return frozenset()
    standing = queries.standing(session, contact)
    return frozenset() if SuppressionReason.UNSUBSCRIBED in standing.suppressed else standing.subscribed


def _page(name: str, token: str, status: int = 200, **shown: Any) -> Response:
    lang = request.accept_languages.best_match(pages.LANGUAGES) or "en"
    text = render_template(
        f"consent/{name}.html", lang=lang, say=pages.WORDS[lang], token=token, nonce=_nonce(token), **shown
    )
    response = make_response(text, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.vary.add("Accept-Language")
    return response


def _choose_url(link: Link) -> str:
    return links.preferences_url("", link.contact_id, link.message_id, signing.newest_key_id())


def _nonce(token: str) -> str:
    return signing.sign(PRESS, f"{secrets.token_urlsafe(9)}~{_digest(token)}")


def _is_pressed(token: str) -> bool:
    """Whether this POST comes from the button of this link's page."""
    try:
        said = signing.read(PRESS, request.form.get("csrf_token", ""))
    except signing.BadToken:
        return False
    return hmac.compare_digest(said.rpartition("~")[2], _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]
