"""What a person at the reply desk fills in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, Length

from mailer.inbound.decisions import TEXT_LIMIT
from mailer.inbound.handling import NOTE_LIMIT
from mailer.inbound.rules import Kind

DECISIONS = {
    Kind.TERMINATION: "Termination",
    Kind.QUESTION: "Question, settled without an answer",
    Kind.RIGHTS_REQUEST: "Request about one's own data",
    Kind.LEAVE_NEWSLETTERS: "Leaves newsletters",
    Kind.AUTO_REPLY: "Automatic reply",
    Kind.BOUNCE: "Bounce",
    Kind.SPOOF: "Spam or forged",
}
# one key a decision, while no field has the focus (static/desk.js)
KEYS = {
    Kind.TERMINATION: "t",
    Kind.QUESTION: "q",
    Kind.RIGHTS_REQUEST: "r",
    Kind.LEAVE_NEWSLETTERS: "l",
    Kind.AUTO_REPLY: "a",
    Kind.BOUNCE: "b",
    Kind.SPOOF: "s",
}


class DecideForm(FlaskForm):  # type: ignore[misc]
    """What a mail is, said by the button that was pressed."""

    kind = StringField(
        "What it is", [AnyOf([kind.value for kind in DECISIONS], message="Press one of the buttons of this page.")]
    )


class ContactForm(FlaskForm):  # type: ignore[misc]
    """Whose mail it is."""

    who = StringField(
        "Address or reference",
        [InputRequired("Give an address or a reference of the person."), Length(max=320)],
        description="One of the person's addresses, or the reference that other services use.",
    )


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """An answer, and what the mail is."""

    kind = RadioField(
        "What the mail is",
        [InputRequired("Say what the mail is.")],
        choices=[
            SelectChoice(Kind.QUESTION.value, "A question"),
            SelectChoice(Kind.RIGHTS_REQUEST.value, "A request about the person's own data; its task stays open"),
        ],
    )
    text = TextAreaField(
        "Answer",
        [
            InputRequired("Write the answer."),
            Length(max=TEXT_LIMIT, message=f"An answer has at most {TEXT_LIMIT:,} characters."),
        ],
        description="The greeting and our name are added. A blank line begins a paragraph.",
    )


class GiveForm(FlaskForm):  # type: ignore[misc]
    """Which colleague looks after a mail; empty for nobody in particular."""

    to = StringField("Colleague", [Length(max=30)])


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note for colleagues."""

    note = TextAreaField(
        "Note",
        [
            InputRequired("Write the note."),
            Length(max=NOTE_LIMIT, message=f"A note has at most {NOTE_LIMIT:,} characters."),
        ],
        description="For colleagues; never sent. Erasing the person removes it.",
    )


class PressForm(FlaskForm):  # type: ignore[misc]
    """A button and nothing else."""


class FindForm(FlaskForm):  # type: ignore[misc]
    """Part of a sender's address; sent by POST, for no address stands in a URL (invariant 12)."""

    words = StringField("Address", [Length(max=320)])
