"""What staff fill in to release, to pause and to withdraw."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Length, Optional

WITHDRAW = "withdraw"
WHY_LIMIT = 200


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
