"""What staff fill in about policies."""

from __future__ import annotations

from contextlib import closing

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, SelectField, SelectMultipleField, StringField, TextAreaField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from mailer.contacts.rules import Origin
from mailer.errors import MailerError
from mailer.policies import documents
from mailer.policies.languages import LANGUAGES

ORIGIN_WORDS = {
    Origin.ACCOUNT_HOLDER: "Account holders: people who sign in to the service",
    Origin.SUBSCRIBER: "Subscribers: people who asked for newsletters",
    Origin.THIRD_PARTY: "Third parties: people whose data customers entered",
}
FILE_HINT = "Markdown, Word (.docx), HTML or plain text; it takes the place of the text above."


class PolicyForm(FlaskForm):  # type: ignore[misc]
    """A policy that is new here, with the text people live under already, if there is one."""

    title = StringField(
        "Title",
        [DataRequired("Write what people call this policy."), Length(max=200)],
        description="Such as Privacy statement.",
    )
    slug = StringField(
        "Name in addresses",
        [DataRequired("Write the name that stands in its addresses."), Length(max=80)],
        description="Small letters, digits and hyphens, such as privacy-statement. It never changes.",
    )
    concerns = SelectMultipleField(
        "Whom it concerns",
        [DataRequired("Choose at least one kind of people.")],
        choices=[SelectChoice(origin.value, words) for origin, words in ORIGIN_WORDS.items()],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    language = SelectField(
        "Language",
        choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()],
        default="en",
        description="Of the text that counts. Versions may have translations. It never changes.",
    )
    text = TextAreaField(
        "The text in force now",
        [Optional()],
        description="It becomes version 1 and nothing is mailed: people live under it already. It may stay empty.",
        render_kw={"rows": 12, "class": "code"},
    )
    file = FileField("Or a file", description=FILE_HINT)
    effective_on = DateField("In force since", [Optional()], description="Today if left empty.")


def take_upload(form: FlaskForm, file_field: str = "file", text_field: str = "text") -> bool:
    """Put a chosen file into the text's field; False if it cannot be read, and the form says why."""
    file = form[file_field].data
    if not file or not file.filename:
        return True
    with closing(file):
        data = file.read()
    try:
        form[text_field].data = documents.read_document(data, file.filename)
    except MailerError as fault:
        blame(form, fault, file_field)
        return False
    return True


def blame(form: FlaskForm, fault: MailerError, at: str = "") -> None:
    """Show a mistake at the field it names, or on top of the form."""
    named = fault.field or ""
    name = next((name for name in (at, named, f"question_{named}") if name in form._fields), None)
    words = str(fault).removeprefix(f"{named}: ").removeprefix("answers: ")
    words = words[:1].upper() + words[1:]
    if name is None:
        form.form_errors.append(words)
    else:
        form[name].errors = [*form[name].errors, words]
