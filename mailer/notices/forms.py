"""What staff fill in to release, to pause and to withdraw."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Length, Optional

WITHDRAW, CORRECT = "withdraw", "correct"
WHY_LIMIT = 200
PROOF_LIMIT = 200


class ReleaseForm(FlaskForm):  # type: ignore[misc]
    """The day, which may be later than the approved one; `seen` is the fingerprint of what the releaser read."""

    seen = HiddenField()

    effective_on = DateField("Takes effect on", [Optional()])


class PauseForm(FlaskForm):  # type: ignore[misc]
    """That notices shall wait."""

    why = StringField(
        "Why, for your colleagues",
        [Optional(), Length(max=WHY_LIMIT, message=f"At most {WHY_LIMIT} characters fit.")],
        render_kw={"autocomplete": "off"},
    )


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Why a pending version is taken back."""

    reason = TextAreaField(
        "Why it is withdrawn",
        [DataRequired("Say why; those already told will read it."), Length(max=4000)],
        description="Those already told get this by e-mail, word for word.",
        render_kw={"rows": 3},
    )
    confirm = StringField("Confirm", [AnyOf([WITHDRAW], message=f"Type the word “{WITHDRAW}” to go on.")])


class CorrectForm(FlaskForm):  # type: ignore[misc]
    """What was wrong in a notice and what is right, in each language of the mail."""

    words_en = TextAreaField(
        "What was wrong, and what is right, in English",
        [DataRequired("Say it in English; readers of any other language but Dutch get this."), Length(max=4000)],
        render_kw={"rows": 3},
    )
    words_nl = TextAreaField(
        "The same in Dutch",
        [DataRequired("Say it in Dutch; readers of Dutch get this."), Length(max=4000)],
        render_kw={"rows": 3, "lang": "nl"},
    )
    confirm = StringField("Confirm", [AnyOf([CORRECT], message=f"Type the word “{CORRECT}” to go on.")])


class TellForm(FlaskForm):  # type: ignore[misc]
    """To which other address of a person a notice goes; the choices are set by the page."""

    email = SelectField("Address", validate_choice=False)


class LetterForm(FlaskForm):  # type: ignore[misc]
    """That a letter was handed over, and how that is known."""

    delivered_on = DateField("Handed over on", [DataRequired("Choose the day on which the letter was handed over.")])
    proof = StringField(
        "How that is known",
        [DataRequired("Say how it is known, such as the number of the registered item."), Length(max=PROOF_LIMIT)],
        description="Such as “registered item RR123456785NL, signed for”. No names, no addresses: it is kept as proof.",
        render_kw={"autocomplete": "off"},
    )
