"""Settings: one's own account, colleagues, and how this service is set up."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import clock, settings
from mailer.admin import queries
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.staff import actions
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.forms import StaffForm
from mailer.staff.models import Staff
from mailer.staff.rules import May, Role

bp = Blueprint("configuration", __name__, url_prefix="/admin/settings")


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    who = current_staff()
    operates = who.may(May.OPERATE)
    with reading() as session:
        head = queries.last_entry(session)
    return render_template(
        "admin/settings/index.html",
        who=who,
        operates=operates,
        values=settings.current().printable() if operates else {},
        ledger_head=head,
    )


@bp.get("/staff")
@needs(May.OPERATE)
def colleagues() -> ResponseReturnValue:
    return _staff_page(StaffForm())


@bp.post("/staff")
@needs(May.OPERATE)
def create() -> ResponseReturnValue:
    form = StaffForm()
    if not form.validate_on_submit():
        return _staff_page(form), 422
    try:
        with transaction() as session:
            roles = [Role(role) for role in form.roles.data]
            made, first = actions.create(
                session, email=form.email.data, name=form.name.data, roles=roles, at=clock.now()
            )
    except MailerError as fault:
        if fault.field not in form.data:
            raise
        form[fault.field].errors = [str(fault)]
        return _staff_page(form), fault.status
    return _staff_page(StaffForm(formdata=None), made, first), 201


@bp.post("/staff/<staff_id>/reset")
@needs(May.OPERATE)
def reset(staff_id: str) -> ResponseReturnValue:
    with transaction() as session:
        found = staff.get(session, staff_id)
        first = actions.reset_password(session, found, clock.now())
    return _staff_page(StaffForm(formdata=None), found, first)


@bp.get("/staff/<staff_id>")
@needs(May.OPERATE)
def account(staff_id: str) -> ResponseReturnValue:
    with reading() as session:
        return render_template("admin/settings/account.html", found=staff.get(session, staff_id), fault="")


@bp.post("/staff/<staff_id>/disable")
@needs(May.OPERATE)
def disable(staff_id: str) -> ResponseReturnValue:
    """Only with the address typed as the word for it."""
    with transaction() as session:
        found = staff.get(session, staff_id)
        if request.form.get("confirm", "").strip() != found.email:
            fault = f"Type {found.email} to disable this account; nothing was changed."
            return render_template("admin/settings/account.html", found=found, fault=fault), 422
        actions.disable(session, found, clock.now())
    flash(f"{found.name} can no longer sign in.", "success")
    return redirect(url_for("configuration.colleagues"), 303)


def _staff_page(form: StaffForm, made: Staff | None = None, first: str = "") -> str:
    with reading() as session:
        everybody = staff.all_staff(session)
    # a first password is shown once, on the answer to the press; it never enters a cookie or a log
    return render_template("admin/settings/staff.html", form=form, everybody=everybody, made=made, first=first)
