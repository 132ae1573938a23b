"""How the notices of each version go: numbers, charts, calendar, people; and stopping them for a while."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock
from mailer.admin.notices import summary
from mailer.admin.notices.asked import Asked
from mailer.admin.notices.summary import Summary
from mailer.contacts.rules import read_line
from mailer.db import reading, transaction
from mailer.delivery.outlook import paused_by
from mailer.errors import Conflict, Invalid, NotAllowed, NotFound
from mailer.notices import bells, figures, queries
from mailer.notices.forms import PauseForm
from mailer.notices.listing import Page, Show
from mailer.outbox import mailings
from mailer.outbox.models import Mailing
from mailer.policies import queries as policies
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May
from mailer.terminations import queries as terminations

bp = Blueprint("notice_pages", __name__, url_prefix="/admin/notices")
FILTERS = {
    Show.ALL: "all",
    Show.PLANNED: "waiting",
    Show.ACCEPTED: "told",
    Show.OPEN: "may still answer",
    Show.LATE: "told late, bound later",
    Show.UNREACHED: "unreached",
    Show.TERMINATED: "terminated",
    Show.DEEMED: "deemed to agree",
    Show.AGREED: "agreed by a click",
    Show.ENDED: "ended",
}


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    """Every version that people are told of by a notice, with its numbers."""
    with reading() as session:
        versions = queries.noticed_versions(session)
        totals = figures.totals(session, [version.id for version in versions])
        rows = [(version, totals[version.id]) for version in versions]
        return render_template("admin/notices/list.html", rows=rows)


@bp.get("/<version_id>")
@needs(May.SEE)
def version(version_id: str) -> ResponseReturnValue:
    """All about one version's notices."""
    return _page(version_id, Asked.by_address())


@bp.post("/<version_id>/find")
@needs(May.SEE_PEOPLE)
def find(version_id: str) -> ResponseReturnValue:
    """The same with the people who go by some words, which stand in no address."""
    return _page(version_id, Asked.by_form())


@bp.get("/<version_id>/progress")
@needs(May.SEE)
def progress(version_id: str) -> ResponseReturnValue:
    """How far the mails are; the brakes come with it when they are others than the page has, as `stand` says."""
    with reading() as session:
        told = _shown(session, version_id)
        sending = told["found"].sending
        if sending is None:
            abort(404)
        has_changed = request.args.get("stand") != sending.outlook.stand
        return render_template("admin/notices/_sending.html", with_brakes=has_changed, **told)


@bp.post("/<version_id>/pause")
@needs(May.SEE)
def pause(version_id: str) -> ResponseReturnValue:
    """Let no more notices go out until somebody resumes it."""
    _must_steer()
    form = PauseForm()
    if not form.validate_on_submit():
        return _page(version_id, Asked(), form), 422
    try:
        with transaction() as session:
            who = staff.get(session, current_staff().id)
            words = paused_by(who.name, read_line(form.why.data or "", "why"))
            is_new = mailings.pause(session, _locked_mailing(session, version_id), words, clock.now(), who.id)
    except Invalid as fault:
        form.why.errors = [str(fault)]
        return _page(version_id, Asked(), form), 422
    said = "It is paused. No notice goes out until somebody resumes it." if is_new else "It was paused already."
    flash(said, "success" if is_new else "info")
    return redirect(url_for(".version", version_id=version_id), 303)


@bp.post("/<version_id>/resume")
@needs(May.SEE)
def resume(version_id: str) -> ResponseReturnValue:
    _must_steer()
    try:
        with transaction() as session:
            mailing = _locked_mailing(session, version_id)
            mailings.resume(session, mailing, clock.now(), current_staff().id)
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        bells.resumed(mailing)
        flash("The notices go on where they stopped.", "success")
    return redirect(url_for(".version", version_id=version_id), 303)


def _locked_mailing(session: Session, version_id: str) -> Mailing:
    found = queries.find_mailing(session, policies.get_version(session, version_id).id)
    if found is None:
        raise NotFound("Nobody is told of this version by mail; its own page shows how it is told.")
    session.refresh(found, with_for_update=True)
    return found


def _may_steer() -> bool:
    """Who may release may stop the mails, and so may whoever watches the service."""
    return current_staff().may(May.POLICY) or current_staff().may(May.OPERATE)


def _must_steer() -> None:
    if not _may_steer():
        raise NotAllowed("Your role does not include pausing notices; a policy officer or an operator can do it.")


def _shown(session: Session, version_id: str, pausing: PauseForm | None = None) -> dict[str, Any]:
    """What the part that renews itself shows."""
    found = summary.of(session, policies.get_version(session, version_id), clock.now())
    return {
        "found": found,
        "version": found.version,
        "pausing": pausing or PauseForm(formdata=None),
        "may_steer": _may_steer(),
        "may_withdraw": current_staff().may(May.POLICY) and found.is_pending,
    }


def _page(version_id: str, asked: Asked, pausing: PauseForm | None = None) -> str:
    with reading() as session:
        shown = _shown(session, version_id, pausing)
        found: Summary = shown["found"]
        may_see = current_staff().may(May.SEE_PEOPLE)
        listed = asked.page(session, found) if may_see else Page([])
        ended = [one.contact.id for one in listed.people if one.has_terminated]
        return render_template(
            "admin/notices/version.html",
            with_brakes=False,
            may_see_people=may_see,
            asked=asked,
            listed=listed,
            in_time=terminations.in_time_among(session, version_id, ended),
            why_lost=summary.why_lost,
            filters={show: words for show, words in FILTERS.items() if found.counts[show] or show is asked.show},
            tasks=queries.tasks_of(session, version_id),
            may_correct=shown["may_withdraw"] and found.may_be_corrected,
            **shown,
        )
