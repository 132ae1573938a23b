"""Staff see their policies and add new ones. What a policy says next is written in its drafts (`drafts`)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import selectinload

from mailer import clock
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.policies import actions, queries, uploads
from mailer.policies.forms import PolicyForm, blame, take_upload
from mailer.policies.models import Version
from mailer.policies.public import pages
from mailer.policies.public.answers import today
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("policies_admin", __name__, url_prefix="/admin/policies")
bp.url_value_preprocessor(uploads.let_in)


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
    about = {name: form[name].data for name in ("slug", "title", "concerns", "language")}
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


@bp.get("/<slug>")
@needs(May.SEE)
def policy(slug: str) -> ResponseReturnValue:
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug), selectinload(Version.approvals))
        return render_template(
            "admin/policies/policy.html",
            shelf=shelf,
            card=pages.card(shelf, today()),
            rows=pages.rows(shelf, today()),
            drafts=queries.open_drafts(session, shelf.policy),
            names=staff.names(session),
        )
