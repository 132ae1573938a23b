"""Signing in and out, and one's own password."""

from __future__ import annotations

import logging

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import clock
from mailer.db import transaction
from mailer.errors import Invalid
from mailer.staff import access, actions, queries, rules
from mailer.staff.actions import Refused, Welcome
from mailer.staff.forms import PasswordForm, SignInForm
from mailer.staff.rules import May

bp = Blueprint("staff", __name__, url_prefix="/admin")
log = logging.getLogger(__name__)
# one answer for all: it does not tell who has an account, nor whose is locked
NOT_LET_IN = "This address and this password do not belong together. After 10 wrong tries an account waits 15 minutes."


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    if access.find_current() is not None:
        return redirect(_next(), 303)
    return render_template("staff/sign_in.html", form=SignInForm())


@bp.post("/sign-in")
def do_sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("staff/sign_in.html", form=form), 422
    with transaction() as session:
        outcome = actions.sign_in(session, form.email.data, form.password.data, clock.now())
    match outcome:
        case Welcome(staff):
            access.enter(staff, keep=form.keep.data)
            return redirect(_next(), 303)
        case Refused(why):
            log.warning("sign-in refused: %s", why)
            form.form_errors.append(NOT_LET_IN)
            return render_template("staff/sign_in.html", form=form), 401


@bp.post("/sign-out")
@access.needs(May.SEE, even_before_change=True)
def sign_out() -> ResponseReturnValue:
    with transaction() as session:
        actions.sign_out(session, queries.get(session, access.current_staff().id), clock.now())
    access.leave()
    flash("You are signed out, here and wherever else you were signed in.", "success")
    return redirect(url_for("staff.sign_in"), 303)


@bp.get("/password")
@access.needs(May.SEE, even_before_change=True)
def password() -> ResponseReturnValue:
    return _password_page(PasswordForm())


@bp.post("/password")
@access.needs(May.SEE, even_before_change=True)
def change_password() -> ResponseReturnValue:
    form, who = PasswordForm(), access.current_staff()
    if not form.validate_on_submit():
        return _password_page(form), 422
    try:
        with transaction() as session:
            staff = queries.get(session, who.id)
            actions.change_password(session, staff, form.old.data, form.new.data, clock.now())
    except Invalid as fault:
        form[fault.field or "new"].errors = [str(fault)]
        return _password_page(form), fault.status
    access.enter(staff, keep=access.is_kept())
    flash("Your password is changed. Everywhere else you are signed out.", "success")
    return redirect("/admin/", 303)


def _password_page(form: PasswordForm) -> str:
    return render_template("staff/password.html", form=form, who=access.current_staff())


def _next() -> str:
    wanted = request.args.get("next", "")
    return wanted if rules.is_local_path(wanted) else "/admin/"
