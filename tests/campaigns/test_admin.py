"""The pages of campaigns: write, see, try, send, watch."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.campaigns.models import Campaign
from mailer.db import reading, transaction
from mailer.outbox import actions as outbox
from mailer.outbox.models import Attempt, Mailing, Message
from mailer.outbox.rules import Outcome, State
from mailer.staff.rules import Role
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WORDS = {"name": "November", "topic": "news", "subject": "Hello {{ first_name }}", "body": "Search is faster."}


@pytest.fixture
def people(session: Session) -> None:
    factories.contact(session, "anna@people.example", topics=["news"])
    factories.contact(session, "bob@people.example", topics=["news"])
    factories.contact(session, "carl@people.example")
    session.commit()


@pytest.fixture
def marketing(signed_in: SignIn) -> FlaskClient:
    return signed_in(Role.MARKETING)


@pytest.fixture
def page(people: None, marketing: FlaskClient) -> str:
    """The address of a new campaign, with words in it."""
    made = marketing.post("/admin/campaigns/new", data={"kind": "campaign", "name": "November", "topic": "news"})
    assert made.status_code == 303, made.text
    assert marketing.post(made.location, data=WORDS).status_code == 303
    return str(made.location)


def test_the_empty_list_offers_the_first_step(marketing: FlaskClient) -> None:
    assert "Write the first one" in marketing.get("/admin/campaigns/").text


def test_the_editor_shows_the_mail_the_audience_and_the_checks(marketing: FlaskClient, page: str) -> None:
    shown = marketing.get(page).text
    assert "Hello Anna" in shown
    assert "2 people" in shown
    assert "There is no link" in shown
    assert "Send to 2 people" in shown
    assert "{{ first_name }}" in shown
    assert "November" in marketing.get("/admin/campaigns/").text


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("", "Unsubscribe", "@media (prefers-color-scheme"),
        ("?locale=nl", "Afmelden", "Unsubscribe"),
        ("?locale=xx", "Unsubscribe", "Afmelden"),
        ("?look=dark", "@media all", "@media not all"),
    ],
)
def test_the_mail_is_framed_without_rights(
    marketing: FlaskClient, page: str, query: str, there: str, not_there: str
) -> None:
    mail = marketing.get(f"{page}/mail{query}")
    assert "Search is faster." in mail.text
    assert there in mail.text
    assert not_there not in mail.text
    assert mail.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "script-src" not in mail.headers["Content-Security-Policy"]
    assert "sandbox" in mail.headers["Content-Security-Policy"]


@pytest.mark.parametrize("view", ["desktop", "phone", "dark", "dutch", "text", "nonsense"])
def test_every_view_works_without_script(marketing: FlaskClient, page: str, view: str) -> None:
    shown = marketing.get(f"{page}?view={view}").text
    assert ("<pre" in shown) is (view == "text")
    assert ("<iframe" in shown) is (view != "text")


def test_typing_renews_the_preview_and_keeps_the_draft(marketing: FlaskClient, page: str, session: Session) -> None:
    typed = WORDS | {"subject": "Changed {{ first_name }}", "shown": "text"}
    fragment = marketing.post(page, data=typed, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "Changed Anna" in fragment.text
    assert "<html" not in fragment.text
    assert "<pre" in fragment.text
    assert session.scalars(select(Campaign.subject)).one() == "Changed {{ first_name }}"


def test_an_unknown_placeholder_is_told_and_not_kept(marketing: FlaskClient, page: str, session: Session) -> None:
    typed = WORDS | {"body": "Dear {{ firstname }}"}
    fragment = marketing.post(page, data=typed, headers={"HX-Request": "true"})
    assert "perhaps “{{ first_name }}” is meant" in fragment.text
    assert "Send to" not in fragment.text
    whole = marketing.post(page, data=typed)
    assert whole.status_code == 422
    assert "Dear {{ firstname }}" in whole.text  # what was typed is kept on the page
    assert 'href="#body"' in whole.text
    assert session.scalars(select(Campaign.body)).one() == "Search is faster."


def test_a_form_fault_is_told_at_its_field(marketing: FlaskClient, page: str) -> None:
    assert marketing.post(page, data=WORDS | {"name": ""}).status_code == 422
    fragment = marketing.post(page, data=WORDS | {"name": ""}, headers={"HX-Request": "true"})
    assert "Give it a name" in fragment.text
    assert marketing.post("/admin/campaigns/new", data={"kind": "campaign", "name": "x"}).status_code == 422
    assert marketing.post("/admin/campaigns/new", data={"name": "x"}).status_code == 422


def test_a_test_mail_goes_to_whoever_pressed(marketing: FlaskClient, page: str, session: Session) -> None:
    assert marketing.post(f"{page}/test").status_code == 303
    [message] = session.scalars(select(Message))
    assert message.to_address.endswith("@company.example")
    session.commit()
    assert message.to_address in marketing.get(page).text


def test_sending_asks_first_and_happens_once(marketing: FlaskClient, page: str, session: Session) -> None:
    asked = marketing.get(f"{page}/send").text
    assert "Send to 2 people" in asked
    assert "cannot be taken back" in asked
    assert session.scalars(select(Mailing)).all() == []
    session.commit()
    assert marketing.post(f"{page}/send").status_code == 303
    assert "It is on its way" in marketing.get(page).text
    marketing.post(f"{page}/send")
    assert "was sent already" in marketing.get(page).text
    assert marketing.get(f"{page}/send").status_code == 303
    assert len(session.scalars(select(Mailing)).all()) == 1


def test_what_cannot_go_out_says_so_when_pressed(marketing: FlaskClient, page: str) -> None:
    marketing.post(page, data=WORDS | {"body": ""})
    assert marketing.post(f"{page}/send").status_code == 303
    assert "There is no text yet" in marketing.get(page).text
    assert marketing.post(f"{page}/test").status_code == 303
    assert "cannot go out yet" in marketing.get(page).text
    assert "<button>Send to" not in marketing.get(f"{page}/send").text


def test_a_draft_has_no_progress_to_show(marketing: FlaskClient, page: str) -> None:
    assert marketing.get(f"{page}/progress").status_code == 404


def test_the_page_becomes_its_report_and_moves_until_it_is_done(marketing: FlaskClient, page: str) -> None:
    at = datetime.now(UTC)
    marketing.post(f"{page}/send")
    fresh = marketing.get(f"{page}/progress").text
    assert 'hx-trigger="every 2s"' in fresh
    with transaction() as session:
        mailing = session.scalars(select(Mailing)).one()
        while outbox.fan_out_slice(session, mailing, at):
            pass
        first = session.scalars(select(Message)).first()
        assert first is not None
        first.attempts = 1
        reply = {"code": 451, "reply": "try again later", "route": "smtp.example:25"}
        session.add(Attempt(message_row=first.row, at=at, outcome=Outcome.DEFERRED, **reply))
    waiting = marketing.get(f"{page}/progress").text
    assert "try again later" in waiting
    assert "0 of 2" in waiting
    with transaction() as session:
        for message in session.scalars(select(Message)):
            message.state, message.settled_at = State.ACCEPTED, at
    done = marketing.get(f"{page}/progress").text
    assert "2 of 2" in done
    assert "hx-trigger" not in done
    assert "try again later" not in done
    report = marketing.get(f"{page}?view=text").text
    assert "What was sent" in report
    assert "Hello Anna" in report
    assert "Search is faster." in marketing.get(f"{page}/mail").text


def test_when_the_mail_server_is_away_mail_waits_the_pages_say_so_and_it_goes_out_later(
    redis_server: Redis, marketing: FlaskClient, page: str, configure: Configure
) -> None:
    with sink.running() as server:
        away = server.url
    configure(smtp_marketing=away)
    marketing.post(f"{page}/send")
    with reading() as session:
        mailing = session.scalars(select(Mailing)).one()
    fan_out(mailing.id)
    assert deliver("marketing") == 0
    report = marketing.get(page).text
    assert "Some mail waits: the server did not take it and it is tried again by itself." in report
    assert "could not connect" in report
    with reading() as session:
        tried, waits = session.scalars(select(Message).order_by(Message.attempts.desc())).all()
    told = marketing.get(f"/admin/messages/{tried.id}").text
    assert "It waits; the next try is due." in told
    assert "could not connect" in told
    assert "0 could not" not in told, "nobody answered with a code"
    assert "It waits" in marketing.get(f"/admin/messages/{waits.id}").text
    with sink.running() as server:
        configure(smtp_marketing=server.url)
        with transaction() as session:
            session.execute(update(Message).values(due_at=datetime.now(UTC)))
        assert deliver("marketing") == 2
    assert "2 of 2" in marketing.get(page).text


def test_roles_write_what_is_theirs(signed_in: SignIn, page: str) -> None:
    auditor, officer = signed_in(Role.AUDITOR), signed_in(Role.POLICY)
    assert "is writing this" in auditor.get(page).text
    assert "Write" not in re.sub(r"Written", "", auditor.get("/admin/campaigns/").text)
    for door in ("", "/send", "/test"):
        assert auditor.post(f"{page}{door}", data=WORDS).status_code == 403
        assert officer.post(f"{page}{door}", data=WORDS).status_code == 403
    made = officer.post("/admin/campaigns/new", data={"kind": "announcement", "name": "Maintenance"})
    assert made.status_code == 303
    assert "Everybody with an account" in officer.get(made.location).text
    assert (
        officer.post("/admin/campaigns/new", data={"kind": "campaign", "name": "x", "topic": "news"}).status_code == 422
    )


def test_what_is_not_there_is_404(marketing: FlaskClient) -> None:
    for door in ("", "/mail", "/send", "/progress"):
        assert marketing.get(f"/admin/campaigns/cmp_00000000000000000000000000{door}").status_code == 404
