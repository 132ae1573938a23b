"""The box that finds."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from mailer import db
from mailer.delivery import compose
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_names_one_thing_opens_it(signed_in: SignIn, method: str) -> None:
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example", reference="trac-17")
        message = factories.message(session, who)
        header = compose.message_id_header(message)
    client = signed_in()
    wanted = {
        "Anna@People.example": f"/admin/people/{who.id}",
        " trac-17 ": f"/admin/people/{who.id}",
        who.id: f"/admin/people/{who.id}",
        message.id: f"/admin/messages/{message.id}",
        header: f"/admin/messages/{message.id}",
        "Vries": f"/admin/people/{who.id}",
    }
    for query, page in wanted.items():
        how = {"query_string": {"q": query}} if method == "GET" else {"data": {"q": query}}
        assert client.open("/admin/search", method=method, **how).location == page, query


def test_several_are_listed(signed_in: SignIn) -> None:
    with db.transaction() as session:
        factories.contact(session, "a@people.example")
        factories.message(session, factories.contact(session, "b@people.example"))
    page = signed_in().post("/admin/search", data={"q": "people.example"}).text
    assert page.count("/admin/people/con_") == 2
    assert "/admin/messages/msg_" in page


@pytest.mark.parametrize("query", ["nobody@people.example", "msg_zzzzzzzzzzzzz", "%", "'", "con_1", ""])
def test_nothing_found_is_a_page_too(signed_in: SignIn, query: str) -> None:
    assert signed_in().post("/admin/search", data={"q": query}).status_code == 200


def test_the_box_sends_no_address_into_a_url(signed_in: SignIn) -> None:
    form = re.search(r'<form class="find"[^>]*>', signed_in().get("/admin/").text)
    assert form
    assert 'method="post"' in form[0]
