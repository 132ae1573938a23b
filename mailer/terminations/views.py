"""The confirm link of a termination: GET shows, POST acts (STYLE §13)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer import clock, doorbell
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.terminations import actions as terminations
from mailer.terminations import pages, queries
from mailer.terminations.rules import TERMINATES, UNDECIDED

bp = Blueprint("terminations", __name__)


@bp.get("/terminations/<token>")
def show(token: str) -> ResponseReturnValue:
    """What the link would do, or what it did. Nothing of the person stands on it."""
    with reading() as session:
        termination = queries.by_token(session, token)
        lang = session.get_one(Contact, termination.contact_id).locale
    state = termination.state
    page = "done" if state in TERMINATES else "ask" if state in UNDECIDED else "closed"
    return _page(page, lang, token=token, received_on=termination.received_on)


@bp.post("/terminations/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """The person at the primary address means it."""
    with transaction() as session:
        terminations.record(session, queries.by_token(session, token), clock.now())
    doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    return redirect(url_for("terminations.show", token=token), 303)


def _page(page: str, lang: str, **shown: object) -> Response:
    text = render_template("terminations/confirm.html", page=page, lang=lang, say=pages.WORDS[lang], **shown)
    response = make_response(text)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
