"""What staff fill in about themselves and each other."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField, SelectMultipleField, StringField, TextAreaField, widgets
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length

from mailer.staff.rules import Role

ROLE_WORDS = {
    Role.MARKETING: "Marketing: writes and sends campaigns",
    Role.POLICY: "Policy: changes policies, reads replies",
    Role.OPERATOR: "Operator: services, settings, accounts",
    Role.AUDITOR: "Auditor: sees everything, changes nothing",
}
MANAGED = {"autocapitalize": "none", "spellcheck": "false"}


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Address, password, and whether to stay."""

    email = EmailField(
        "E-mail address",
        [
            DataRequired("Type the address of your account."),
            Length(max=320, message="An address has at most 320 characters."),
        ],
        render_kw={"autocomplete": "username", **MANAGED},
    )
    password = PasswordField(
        "Password",
        [DataRequired("Type your password."), Length(max=1000, message="A password has at most 1,000 characters.")],
        render_kw={"autocomplete": "current-password"},
    )
    keep = BooleanField("Keep me signed in on this device for 30 days")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The present password and a new one, twice."""

    old = PasswordField(
        "Present password",
        [DataRequired("Type the password you signed in with."), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        [DataRequired("Type a new password."), Length(max=1000, message="A password has at most 1,000 characters.")],
        description="At least 12 characters. A few words in a row are easy to keep.",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "New password, once more",
        [
            DataRequired("Type the new password a second time."),
            EqualTo("new", "The two new passwords differ; type them again."),
        ],
        render_kw={"autocomplete": "new-password"},
    )


class StaffForm(FlaskForm):  # type: ignore[misc]
    """A new colleague."""

    name = StringField("Name", [DataRequired("Write the name that colleagues will see."), Length(max=200)])
    email = EmailField(
        "E-mail address", [DataRequired("Write the address to sign in with."), Length(max=320)], render_kw=MANAGED
    )
    roles = SelectMultipleField(
        "Roles",
        [DataRequired("Choose at least one role.")],
        choices=[SelectChoice(role.value, words) for role, words in ROLE_WORDS.items()],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )


class FinishForm(FlaskForm):  # type: ignore[misc]
    """What was done about a task."""

    note = TextAreaField(
        "What was done",
        [DataRequired("Say in a few words what was done, for whoever looks later."), Length(max=2000)],
        render_kw={"rows": 3},
    )
