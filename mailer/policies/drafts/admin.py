"""Staff write, review and approve drafts. Release and withdrawal, which mail people, are the notices' doors."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.policies import actions, queries, uploads
from mailer.policies.actions import StaleDraft
from mailer.policies.drafts import pages, unreachable
from mailer.policies.drafts.form import DraftForm, ReturnForm, draft_form
from mailer.policies.forms import blame
from mailer.policies.languages import read_language
from mailer.policies.models import Draft
from mailer.policies.public.answers import today
from mailer.policies.wording import carried, number_of
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("drafts_admin", __name__, url_prefix="/admin/policies")
bp.url_value_preprocessor(uploads.let_in)
ONLY_LOOKS = frozenset({"preview", "add_language", "remove_language"})
"""Buttons that show the form again and keep nothing."""


@bp.get("/<slug>/drafts/new")
@needs(May.POLICY)
def new(slug: str) -> ResponseReturnValue:
    with reading() as session:
        found = queries.get(session, slug)
        shelf = queries.shelf(session, found)
        base = shelf.latest()
        translations = carried(base)
        form = draft_form(translations)
        form.text.data = base.text if base else ""
        form.class_was.data = form.change_class.data
        form.base.data = str(number_of(base))
        form.effective_on.data = pages.proposed_day(shelf)
        for language, said in translations.items():
            form.fill_translation(language, said)
        return pages.editor(session, form, found, None)


@bp.post("/<slug>/drafts/new")
@needs(May.POLICY)
def add(slug: str) -> ResponseReturnValue:
    form = _filled_form()
    if not _is_to_be_kept(form):
        return _form_again(form, slug=slug)
    try:
        with transaction() as session:
            found, wording = queries.get(session, slug), form.wording()
            who, at = current_staff().id, clock.now()
            draft_id = actions.draft(session, found, wording.text, who, at, wording, form.base_number).id
    except StaleDraft as fault:
        blame(form, fault)
        with reading() as session:
            return pages.begun_anew(session, form, queries.get(session, slug)), fault.status
    except MailerError as fault:
        blame(form, fault)
        return _form_again(form, slug=slug, status=fault.status)
    flash("Draft kept. Read the changes once more, then ask for review.", "success")
    return redirect(url_for(".show", draft_id=draft_id), 303)


@bp.post("/<slug>/preview")
@needs(May.POLICY)
def preview(slug: str) -> ResponseReturnValue:
    """A text as it stands in the editor: as readers will see it, and what changes; keeps nothing."""
    with reading() as session:
        found = queries.get(session, slug)
        language = read_language(request.args.get("language", found.language))
        form = draft_form([*request.form.getlist("languages"), language])
        seen = pages.seen_whole(form, found, queries.shelf(session, found).latest())
        pages.fill_in_class(form, seen)
        return render_template("admin/policies/_answer.html", look=seen.of(language), form=form, whole=seen)


@bp.get("/drafts/<draft_id>")
@needs(May.SEE)
def show(draft_id: str) -> ResponseReturnValue:
    """The review page: the marked change, its class, its dates, its people."""
    with reading() as session:
        draft = queries.get_draft(session, draft_id)
        return pages.review_page(session, draft, today(), ReturnForm(), request.args.get("lang", ""))


@bp.get("/drafts/<draft_id>/edit")
@needs(May.POLICY)
def edit(draft_id: str) -> ResponseReturnValue:
    with reading() as session:
        draft = queries.get_draft(session, draft_id)
        form = draft_form(row.language for row in draft.translations)
        form.fill(draft)
        form.seen.data = pages.seen_now(session, draft)
        return pages.editor(session, form, draft.policy, draft)


@bp.post("/drafts/<draft_id>/edit")
@needs(May.POLICY)
def change(draft_id: str) -> ResponseReturnValue:
    form = _filled_form()
    if not _is_to_be_kept(form):
        return _form_again(form, draft_id=draft_id)
    try:
        with transaction() as session:
            draft, wording = queries.get_draft(session, draft_id), form.wording()
            is_changed = actions.edit(session, draft, wording, current_staff().id, clock.now(), form.seen.data or None)
    except StaleDraft as fault:
        with reading() as session:
            draft = queries.get_draft(session, draft_id)
            return pages.conflict_page(session, form, draft), fault.status
    except MailerError as fault:
        blame(form, fault)
        return _form_again(form, draft_id=draft_id, status=fault.status)
    kept = "Changes kept. Approvals of the earlier text have ended."
    flash(kept if is_changed else "Nothing was changed; the draft and its approvals stand.", "success")
    return redirect(url_for(".show", draft_id=draft_id), 303)


@bp.post("/drafts/<draft_id>/submit")
@needs(May.POLICY)
def submit(draft_id: str) -> ResponseReturnValue:
    return _step(
        draft_id,
        lambda session, draft: actions.submit(session, draft, current_staff().id, clock.now()),
        "Asked for review. Colleagues can now read and approve it.",
    )


@bp.post("/drafts/<draft_id>/approve")
@needs(May.POLICY)
def approve(draft_id: str) -> ResponseReturnValue:
    seen = request.form.get("seen") or None
    return _step(
        draft_id,
        lambda session, draft: actions.approve(session, draft, current_staff().id, clock.now(), seen),
        "You approved this text. Any change to it ends your approval.",
    )


@bp.post("/drafts/<draft_id>/send-back")
@needs(May.POLICY)
def send_back(draft_id: str) -> ResponseReturnValue:
    form = ReturnForm()
    if form.validate():
        note = form.note.data
        return _step(
            draft_id,
            lambda session, draft: actions.send_back(session, draft, current_staff().id, note, clock.now()),
            "Sent back. Its author reads your note on this page.",
        )
    with reading() as session:
        return pages.review_page(session, queries.get_draft(session, draft_id), today(), form), 422


@bp.post("/drafts/<draft_id>/discard")
@needs(May.POLICY)
def discard(draft_id: str) -> ResponseReturnValue:
    with transaction() as session:
        draft = queries.get_draft(session, draft_id)
        slug = draft.policy.slug
        actions.discard(session, draft, current_staff().id, clock.now())
    flash("The draft is discarded. Nobody outside was told of it.", "success")
    return redirect(url_for("policies_admin.policy", slug=slug), 303)


@bp.get("/drafts/<draft_id>/unreachable")
@needs(May.SEE_PEOPLE)
def unreachable_people(draft_id: str) -> ResponseReturnValue:
    """The people concerned whom no mail will reach, so far as is known."""
    with reading() as session:
        draft = queries.get_draft(session, draft_id)
        people = unreachable.people(session, draft.policy.concerns, request.args.get("after", ""))
        return render_template("admin/policies/unreachable.html", draft=draft, people=people, page=unreachable.PAGE)


def _step(draft_id: str, step: Callable[[Session, Draft], None], done: str) -> ResponseReturnValue:
    """Take one step on a draft's way and say so; a mistake is said on the same page."""
    try:
        with transaction() as session:
            step(session, queries.get_draft(session, draft_id))
        flash(done, "success")
    except MailerError as fault:
        flash(str(fault), "error")
    return redirect(url_for(".show", draft_id=draft_id), 303)


def _filled_form() -> DraftForm:
    """The form as it was sent, a language more or less if that was asked."""
    asked = [*request.form.getlist("languages")]
    if "add_language" in request.form:
        asked.append(request.form.get("new_language", ""))
    gone = request.form.get("remove_language")
    return draft_form(language for language in asked if language != gone)


def _is_to_be_kept(form: DraftForm) -> bool:
    """Whether the form is right and asks for more than a look at it."""
    if ONLY_LOOKS & set(request.form):
        form.take_uploads()
        return False
    return bool(form.validate()) and form.take_uploads()


def _form_again(
    form: DraftForm, *, slug: str = "", draft_id: str = "", status: int | None = None
) -> ResponseReturnValue:
    """The form once more, with each mistake at its field and nothing lost."""
    with reading() as session:
        draft = queries.get_draft(session, draft_id) if draft_id else None
        found = draft.policy if draft else queries.get(session, slug)
        status = status or (422 if form.errors else 200)
        language = request.form.get("preview") or request.form.get("new_language") or found.language
        return pages.editor(session, form, found, draft, language), status
