"""What an operator fills in about another service."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from mailer.services.rules import ENDPOINT_LIMIT, EventOut

_EVENTS = [SelectChoice(kind.value) for kind in EventOut]
_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class ListeningForm(FlaskForm):  # type: ignore[misc]
    """Where a service listens and what it hears."""

    endpoint = StringField(
        "Endpoint",
        [Length(max=ENDPOINT_LIMIT, message=f"At most {ENDPOINT_LIMIT} characters fit.")],
        description="Where events are posted to, signed. Leave it empty for a service that only tells us things.",
        render_kw={"inputmode": "url", **_PLAIN},
    )
    hears = SelectMultipleField(
        "Events it hears",
        choices=_EVENTS,
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )


class ServiceForm(ListeningForm):
    """A new service."""

    name = StringField(
        "Name",
        [DataRequired("Give it a name; it stands in the address it calls."), Length(max=60)],
        description="Small letters, digits and hyphens, such as trac-billing. It calls /webhooks/ and this name.",
        render_kw=_PLAIN,
    )
