import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mailer import clock, db
from mailer.staff import actions
from mailer.staff.rules import Role
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SignIn = Callable[..., FlaskClient]
NEW = "four quiet grey geese"


def somebody(email: str = "sam@company.example") -> str:
    with db.transaction() as session:
        factories.staff(session, email=email)
    return email


def enter(client: FlaskClient, password: str = factories.PASSWORD, query: str = "", **more: str):  # type: ignore[no-untyped-def]
    data = {"email": "sam@company.example", "password": password, **more}
    return client.post(f"/admin/sign-in{query}", data=data)


def without_token(page: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


def test_a_stranger_is_sent_to_sign_in_and_then_on(client: FlaskClient) -> None:
    somebody()
    answer = client.get("/admin/people/?origin=subscriber")
    assert answer.status_code == 303
    assert answer.location == "/admin/sign-in?next=/admin/people/?origin%3Dsubscriber"
    inside = client.post(answer.location, data={"email": "sam@company.example", "password": factories.PASSWORD})
    assert inside.location == "/admin/people/?origin=subscriber"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/admin/", "/\\evil.example", "/u/x"])
def test_next_leads_nowhere_else(client: FlaskClient, elsewhere: str) -> None:
    somebody()
    assert enter(client, query=f"?next={elsewhere}").location == "/admin/"


def test_the_answer_does_not_tell_who_has_an_account(client: FlaskClient) -> None:
    somebody()
    answers = []
    for email in ("sam@company.example", "nobody@company.example"):
        answer = client.post("/admin/sign-in", data={"email": email, "password": "wrong"})
        answers.append((answer.status_code, without_token(answer.text).replace(email, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert "do not belong together" in answers[0][1]


def test_a_locked_account_gets_the_same_answer(client: FlaskClient) -> None:
    somebody()
    first = without_token(enter(client, "wrong").text)
    for _ in range(9):
        enter(client, "wrong")
    locked = enter(client)
    assert (locked.status_code, without_token(locked.text)) == (401, first)


def test_an_empty_form_says_what_to_type_and_keeps_the_address(client: FlaskClient) -> None:
    answer = client.post("/admin/sign-in", data={"email": "sam@company.example", "password": ""})
    assert answer.status_code == 422
    assert "Type your password." in answer.text
    assert 'value="sam@company.example"' in answer.text


def test_a_first_password_must_be_changed_before_anything_else(app: Flask) -> None:
    with db.transaction() as session:
        _, first = actions.create(session, email="sam@company.example", name="Sam", roles=[Role.POLICY], at=clock.now())
    client = app.test_client()
    assert enter(client, first).status_code == 303
    for page in ("/admin/", "/admin/people/", "/admin/settings/"):
        assert client.get(page).location == "/admin/password"
    wrong = client.post("/admin/password", data={"old": "wrong", "new": NEW, "again": NEW})
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    short = client.post("/admin/password", data={"old": first, "new": "short", "again": "short"})
    assert (short.status_code, "at least 12 characters" in short.text) == (422, True)
    differ = client.post("/admin/password", data={"old": first, "new": NEW, "again": "another"})
    assert (differ.status_code, "differ" in differ.text) == (422, True)
    assert client.get("/admin/").location == "/admin/password"
    assert client.post("/admin/password", data={"old": first, "new": NEW, "again": NEW}).location == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_changed_password_ends_the_other_sessions_only(app: Flask) -> None:
    somebody()
    here, there = app.test_client(), app.test_client()
    enter(here)
    enter(there, keep="y")
    here.post("/admin/password", data={"old": factories.PASSWORD, "new": NEW, "again": NEW})
    assert here.get("/admin/").status_code == 200
    assert there.get("/admin/").status_code == 303


def test_staying_signed_in_is_a_choice(app: Flask) -> None:
    somebody()
    kept, not_kept = app.test_client(), app.test_client()
    enter(kept, keep="y")
    enter(not_kept)
    for client in (kept, not_kept):
        client.delete_cookie("mailer_session")  # the browser was closed
    assert kept.get("/admin/").status_code == 200
    assert not_kept.get("/admin/").status_code == 303
    kept.post("/admin/sign-out")
    kept.delete_cookie("mailer_session")
    assert kept.get("/admin/").status_code == 303


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(client: FlaskClient) -> None:
    somebody()
    cookies = enter(client, keep="y").headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    kept = next(cookie for cookie in cookies if cookie.startswith("mailer_kept"))
    assert "Expires=" in kept
    assert not any("Expires=" in cookie for cookie in cookies if cookie.startswith("mailer_session"))


def test_signing_out_is_a_post(client: FlaskClient) -> None:
    somebody()
    enter(client)
    assert client.get("/admin/sign-out").status_code == 405
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/sign-out").location == "/admin/sign-in"
    assert client.get("/admin/").status_code == 303


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app: Flask, client: FlaskClient) -> None:
    somebody()
    enter(client, keep="y")
    thief = app.test_client()
    for name in ("mailer_session", "mailer_kept"):
        stolen = client.get_cookie(name)
        assert stolen is not None
        thief.set_cookie(name, stolen.value)
    assert thief.get("/admin/").status_code == 200
    client.post("/admin/sign-out")
    assert thief.get("/admin/").status_code == 303


def test_a_role_that_lacks_the_right_is_told_so(signed_in: SignIn) -> None:
    answer = signed_in(Role.MARKETING).get("/admin/settings/staff")
    assert answer.status_code == 403
    assert "marketing" in answer.text
    assert signed_in(Role.OPERATOR).get("/admin/settings/staff").status_code == 200


def test_a_disabled_account_is_out_at_once(client: FlaskClient) -> None:
    somebody()
    enter(client)
    with db.transaction() as session:
        factories.staff(session)
        who = actions.queries.get_by_email(session, "sam@company.example")
        actions.disable(session, who, clock.now())
    assert client.get("/admin/").status_code == 303


def test_a_fragment_sends_the_whole_page_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/admin/messages/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/admin/sign-in")


def test_no_form_works_without_its_token(guarded_app: Flask) -> None:
    somebody()
    client = guarded_app.test_client()
    refused = enter(client)
    assert (refused.status_code, "stood open too long" in refused.text) == (400, True)
    page = client.get("/admin/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert enter(client, csrf_token=token[1]).status_code == 303
    assert client.post("/admin/sign-out").status_code == 400
