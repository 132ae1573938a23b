"""The links in our mails about a termination: GET shows, POST acts (STYLE §13)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import clock, doorbell
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.terminations import actions as terminations
from mailer.terminations import pages, queries, rules
from mailer.terminations.rules import TERMINATES, UNDECIDED

bp = Blueprint("terminations", __name__)


@bp.get("/terminations/<token>")
def show(token: str) -> ResponseReturnValue:
    """What the link would do, or what it did. Nothing of the person stands on it."""
    with reading() as session:
        termination = queries.by_token(session, token)
        lang = session.get_one(Contact, termination.contact_id).locale
    state = termination.state
    shown = "done" if state in TERMINATES else "ask" if state in UNDECIDED else "closed"
    return page(shown, lang, action=url_for("terminations.confirm", token=token), day=termination.received_on)


@bp.post("/terminations/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """The person at the primary address means it, or says by the other button that it was not meant."""
    is_meant = "not-meant" not in request.form
    with transaction(is_durable=True) as session:
        termination = queries.by_token(session, token)
        if is_meant:
            terminations.record(session, termination, clock.now())
        elif termination.state in UNDECIDED:
            terminations.close(session, termination, clock.now(), None)
    ring()
    return redirect(url_for("terminations.show", token=token), 303)


@bp.get("/terminations/ordinary/<token>")
def offer(token: str) -> ResponseReturnValue:
    """What a late termination may still become."""
    with reading() as session:
        termination = queries.by_token(session, token, queries.ORDINARY)
        lang = session.get_one(Contact, termination.contact_id).locale
    is_open = rules.is_offered(termination.state, termination.timing, termination.ordinary_at)
    state = "offer" if is_open else "taken" if termination.ordinary_at else "closed"
    action = url_for("terminations.take_offer", token=token)
    return page(state, lang, action=action, day=termination.received_on)


@bp.post("/terminations/ordinary/<token>")
def take_offer(token: str) -> ResponseReturnValue:
    """The person cancels in the ordinary way."""
    with transaction(is_durable=True) as session:
        terminations.make_ordinary(session, queries.by_token(session, token, queries.ORDINARY), clock.now())
    ring()
    return redirect(url_for("terminations.offer", token=token), 303)


def ring() -> None:
    """There may be mail and events to go out."""
    doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    doorbell.ring("chores", "rq_jobs.publish_events.publish_events")


def page(state: str, lang: str, **shown: object) -> Response:
    """One page behind a link of ours; `state` names its words in `pages`. Nobody keeps it, no search engine has it."""
    text = render_template("terminations/confirm.html", page=state, lang=lang, say=pages.WORDS[lang], **shown)
    response = make_response(text)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
