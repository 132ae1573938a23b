"""How a mistake is answered: a page for people, JSON for programs, one sentence either way (DESIGN §10)."""

from __future__ import annotations

import logging

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from mailer.errors import MailerError, trace

FOR_PROGRAMS = ("/inbound/", "/api/", "/webhooks/")
SENTENCES = {
    400: "The request could not be read.",
    404: "No page stands at this address.",
    405: "This address does not take this kind of request.",
    413: "This is too large: at most 1 MB is taken here. Send less at a time.",
    415: "This kind of content is not taken here; send application/json.",
    500: "Something went wrong on our side; nothing half done was kept. Try again in a few minutes.",
    503: "The database cannot be written or read at the moment; nothing was kept. Try again in a minute.",
}
TITLES = {
    401: "Sign in first",
    405: "This cannot be done this way",
    415: "This kind of content is not taken here",
    422: "Something in this does not fit",
}
WITH_PAGE = frozenset({400, 403, 404, 409, 413, 429, 500, 503})
RETRY_SECONDS = 60
log = logging.getLogger(__name__)


def init(app: Flask) -> None:
    """Let the app answer every mistake in this one way."""
    app.register_error_handler(MailerError, _mistake)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _unkeepable)
    app.register_error_handler(OperationalError, _away)
    app.register_error_handler(InterfaceError, _away)
    app.register_error_handler(Exception, _crash)


def answer(status: int, message: str | None, field: str | None = None) -> ResponseReturnValue:
    """The answer to a mistake, for whoever asked."""
    if wants_json():
        return jsonify(error={"message": message or SENTENCES.get(status, SENTENCES[400]), "field": field}), status
    name = f"errors/{status}.html" if status in WITH_PAGE else "errors/any.html"
    title = TITLES.get(status, "This did not work")
    said = {"message": message} if message else {}
    return render_template(name, number=status, heading=title, **said), status


def wants_json() -> bool:
    """Whether a program asks."""
    if request.path.startswith(FOR_PROGRAMS):
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"], "text/html") == "application/json"


def _mistake(error: MailerError) -> ResponseReturnValue:
    return answer(error.status, str(error), error.field)


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    return answer(400, "This page stood open too long, or the browser keeps no cookies for it. Nothing was changed.")


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if 300 <= status < 400:
        return error
    answered = answer(status, SENTENCES.get(status) if status in TITLES or wants_json() else None)
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return (*answered, kept) if isinstance(answered, tuple) else answered


def _unkeepable(error: DataError) -> ResponseReturnValue:
    """PostgreSQL refuses what SQLite takes: a NUL character, a number beyond 64 bits."""
    log.warning("%s at %s\n%s", type(error).__name__, request.endpoint, trace(error))
    return answer(422, "Something in this request is too long, too large or holds an invisible character; correct it.")


def _away(error: OperationalError | InterfaceError) -> ResponseReturnValue:
    """The database is away, locked for longer than anybody waits, or has no room left: who asks may ask again."""
    _log(error)
    answered = answer(503, None)
    return (*answered, {"Retry-After": str(RETRY_SECONDS)}) if isinstance(answered, tuple) else answered


def _crash(error: Exception) -> ResponseReturnValue:
    _log(error)
    return answer(500, None)


def _log(error: Exception) -> None:
    # the endpoint and not the address of the page, which may say too much
    log.error("%s at %s\n%s", type(error).__name__, request.endpoint, trace(error))
