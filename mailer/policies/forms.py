"""What staff fill in about policies."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, RadioField, SelectMultipleField, StringField, TextAreaField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from mailer.contacts.rules import Origin
from mailer.errors import MailerError
from mailer.policies import written
from mailer.policies.actions import Wording
from mailer.policies.models import Draft
from mailer.policies.rules import QUESTIONS, Announce, ChangeClass

ORIGIN_WORDS = {
    Origin.ACCOUNT_HOLDER: "Account holders: people who sign in to the service",
    Origin.SUBSCRIBER: "Subscribers: people who asked for newsletters",
    Origin.THIRD_PARTY: "Third parties: people whose data customers entered",
}
CLASS_WORDS = {
    ChangeClass.MATERIAL: "Material: it affects rights. Everyone concerned is told by e-mail, at least 30 days ahead.",
    ChangeClass.ORDINARY: "Ordinary: it does not affect rights. It is announced, or mailed, at any time.",
    ChangeClass.MINOR: "Minor: nothing changes for anyone, such as a spelling mistake. No mail; page and feed change.",
}
ANNOUNCE_WORDS = {
    Announce.ANNOUNCEMENT: "By service announcement: the banner and the feed",
    Announce.EMAIL: "By e-mail to everyone concerned",
}
PREFIX = "question_"
YES_OR_NO = [SelectChoice("no", "No"), SelectChoice("yes", "Yes")]


class Expected:
    """Marks a field without which there is no review, though a draft may be kept without it."""

    field_flags: ClassVar = {"required": True}

    def __call__(self, form: object, field: object) -> None:
        """Nothing is refused here."""


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
    text = TextAreaField(
        "The text in force now",
        [Optional()],
        description="It becomes version 1 and nothing is mailed: people live under it already. It may stay empty.",
        render_kw={"rows": 12, "class": "code"},
    )
    file = FileField("Or a file", description="Markdown or plain text in UTF-8; it takes the place of the text above.")
    effective_on = DateField("In force since", [Optional()], description="Today if left empty.")


class DraftForm(FlaskForm):  # type: ignore[misc]
    """A new version in the making."""

    text = TextAreaField(
        "Text", [Expected()], description="Markdown. Headings begin with #.", render_kw={"rows": 24, "class": "code"}
    )
    file = FileField("Or a file", description="Markdown or plain text in UTF-8; it takes the place of the text above.")
    summary = TextAreaField(
        "What changes, in plain words",
        [Expected()],
        description="The first thing people read in the notice.",
        render_kw={"rows": 3},
    )
    why = TextAreaField("Why", [Optional()], render_kw={"rows": 2})
    impact = TextAreaField("What it means for people", [Optional()], render_kw={"rows": 2})
    change_class = RadioField(
        "Class of the change",
        [DataRequired("Choose a class.")],
        choices=[SelectChoice(kind.value, words) for kind, words in CLASS_WORDS.items()],
        default=ChangeClass.MATERIAL.value,
        description="A change is material unless shown otherwise.",
    )
    announce = RadioField(
        "How an ordinary change is told",
        [Optional()],
        choices=[SelectChoice(way.value, words) for way, words in ANNOUNCE_WORDS.items()],
        default=Announce.ANNOUNCEMENT.value,
    )
    effective_on = DateField("Takes effect on", [Optional()])
    class_reason = TextAreaField("Why it is minor", [Optional()], render_kw={"rows": 2})

    def questions(self) -> list[Any]:
        """The fields of the seven questions, in their order."""
        return [self[PREFIX + key] for key in QUESTIONS]

    def wording(self) -> Wording:
        """What was filled in; an empty question has no answer."""
        answers = {key: self[PREFIX + key].data == "yes" for key in QUESTIONS if self[PREFIX + key].data}
        return Wording(
            text=self.text.data or "",
            change_class=ChangeClass(self.change_class.data),
            announce=Announce(self.announce.data or Announce.ANNOUNCEMENT),
            effective_on=self.effective_on.data,
            summary=self.summary.data or "",
            why=self.why.data or "",
            impact=self.impact.data or "",
            class_reason=self.class_reason.data or "",
            answers=answers,
        )

    def fill(self, draft: Draft) -> None:
        """Show what a draft says."""
        for name in ("text", "summary", "why", "impact", "effective_on", "class_reason"):
            self[name].data = getattr(draft, name)
        self.change_class.data, self.announce.data = draft.change_class.value, draft.announce.value
        for key, is_yes in draft.answers.items():
            self[PREFIX + key].data = "yes" if is_yes else "no"


for _key, _question in QUESTIONS.items():
    setattr(DraftForm, PREFIX + _key, RadioField(_question, [Optional()], choices=YES_OR_NO))


def take_upload(form: FlaskForm) -> bool:
    """Put a chosen file into the text's field; False if it cannot be read, and the form says why."""
    file = form.file.data
    if not file or not file.filename:
        return True
    try:
        form.text.data = written.read_text(file.read())
    except MailerError as fault:
        blame(form, fault, "file")
        return False
    return True


def blame(form: FlaskForm, fault: MailerError, at: str = "") -> None:
    """Show a mistake at the field it names, or on top of the form."""
    named = fault.field or ""
    name = next((name for name in (at, named, PREFIX + named) if name in form._fields), None)
    words = str(fault).removeprefix(f"{named}: ").removeprefix("answers: ")
    words = words[:1].upper() + words[1:]
    if name is None:
        form.form_errors.append(words)
    else:
        form[name].errors = [*form[name].errors, words]
