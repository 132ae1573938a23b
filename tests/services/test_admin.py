"""The operator's pages about services, and the same from the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.ledger import actions as ledger
from mailer.services import actions, queries
from mailer.services.actions import Answer
from mailer.services.cli import service as command
from mailer.services.models import EventDelivery
from mailer.services.rules import DeliveryState
from mailer.staff.rules import Role
from tests.services.conftest import ANNA, Trac

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_an_operator_adds_a_service_and_sees_its_keys_once(signed_in: SignIn, session: Session) -> None:
    operator = signed_in(Role.OPERATOR)
    data = {"name": "trac", "endpoint": "https://trac.example/events", "hears": ["policy.released"]}
    page = operator.post("/admin/services/new", data=data)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
    token = re.search(r"mlr_[\w-]+", page.text)
    assert secret
    assert token
    made = queries.find_by_name(session, "trac")
    assert made is not None
    assert made.hears == ["policy.released"]
    assert page.headers["Cache-Control"] == "no-store"
    shown = operator.get(f"/admin/services/{made.id}").text
    assert secret[0] not in shown
    assert token[0] not in shown
    assert queries.find_by_token(session, token[0]) is made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "Trac Billing"}, "small letters"),
        ({"endpoint": "trac.example"}, "not a web address"),
        ({"hears": ["contact.exploded"]}, "valid choice"),
    ],
)
def test_a_fault_stands_at_its_field_and_keeps_what_was_typed(
    signed_in: SignIn, change: dict[str, object], words: str
) -> None:
    data = {"name": "trac", "endpoint": "https://trac.example/typed"} | change
    page = signed_in(Role.OPERATOR).post("/admin/services/new", data=data)
    assert page.status_code == 422
    assert words in page.text
    assert data["endpoint"] in page.text  # type: ignore[operator]


def test_a_name_is_given_once(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR)
    operator.post("/admin/services/new", data={"name": "trac"})
    assert operator.post("/admin/services/new", data={"name": "trac"}).status_code == 409


@pytest.mark.parametrize("role", [Role.MARKETING, Role.POLICY, Role.AUDITOR])
def test_only_operators_see_services(signed_in: SignIn, role: Role) -> None:
    assert signed_in(role).get("/admin/services/").status_code == 403


def test_the_page_of_a_service_shows_what_came_and_what_went(signed_in: SignIn, trac: Trac, session: Session) -> None:
    trac.say("contact.upserted", ANNA, webhook_id="their-own-id")
    delivery_of(session, trac)
    page = signed_in(Role.OPERATOR).get(f"/admin/services/{trac.id}").text
    for words in ("their-own-id", "contact.upserted", "policy.released", "the service answered 500", "Dead letter"):
        assert words in page


def test_a_dead_letter_is_called_again_by_a_button(signed_in: SignIn, trac: Trac, session: Session) -> None:
    delivery = delivery_of(session, trac)
    operator = signed_in(Role.OPERATOR)
    again = f"/admin/services/{trac.id}/deliveries/{delivery.id}/again"
    assert operator.post(again).status_code == 303
    session.refresh(delivery)
    assert delivery.state is DeliveryState.QUEUED
    session.commit()  # an open transaction would keep the next press waiting
    assert operator.post(again).status_code == 303
    assert "not a dead letter" in operator.get(f"/admin/services/{trac.id}").text
    assert operator.post(f"/admin/services/{trac.id}/deliveries/999/again").status_code == 404
    assert operator.post(f"/admin/services/{trac.id}/deliveries/{'9' * 40}/again").status_code == 404


def test_new_keys_and_disabling_want_the_name_typed(signed_in: SignIn, trac: Trac) -> None:
    operator = signed_in(Role.OPERATOR)
    operator.post(f"/admin/services/{trac.id}/rotate", data={"confirm_rotate": "other"})
    assert trac.say("contact.upserted", ANNA).status_code == 202
    assert "whsec_" in operator.post(f"/admin/services/{trac.id}/rotate", data={"confirm_rotate": "trac"}).text
    assert trac.say("contact.upserted", ANNA).status_code == 401
    operator.post(f"/admin/services/{trac.id}/disable", data={"confirm_disable": "trac"})
    assert "Disabled" in operator.get(f"/admin/services/{trac.id}").text


def test_where_a_service_listens_can_change(signed_in: SignIn, trac: Trac, session: Session) -> None:
    operator = signed_in(Role.OPERATOR)
    page = f"/admin/services/{trac.id}"
    assert operator.post(page, data={"endpoint": "nowhere"}).status_code == 422
    assert operator.post(page, data={"endpoint": "http://127.0.0.1:9/", "hears": ["rights.due"]}).status_code == 303
    service = queries.get(session, trac.id)
    assert (service.endpoint, service.hears) == ("http://127.0.0.1:9/", ["rights.due"])


def test_the_command_line_makes_and_lists_services(database: str) -> None:
    made = CliRunner().invoke(command, ["create", "trac", "--endpoint", "http://127.0.0.1:9/", "--hears", "rights.due"])
    assert made.exit_code == 0
    assert "whsec_" in made.output
    assert "mlr_" in made.output
    assert "trac" in CliRunner().invoke(command, ["list"]).output
    everything = CliRunner().invoke(command, ["create", "other"])
    assert everything.exit_code == 0


def test_the_command_line_refuses_what_the_page_refuses(session: Session) -> None:
    with pytest.raises(actions.Invalid, match=r"rights\.dew"):
        actions.create(session, name="trac", hears=["rights.dew"], at=datetime.now(UTC))


def delivery_of(session: Session, trac: Trac) -> EventDelivery:
    """A dead letter for a service."""
    at = datetime.now(UTC)
    actions.edit(
        session,
        queries.get(session, trac.id),
        endpoint="http://127.0.0.1:9/",
        hears=["policy.released"],
        at=at,
    )
    ledger.tell(session, "policy.released", at, version="ver_1")
    session.flush()
    actions.spread(session, at)
    delivery = session.scalars(select(EventDelivery)).one()
    delivery.attempts = 7
    [call] = actions.claim(session, at, timedelta(minutes=1))
    actions.settle(session, call, Answer(500, "the service answered 500"), at)
    session.commit()
    return delivery
