"""What marketing fills in."""

from __future__ import annotations

from typing import ClassVar

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Length, Optional, StopValidation

from mailer.campaigns.actions import NAME_LIMIT
from mailer.campaigns.placeholders import TEXT_LIMIT
from mailer.contacts.rules import NAME_LIMIT as LINE_LIMIT
from mailer.outbox.mailings import FASTEST
from mailer.outbox.rules import MailKind

KIND_WORDS = {
    MailKind.CAMPAIGN: "Campaign: marketing, to the readers of a topic who may get it",
    MailKind.ANNOUNCEMENT: "Announcement: essential, to everybody with an account, without promotion",
}
CANCEL = "cancel"


class ForSending:
    """Marks a field that may be empty while one writes, and not when it goes out; the checks say so."""

    field_flags: ClassVar = {"required": True}

    def __call__(self, _form: object, _field: object) -> None:
        pass


class PossiblePace:
    """A number of mails that an hour can have; one fault is told, in our words."""

    def __call__(self, _form: object, field: IntegerField) -> None:
        if field.data is None or not 1 <= field.data <= FASTEST:
            field.errors[:] = []
            raise StopValidation(f"Write a whole number from 1 to {FASTEST:,}, or leave it empty for no limit.")


class NewForm(FlaskForm):  # type: ignore[misc]
    """A campaign or announcement to begin."""

    kind = RadioField("What it is", [DataRequired("Choose what it is.")])
    name = StringField(
        "Name",
        [DataRequired("Give it a name by which colleagues find it."), Length(max=NAME_LIMIT)],
        description="For colleagues only; readers never see it.",
    )
    topic = SelectField("Topic", [Optional()], description="A campaign goes to the readers of its topic.")


class EditForm(FlaskForm):  # type: ignore[misc]
    """The wording; `shown` is the view of the preview that stays open."""

    name = StringField("Name", [DataRequired("Give it a name by which colleagues find it."), Length(max=NAME_LIMIT)])
    topic = SelectField("Topic", [Optional()])
    subject = StringField(
        "Subject", [ForSending(), Length(max=LINE_LIMIT, message=f"At most {LINE_LIMIT} characters fit.")]
    )
    body = TextAreaField(
        "Text, in Markdown", [ForSending(), Length(max=TEXT_LIMIT, message=f"{TEXT_LIMIT:,} characters fit.")]
    )
    shown = HiddenField()


class PaceForm(FlaskForm):  # type: ignore[misc]
    """How fast a sending may go."""

    per_hour = IntegerField(
        "At most so many mails an hour",
        [Optional(), PossiblePace()],
        description="Leave it empty for no limit. You may change it while it is being sent.",
        render_kw={"inputmode": "numeric", "min": 1, "max": FASTEST},
    )


class PauseForm(FlaskForm):  # type: ignore[misc]
    """That a sending shall wait."""

    why = StringField(
        "Why, for your colleagues",
        [Optional(), Length(max=LINE_LIMIT, message=f"At most {LINE_LIMIT} characters fit.")],
        render_kw={"autocomplete": "off"},
    )


class CancelForm(FlaskForm):  # type: ignore[misc]
    """That the rest of a sending shall never go out."""

    confirm = StringField("Confirm", [AnyOf([CANCEL], message=f"Type the word “{CANCEL}” to go on.")])
