"""The pages of answer templates."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from mailer import clock
from mailer.db import reading, transaction
from mailer.inbound.answers import actions
from mailer.inbound.decisions import TEXT_LIMIT
from mailer.inbound.forms import PressForm
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("answer_templates_admin", __name__, url_prefix="/admin/replies/templates")
LANGUAGES = {"en": "English", "nl": "Dutch"}


class TemplateForm(FlaskForm):  # type: ignore[misc]
    """Words to begin an answer with."""

    name = StringField(
        "Name",
        [InputRequired("Give it a name."), Length(max=100)],
        description="What it answers, such as “How to export your data”.",
    )
    locale = SelectField("Language", choices=[SelectChoice(key, name) for key, name in LANGUAGES.items()])
    text = TextAreaField(
        "Words",
        [
            InputRequired("Write the words."),
            Length(max=TEXT_LIMIT, message=f"An answer has at most {TEXT_LIMIT:,} characters."),
        ],
        description="Greeting and our name are added. A blank line begins a paragraph.",
    )


@bp.get("/")
@needs(May.REPLY)
def index() -> ResponseReturnValue:
    with reading() as session:
        kept = actions.in_use(session)
    return render_template("admin/inbound/templates.html", kept=kept, languages=LANGUAGES, press=PressForm())


@bp.get("/new")
@needs(May.REPLY)
def new() -> ResponseReturnValue:
    return _form_page(TemplateForm(), "")


@bp.post("/new")
@needs(May.REPLY)
def add() -> ResponseReturnValue:
    form = TemplateForm()
    if not form.validate_on_submit():
        return _form_page(form, ""), 422
    said = {"name": form.name.data, "locale": form.locale.data, "text": form.text.data}
    with transaction() as session:
        actions.add(session, **said, staff_id=current_staff().id, at=clock.now())
    flash("The template is kept.", "success")
    return redirect(url_for(".index"), 303)


@bp.get("/<template_id>")
@needs(May.REPLY)
def edit(template_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _form_page(TemplateForm(obj=actions.get(session, template_id)), template_id)


@bp.post("/<template_id>")
@needs(May.REPLY)
def change(template_id: str) -> ResponseReturnValue:
    form = TemplateForm()
    if not form.validate_on_submit():
        return _form_page(form, template_id), 422
    said = {"name": form.name.data, "locale": form.locale.data, "text": form.text.data}
    with transaction() as session:
        template = actions.get(session, template_id)
        actions.change(session, template, **said, staff_id=current_staff().id, at=clock.now())
    flash("The template is changed.", "success")
    return redirect(url_for(".index"), 303)


@bp.post("/<template_id>/retire")
@needs(May.REPLY)
def retire(template_id: str) -> ResponseReturnValue:
    with transaction() as session:
        actions.retire(session, actions.get(session, template_id), current_staff().id, clock.now())
    flash("The template is not offered any more.", "success")
    return redirect(url_for(".index"), 303)


def _form_page(form: TemplateForm, template_id: str) -> str:
    return render_template("admin/inbound/template.html", form=form, template_id=template_id, press=PressForm())
