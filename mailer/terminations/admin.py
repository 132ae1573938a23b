"""One termination as colleagues see it: when it came, where it stands, and what may be decided."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from mailer import clock
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.policies.models import Version
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May
from mailer.terminations import actions, queries, rules
from mailer.terminations.models import Termination
from mailer.terminations.rules import UNDECIDED
from mailer.terminations.views import ring

bp = Blueprint("terminations_admin", __name__, url_prefix="/admin/replies/terminations")


@bp.get("/<termination_id>")
@needs(May.SEE_PEOPLE)
def show(termination_id: str) -> ResponseReturnValue:
    with reading() as session:
        found = queries.get(session, termination_id)
        may = current_staff().may(May.REPLY)
        return render_template(
            "admin/inbound/termination.html",
            termination=found,
            version=session.get(Version, found.version_id) if found.version_id else None,
            contact=session.get_one(Contact, found.contact_id),
            names=staff.names(session),
            form=FlaskForm(),
            may_decide=may and found.state in UNDECIDED,
            may_withdraw=may and rules.why_not_withdrawn(found.state) is None,
        )


@bp.post("/<termination_id>/record")
@needs(May.REPLY)
def record(termination_id: str) -> ResponseReturnValue:
    def do(session: Session, found: Termination) -> None:
        actions.record(session, found, clock.now(), current_staff().id)

    return _do(termination_id, do, "The termination is recorded; its receipt is on its way.")


@bp.post("/<termination_id>/close")
@needs(May.REPLY)
def close(termination_id: str) -> ResponseReturnValue:
    def do(session: Session, found: Termination) -> None:
        actions.close(session, found, clock.now(), current_staff().id)

    return _do(termination_id, do, "The request is closed; nothing ends because of it.")


@bp.post("/<termination_id>/withdraw")
@needs(May.REPLY)
def withdraw(termination_id: str) -> ResponseReturnValue:
    def do(session: Session, found: Termination) -> None:
        actions.withdraw(session, found, clock.now(), current_staff().id)

    return _do(termination_id, do, "The termination is withdrawn; the other services are told.")


def _do(termination_id: str, do: Callable[[Session, Termination], None], said: str) -> ResponseReturnValue:
    with transaction() as session:
        do(session, queries.get(session, termination_id))
    ring()
    flash(said, "success")
    return redirect(url_for(".show", termination_id=termination_id), 303)
