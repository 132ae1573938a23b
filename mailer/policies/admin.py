"""Staff write, review and approve policies. Release and withdrawal, which mail people, are the notices' doors."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.policies import actions, pages, queries, review, rules
from mailer.policies import text as texts
from mailer.policies.forms import DraftForm, PolicyForm, blame, take_upload
from mailer.policies.models import Draft, Policy
from mailer.policies.queries import Shelf
from mailer.policies.rules import DraftState
from mailer.policies.views import of_diff, today
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("policies_admin", __name__, url_prefix="/admin/policies")


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    with reading() as session:
        cards = [pages.card(shelf, today()) for shelf in queries.shelves(session)]
        drafts = queries.open_drafts(session)
        return render_template("admin/policies/list.html", cards=cards, drafts=drafts, names=staff.names(session))


@bp.get("/new")
@needs(May.POLICY)
def new_policy() -> ResponseReturnValue:
    form = PolicyForm()
    form.concerns.data = form.concerns.data or ["account_holder", "subscriber"]
    return render_template("admin/policies/new.html", form=form)


@bp.post("/new")
@needs(May.POLICY)
def add_policy() -> ResponseReturnValue:
    form = PolicyForm()
    if not (form.validate() and take_upload(form)):
        return render_template("admin/policies/new.html", form=form), 422
    about = {"slug": form.slug.data, "title": form.title.data, "concerns": form.concerns.data}
    text, since = form.text.data, form.effective_on.data
    try:
        with transaction() as session:
            if text:
                who = current_staff().id
                actions.import_first(session, text=text, effective_on=since, at=clock.now(), staff_id=who, **about)
            else:
                actions.create(session, at=clock.now(), **about)
    except MailerError as fault:
        blame(form, fault)
        return render_template("admin/policies/new.html", form=form), fault.status
    flash(f"“{form.title.data}” is kept. Nothing was mailed.", "success")
    return redirect(url_for(".policy", slug=form.slug.data.strip()), 303)


@bp.post("/preview")
@needs(May.POLICY)
def preview() -> ResponseReturnValue:
    """The text of a draft as readers will see it; changes nothing."""
    return render_template("admin/policies/_preview.html", **_preview(request.form.get("text", "")))


@bp.get("/<slug>")
@needs(May.SEE)
def policy(slug: str) -> ResponseReturnValue:
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        return render_template(
            "admin/policies/policy.html",
            shelf=shelf,
            card=pages.card(shelf, today()),
            rows=pages.rows(shelf, today()),
            drafts=queries.open_drafts(session, shelf.policy),
            names=staff.names(session),
        )


@bp.get("/<slug>/drafts/new")
@needs(May.POLICY)
def new_draft(slug: str) -> ResponseReturnValue:
    with reading() as session:
        found = queries.get(session, slug)
        base = queries.shelf(session, found).latest()
        form = DraftForm()
        form.text.data = base.text if base else ""
        form.effective_on.data = rules.proposed_effective(today(), _holidays())
        return _form_page(session, form, found, None)


@bp.post("/<slug>/drafts/new")
@needs(May.POLICY)
def add_draft(slug: str) -> ResponseReturnValue:
    form = DraftForm()
    if not _is_to_be_kept(form):
        return _form_again(form, slug=slug)
    try:
        with transaction() as session:
            found = queries.get(session, slug)
            wording = form.wording()
            made = actions.draft(session, found, wording.text, current_staff().id, clock.now(), wording)
            draft_id = made.id
    except MailerError as fault:
        blame(form, fault)
        return _form_again(form, slug=slug, status=fault.status)
    flash("Draft kept. Read the changes once more, then ask for review.", "success")
    return redirect(url_for(".show_draft", draft_id=draft_id), 303)


@bp.get("/drafts/<draft_id>")
@needs(May.SEE)
def show_draft(draft_id: str) -> ResponseReturnValue:
    """The review page: the marked change, its class, its dates, its people."""
    with reading() as session:
        draft = queries.get_draft(session, draft_id)
        seen = review.review(session, draft, today())
        me = current_staff()
        return render_template(
            "admin/policies/review.html",
            review=seen,
            questions=rules.QUESTIONS,
            is_author=me.id == draft.author_id,
            may_write=me.may(May.POLICY),
            **of_diff(seen.found),
        )


@bp.get("/drafts/<draft_id>/edit")
@needs(May.POLICY)
def edit_draft(draft_id: str) -> ResponseReturnValue:
    with reading() as session:
        draft = queries.get_draft(session, draft_id)
        form = DraftForm()
        form.fill(draft)
        return _form_page(session, form, draft.policy, draft)


@bp.post("/drafts/<draft_id>/edit")
@needs(May.POLICY)
def change_draft(draft_id: str) -> ResponseReturnValue:
    form = DraftForm()
    if not _is_to_be_kept(form):
        return _form_again(form, draft_id=draft_id)
    try:
        with transaction() as session:
            draft = queries.get_draft(session, draft_id)
            actions.edit(session, draft, form.wording(), current_staff().id, clock.now())
    except MailerError as fault:
        blame(form, fault)
        return _form_again(form, draft_id=draft_id, status=fault.status)
    flash("Changes kept. Approvals of the earlier text have ended.", "success")
    return redirect(url_for(".show_draft", draft_id=draft_id), 303)


@bp.post("/drafts/<draft_id>/submit")
@needs(May.POLICY)
def submit(draft_id: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            actions.submit(session, queries.get_draft(session, draft_id), current_staff().id, clock.now())
        flash("Asked for review. A colleague can now read and approve it.", "success")
    except MailerError as fault:
        flash(str(fault), "error")
    return redirect(url_for(".show_draft", draft_id=draft_id), 303)


@bp.post("/drafts/<draft_id>/approve")
@needs(May.POLICY)
def approve(draft_id: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            actions.approve(session, queries.get_draft(session, draft_id), current_staff().id, clock.now())
        flash("You approved this text. Any change to it ends your approval.", "success")
    except MailerError as fault:
        flash(str(fault), "error")
    return redirect(url_for(".show_draft", draft_id=draft_id), 303)


@bp.post("/drafts/<draft_id>/discard")
@needs(May.POLICY)
def discard(draft_id: str) -> ResponseReturnValue:
    with transaction() as session:
        draft = queries.get_draft(session, draft_id)
        slug = draft.policy.slug
        actions.discard(session, draft, current_staff().id, clock.now())
    flash("The draft is discarded. Nobody outside was told of it.", "success")
    return redirect(url_for(".policy", slug=slug), 303)


def _is_to_be_kept(form: DraftForm) -> bool:
    """Whether the form is right and asks for more than a look at it."""
    return form.validate() and take_upload(form) and "preview" not in request.form


def _form_again(
    form: DraftForm, *, slug: str = "", draft_id: str = "", status: int | None = None
) -> ResponseReturnValue:
    """The form once more, with each mistake at its field and nothing lost."""
    with reading() as session:
        draft = queries.get_draft(session, draft_id) if draft_id else None
        found = draft.policy if draft else queries.get(session, slug)
        return _form_page(session, form, found, draft), status or (422 if form.errors else 200)


def _form_page(session: Session, form: DraftForm, found: Policy, draft: Draft | None) -> str:
    shelf = queries.shelf(session, found)
    return render_template(
        "admin/policies/draft.html",
        form=form,
        shelf=shelf,
        draft=draft,
        base=shelf.latest(),
        hint=_date_hint(shelf),
        ends_approval=draft is not None and draft.state is not DraftState.DRAFT,
        **_preview(form.text.data or ""),
    )


def _preview(text: str) -> dict[str, object]:
    try:
        return {"preview": texts.to_html(actions.read_document(text)), "preview_fault": ""}
    except MailerError as fault:
        return {"preview": "", "preview_fault": str(fault).removeprefix("text: ")}


def _date_hint(shelf: Shelf) -> str:
    base = shelf.latest()
    law = shelf.released[base.number] if base else None
    earliest = rules.earliest_release(rules.ChangeClass.MATERIAL, today(), law, _holidays())
    proposed = max(rules.proposed_effective(today(), _holidays()), earliest)
    return (
        f"A material change released today may take effect from {rules.say(earliest)}; "
        f"{rules.say(proposed)} leaves room for mail that is tried again for five days. "
        f"Leave it empty for a minor or ordinary change to apply at once, or together with the pending version."
    )


def _holidays() -> Container[date]:
    return rules.holidays_of(settings.current().country)
