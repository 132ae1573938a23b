"""The confirm link of a termination: GET shows, POST acts (STYLE §13)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from mailer import doorbell
from mailer.clock import now
from mailer.db import reading, transaction
from mailer.terminations import actions as terminations
from mailer.terminations import queries

bp = Blueprint("terminations", __name__)


@bp.get("/terminations/<token>")
def show(token: str) -> str:
    """What the link would do, or what it did."""
    with reading() as session:
        termination = queries.by_token(session, token)
        return render_template("terminations/confirm.html", termination=termination, token=token)


@bp.post("/terminations/<token>")
def confirm(token: str) -> Response:
    """The person at the primary address means it."""
    with transaction() as session:
        terminations.record(session, queries.by_token(session, token), now())
    doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    return redirect(url_for("terminations.show", token=token), 303)
