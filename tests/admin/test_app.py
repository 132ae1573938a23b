"""The front door itself: headers, mistakes, limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from mailer import clock, db
from mailer.app import create_app
from mailer.contacts.models import Address
from mailer.errors import Conflict, trace
from tests import factories

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@only_sqlite
def test_every_page_says_what_a_browser_may_do_with_it(client: FlaskClient) -> None:
    headers = client.get("/u/x").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in headers
    assert client.get("/admin/sign-in").headers["Cache-Control"] == "no-store"


@only_sqlite
def test_production_keeps_cookies_and_pages_on_https(database: str, configure: Callable[..., object]) -> None:
    configure(
        environment="production",
        secret_keys="0123456789" * 4,
        smtp_essential="smtps://relay.example",
        smtp_marketing="smtps://relay.example",
        public_url="https://mail.company.example",
    )
    app = create_app()
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["REMEMBER_COOKIE_SECURE"]
    assert "max-age=" in app.test_client().get("/healthz").headers["Strict-Transport-Security"]
    assert not any("post-office" in rule.rule for rule in app.url_map.iter_rules())


@only_sqlite
def test_a_session_outlives_a_change_of_keys(configure: Callable[..., object], database: str) -> None:
    old, new = "an-older-key-" * 3, "a-newer-key-" * 3
    configure(secret_keys=old)
    before = create_app().session_interface.get_signing_serializer(_app_with(old))
    configure(secret_keys=f"{new},{old}")
    after = create_app().session_interface.get_signing_serializer(create_app())
    assert before is not None
    assert after is not None
    assert after.loads(before.dumps({"who": "sam"})) == {"who": "sam"}


def _app_with(key: str) -> Flask:
    app = Flask("test")
    app.secret_key = key
    return app


@only_sqlite
@pytest.mark.parametrize(
    ("path", "headers", "is_json"),
    [
        ("/nowhere", {}, False),
        ("/nowhere", {"Accept": "application/json"}, True),
        ("/nowhere", {"Accept": "*/*"}, False),
        ("/api/nowhere", {}, True),
        ("/webhooks/a/b", {"Accept": "text/html"}, True),
    ],
)
def test_what_is_not_there_is_told_to_people_and_programs(
    client: FlaskClient, path: str, headers: dict[str, str], is_json: bool
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.is_json is is_json
    if is_json:
        assert answer.json == {"error": {"message": "No page stands at this address.", "field": None}}
    else:
        assert "There is nothing here" in answer.text


@pytest.mark.parametrize("path", ["/policies/%00", "/admin/sign-in", "/readyz?%00"])
def test_a_nul_character_is_no_crash(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code < 500
    assert client.post("/admin/sign-in", data={"email": "a\0", "password": "a\0"}).status_code in (401, 422)


@only_sqlite
def test_a_mistake_is_a_page_with_its_sentence_or_json_with_its_field(app: Flask) -> None:
    @app.get("/api/mistaken")
    @app.get("/mistaken")
    def mistaken() -> str:
        raise Conflict("date: it is <too early>; choose 8 January.", field="date")

    client = app.test_client()
    page, told = client.get("/mistaken"), client.get("/api/mistaken")
    assert (page.status_code, "it is &lt;too early&gt;; choose 8 January." in page.text) == (409, True)
    assert (told.status_code, told.json) == (
        409,
        {"error": {"message": "date: it is <too early>; choose 8 January.", "field": "date"}},
    )


@only_sqlite
@pytest.mark.parametrize(("path", "expected"), [("/crash", "text/html"), ("/api/crash", "application/json")])
def test_a_crash_says_nothing_of_its_inside(
    app: Flask, caplog: pytest.LogCaptureFixture, path: str, expected: str
) -> None:
    @app.get("/api/crash")
    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("secret inside")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (500, expected)
    assert "secret inside" not in answer.text
    assert "RuntimeError at" in caplog.text
    assert "in crash" in caplog.text, "where it happened"


def test_a_crash_writes_nobody_into_the_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/crash")
    def crash() -> str:
        with db.transaction() as session:
            who = factories.contact(session, "anna@people.example", name="Anna de Vries")
            session.add(
                Address(
                    id="adr_2",
                    contact_id=who.id,
                    email="anna@people.example",
                    email_key="anna@people.example",
                    is_primary=False,
                    created_at=clock.now(),
                )
            )
        return ""

    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get("/crash").status_code == 500
    assert "IntegrityError" in caplog.text
    assert "anna" not in caplog.text.lower(), "PostgreSQL tells the values of the row that it refuses"


def test_an_error_of_the_database_itself_keeps_its_words() -> None:
    with pytest.raises(OperationalError) as caught, db.reading() as session:
        session.execute(text("SELECT * FROM nowhere"))
    said = trace(caught.value)
    assert said.endswith("OperationalError: no such table: nowhere")
    assert "which led to" in said, "the driver's own error comes first"


@only_sqlite
def test_the_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/admin/sign-out")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "Error 405" in answer.text


@only_sqlite
@pytest.mark.parametrize("path", ["/u/x", "/preferences/x", "/webhooks/trac"])
def test_two_megabytes_are_too_many(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data={"a": "x" * 2_000_000})
    assert answer.status_code in ({413, 404} if path == "/preferences/x" else {413})


@only_sqlite
def test_the_process_is_alive_and_ready_without_redis(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json is not None
    assert ready.json["database"] == "ok"
    assert "not reachable" in ready.json["redis"]


@only_sqlite
def test_it_is_ready_with_redis(redis_server: Redis, client: FlaskClient) -> None:
    ready = client.get("/readyz").json
    assert ready is not None
    assert (ready["status"], ready["database"], ready["redis"]) == ("ready", "ok", "ok")


def test_it_is_not_ready_without_a_migrated_database() -> None:
    answer = create_app().test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "mailer migrate" in answer.json["database"]


@only_sqlite
def test_static_files_may_be_kept_for_a_year(client: FlaskClient) -> None:
    page = client.get("/u/x").text
    href = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in href
    answer = client.get(href)
    assert (answer.status_code, answer.cache_control.max_age) == (200, 31_536_000)
    answer.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_page_that_caches_may_share_does_not_vary_by_cookie(client: FlaskClient) -> None:
    answer = client.get("/policies")
    assert answer.cache_control.public
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Cookie" in client.get("/admin/sign-in").headers["Vary"]


@only_sqlite
def test_a_database_that_nobody_can_write_is_said_and_asked_for_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    @app.post("/api/write")
    @app.post("/write")
    def write() -> str:
        with db.transaction() as session:
            session.execute(text("DELETE FROM tasks"))
        return "written"

    app.config |= {"PROPAGATE_EXCEPTIONS": False, "WTF_CSRF_ENABLED": False}
    monkeypatch.setattr(db, "SQLITE_BUSY_MILLISECONDS", 50)
    with db.engine().connect() as writer:
        writer.execute(text("DELETE FROM tasks"))
        page, told = app.test_client().post("/write"), app.test_client().post("/api/write")
    assert (page.status_code, "Try again in a minute" in page.text) == (503, True)
    assert (told.status_code, told.headers["Retry-After"]) == (503, "60")
    assert told.get_json()["error"]["message"].startswith("The database cannot be written or read at the moment")
    assert app.test_client().post("/write").text == "written"
