"""Settings and accounts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from mailer import db
from mailer.staff import queries as staff
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_an_operator_sees_the_settings_without_secrets(signed_in: SignIn, configure: Callable[..., object]) -> None:
    configure(smtp_essential="smtp+starttls://me:hush-hush@relay.example:587")
    page = signed_in(Role.OPERATOR).get("/admin/settings/").text
    assert "relay.example" in page
    assert "hush-hush" not in page
    assert "MAILER_SMTP_ESSENTIAL" not in signed_in(Role.POLICY).get("/admin/settings/").text


def test_an_operator_adds_a_colleague_and_sees_the_first_password_once(signed_in: SignIn) -> None:
    client = signed_in(Role.OPERATOR)
    faulty = client.post("/admin/settings/staff", data={"name": "Noor", "email": "noor", "roles": []})
    assert (faulty.status_code, "Choose at least one role." in faulty.text) == (422, True)
    data = {"name": "Noor", "email": "noor@company.example", "roles": ["policy", "auditor"]}
    made = client.post("/admin/settings/staff", data=data)
    assert made.status_code == 201
    first = re.search(r"first password: <strong><code>([a-z-]+)</code>", made.text)
    assert first
    assert first[1] not in client.get("/admin/settings/staff").text
    again = client.post("/admin/settings/staff", data=data)
    assert (again.status_code, "already has an account" in again.text) == (409, True)


def test_disabling_asks_for_the_address_as_a_word(signed_in: SignIn) -> None:
    with db.transaction() as session:
        kim = factories.staff(session, Role.POLICY, name="Kim")
    client = signed_in(Role.OPERATOR)
    page = f"/admin/settings/staff/{kim.id}/disable"
    assert client.post(page, data={"confirm": "yes"}).status_code == 422
    assert client.post(page, data={"confirm": kim.email}).status_code == 303
    with db.reading() as session:
        assert staff.get(session, kim.id).disabled_at is not None


def test_a_lost_password_is_replaced_by_a_first_one(signed_in: SignIn) -> None:
    with db.transaction() as session:
        kim = factories.staff(session, Role.POLICY)
    answer = signed_in(Role.OPERATOR).post(f"/admin/settings/staff/{kim.id}/reset")
    assert "It is shown only now." in answer.text
    with db.reading() as session:
        assert staff.get(session, kim.id).must_change
