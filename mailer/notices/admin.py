"""Release and withdraw versions, which mails people, and see how each notice went. One transaction a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.contacts.rules import read_line
from mailer.db import reading, transaction
from mailer.delivery.outlook import paused_by
from mailer.errors import Conflict, Invalid, MailerError, NotAllowed, NotFound
from mailer.notices import actions, bells, letters, mail, preview, queries, sending
from mailer.notices.forms import WITHDRAW, PauseForm, ReleaseForm, WithdrawForm
from mailer.notices.rules import NoticeState
from mailer.outbox import mailings
from mailer.outbox.models import Mailing
from mailer.policies import actions as policies
from mailer.policies import queries as policy_queries
from mailer.policies import review
from mailer.policies.actions import StaleDraft
from mailer.policies.forms import blame
from mailer.policies.models import Version
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("notices_admin", __name__, url_prefix="/admin")
PAGE = 50
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
    return redirect(url_for(".version", version_id=version.id), 303)


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
        f"Version {version.number} is withdrawn. {told:,} people who were told of it get a mail that says so.",
        "success",
    )
    return redirect(url_for("policies_admin.policy", slug=version.policy.slug), 303)


@bp.get("/notices/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    """Every version that people are told of by a notice, with its numbers."""
    with reading() as session:
        rows = [(version, queries.funnel(session, version.id)) for version in queries.noticed_versions(session)]
        return render_template("admin/notices/list.html", rows=rows, today=_today())


@bp.get("/notices/<version_id>")
@needs(May.SEE)
def version(version_id: str) -> ResponseReturnValue:
    """How one version's notices went, person by person."""
    return _version_page(version_id, Asked.read())


@bp.post("/notices/<version_id>/find")
@needs(May.SEE_PEOPLE)
def find(version_id: str) -> ResponseReturnValue:
    """People by part of the name or address: by POST, so that it stands in no URL (invariant 12)."""
    return _version_page(version_id, Asked(words=request.form.get("words", "").strip()[:200]))


@bp.get("/notices/<version_id>/progress")
@needs(May.SEE)
def progress(version_id: str) -> ResponseReturnValue:
    """How far the mails are; the brakes come with it when they are others than the page has, as `stand` says."""
    with reading() as session:
        found = policy_queries.get_version(session, version_id)
        told = _sending(session, found)
        sent = told["sending"]
        if sent is None:
            abort(404)
        has_changed = request.args.get("stand") != sent.outlook.stand
        return render_template("admin/notices/_sending.html", version=found, with_brakes=has_changed, **told)


@bp.post("/notices/<version_id>/pause")
@needs(May.SEE)
def pause(version_id: str) -> ResponseReturnValue:
    """Let no more notices go out until somebody resumes it."""
    _must_steer()
    form = PauseForm()
    if not form.validate_on_submit():
        return _version_page(version_id, Asked(), form), 422
    try:
        with transaction() as session:
            who = staff.get(session, current_staff().id)
            words = paused_by(who.name, read_line(form.why.data or "", "why"))
            is_new = mailings.pause(session, _locked_mailing(session, version_id), words, clock.now(), who.id)
    except Invalid as fault:
        form.why.errors = [str(fault)]
        return _version_page(version_id, Asked(), form), 422
    said = "It is paused. No notice goes out until somebody resumes it." if is_new else "It was paused already."
    flash(said, "success" if is_new else "info")
    return redirect(url_for(".version", version_id=version_id), 303)


@bp.post("/notices/<version_id>/resume")
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
    found = queries.find_mailing(session, policy_queries.get_version(session, version_id).id)
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


def _sending(session: Session, found: Version, pausing: PauseForm | None = None) -> dict[str, Any]:
    """What the sending part of a version's page shows."""
    return {
        "sending": sending.of(session, found, clock.now()),
        "funnel": queries.funnel(session, found.id),
        "withdrawn": policy_queries.is_withdrawn(session, found.id),
        "pausing": pausing or PauseForm(formdata=None),
        "may_steer": _may_steer(),
        "may_withdraw": current_staff().may(May.POLICY) and found.effective_on > _today(),
    }


def _version_page(version_id: str, asked: Asked, pausing: PauseForm | None = None) -> str:
    with reading() as session:
        found = policy_queries.get_version(session, version_id)
        may_see = current_staff().may(May.SEE_PEOPLE)
        people = asked.people(session, found.id) if may_see else []
        last = people[-1].notice.id if len(people) == PAGE and not asked.words else None
        return render_template(
            "admin/notices/version.html",
            version=found,
            with_brakes=False,
            is_pending=found.effective_on > _today(),
            people=people,
            may_see_people=may_see,
            asked=asked,
            states=list(NoticeState),
            next_href=url_for(".version", version_id=version_id, after=last, **asked.query) if last else None,
            tasks=queries.tasks_of(session, found.id),
            **_sending(session, found, pausing),
        )


@bp.get("/notices/<version_id>/people/<contact_id>")
@needs(May.SEE_PEOPLE)
def person(version_id: str, contact_id: str) -> ResponseReturnValue:
    """One person's dates with their computation in words."""
    with reading() as session:
        found = policy_queries.get_version(session, version_id)
        one = queries.get_person(session, version_id, contact_id)
        return render_template(
            "admin/notices/person.html", version=found, person=one, message=queries.find_message(session, one.notice)
        )


@dataclass(frozen=True)
class Asked:
    """What a list of people shows: filters, which stay in the address of the page, or words, which never do."""

    state: NoticeState | None = None
    agreed: bool = False
    after: int = 0
    words: str = ""

    @classmethod
    def read(cls) -> Asked:
        state = request.args.get("state", "")
        after = request.args.get("after", "")
        return cls(
            state=NoticeState(state) if state in set(NoticeState) else None,
            agreed=state == "agreed",
            after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
        )

    @property
    def query(self) -> dict[str, Any]:
        chosen = self.state.value if self.state else "agreed" if self.agreed else ""
        return {"state": chosen} if chosen else {}

    def people(self, session: Session, version_id: str) -> list[queries.Person]:
        return queries.people(
            session, version_id, state=self.state, agreed=self.agreed, words=self.words, after=self.after, limit=PAGE
        )


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
        told=len(queries.reached(session, mailing)) if mailing else 0,
        form=form,
        version=found,
        funnel=queries.funnel(session, found.id),
        word=WITHDRAW,
    )


def _today() -> date:
    return clock.local_day(clock.now(), settings.current().zone)
