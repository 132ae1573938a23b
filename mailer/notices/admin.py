"""Release and withdraw versions, which mails people; one transaction each. `admin.notices` shows how notices go."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.notices import actions, bells, corrections, figures, letters, mail, preview, queries
from mailer.notices.forms import CORRECT, WITHDRAW, CorrectForm, ReleaseForm, WithdrawForm
from mailer.policies import actions as policies
from mailer.policies import queries as policy_queries
from mailer.policies import review
from mailer.policies.actions import StaleDraft
from mailer.policies.forms import blame
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("notices_admin", __name__, url_prefix="/admin")
FRAMED = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


@bp.get("/policies/drafts/<draft_id>/release")
@needs(May.POLICY)
def release_page(draft_id: str) -> ResponseReturnValue:
    """What will happen, to whom and when, and the mail they get; then one button."""
    with reading() as session:
        return _release_page(session, draft_id, ReleaseForm())


@bp.post("/policies/drafts/<draft_id>/release")
@needs(May.POLICY)
def release(draft_id: str) -> ResponseReturnValue:
    form = ReleaseForm()
    if not form.validate():
        with reading() as session:
            return _release_page(session, draft_id, form), 422
    try:
        with transaction() as session:
            draft = policy_queries.get_draft(session, draft_id)
            at = clock.now()
            day, seen = form.effective_on.data, form.seen.data or ""
            version = policies.release(session, draft, current_staff().id, at, day, seen)
            mailing = actions.plan(session, version, at)
    except MailerError as fault:
        blame(form, fault)
        with reading() as session:
            return _release_page(session, draft_id, form, isinstance(fault, StaleDraft)), fault.status
    bells.released(mailing)
    flash(
        f"Version {version.number} is released. It takes effect on {mail.say(version.effective_on, 'en')}.", "success"
    )
    if mailing is None:
        return redirect(url_for("policies_admin.policy", slug=version.policy.slug), 303)
    return redirect(url_for("notice_pages.version", version_id=version.id), 303)


@bp.get("/policies/drafts/<draft_id>/mail")
@needs(May.SEE)
def sample(draft_id: str) -> ResponseReturnValue:
    """The mail a draft would send, as a sample person sees it, for a frame or as text."""
    locale = request.args.get("lang", mail.LOCALES[0])
    if locale not in mail.LOCALES:
        abort(404)
    with reading() as session:
        draft = policy_queries.get_draft(session, draft_id)
        shown = preview.of_draft(review.review(session, draft, _today()), locale)
    if shown is None:
        abort(404)
    if request.args.get("part") == "text":
        return Response(shown.text, content_type="text/plain; charset=utf-8")
    return Response(shown.html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": FRAMED})


@bp.get("/policies/versions/<version_id>/withdraw")
@needs(May.POLICY)
def withdraw_page(version_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _withdraw_page(session, version_id, WithdrawForm())


@bp.post("/policies/versions/<version_id>/withdraw")
@needs(May.POLICY)
def withdraw(version_id: str) -> ResponseReturnValue:
    form = WithdrawForm()
    if not form.validate():
        with reading() as session:
            return _withdraw_page(session, version_id, form), 422
    try:
        with transaction() as session:
            version = policy_queries.get_version(session, version_id)
            told = actions.withdraw(session, version, current_staff().id, form.reason.data, clock.now())
    except MailerError as fault:
        blame(form, fault)
        with reading() as session:
            return _withdraw_page(session, version_id, form), fault.status
    bells.withdrawn()
    flash(
        f"Version {version.number} is withdrawn. A mail that says so goes to {_people(told)} who had been told of it.",
        "success",
    )
    return redirect(url_for("policies_admin.policy", slug=version.policy.slug), 303)


@bp.get("/policies/versions/<version_id>/correct")
@needs(May.POLICY)
def correct_page(version_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _correct_page(session, version_id, CorrectForm())


@bp.post("/policies/versions/<version_id>/correct")
@needs(May.POLICY)
def correct(version_id: str) -> ResponseReturnValue:
    """Send the notice again to those told, put right; their time to answer starts anew."""
    form = CorrectForm()
    if not form.validate():
        with reading() as session:
            return _correct_page(session, version_id, form), 422
    try:
        with transaction() as session:
            version = policy_queries.get_version(session, version_id)
            words = {"en": form.words_en.data, "nl": form.words_nl.data}
            count = corrections.correct(session, version, words, current_staff().id, clock.now())
    except MailerError as fault:
        blame(form, fault)
        with reading() as session:
            return _correct_page(session, version_id, form), fault.status
    bells.told_again()
    flash(f"The notice goes out again to {_people(count)}, each with a clock of their own.", "success")
    return redirect(url_for("notice_pages.version", version_id=version_id), 303)


def _release_page(session: Session, draft_id: str, form: ReleaseForm, is_anew: bool = False) -> str:
    """The page of a release; after a refusal it stays bound to what was read first, unless that `is_anew` now."""
    draft = policy_queries.get_draft(session, draft_id)
    seen = review.review(session, draft, _today())
    if not form.is_submitted():
        form.effective_on.data = draft.effective_on
    if is_anew or not form.is_submitted():
        form.seen.data = policies.fingerprint(draft, seen.base)
    clock_today = preview.clock_today(seen) if seen.is_mailed else None
    return render_template(
        "admin/notices/release.html",
        form=form,
        review=seen,
        clock=clock_today,
        computation=mail.explain(clock_today, letters.company().place) if clock_today else "",
        shown=preview.of_draft(seen, mail.LOCALES[0]),
        locales=mail.LOCALES,
    )


def _withdraw_page(session: Session, version_id: str, form: WithdrawForm) -> str:
    found = policy_queries.get_version(session, version_id)
    mailing = queries.find_mailing(session, found.id)
    return render_template(
        "admin/notices/withdraw.html",
        told=queries.count_reached(session, mailing) if mailing else 0,
        form=form,
        version=found,
        waiting=figures.totals(session, [found.id])[found.id].planned,
        word=WITHDRAW,
    )


def _correct_page(session: Session, version_id: str, form: CorrectForm) -> str:
    found = policy_queries.get_version(session, version_id)
    totals = figures.totals(session, [found.id])[found.id]
    return render_template("admin/notices/correct.html", form=form, version=found, totals=totals, word=CORRECT)


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def _today() -> date:
    return clock.local_day(clock.now(), settings.current().zone)
