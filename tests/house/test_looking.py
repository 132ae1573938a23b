"""Invariant 8: GET, HEAD and OPTIONS change nothing, anywhere; on a database where every page finds what it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from mailer import clock, db, ids, settings, signing
from mailer.campaigns import actions as campaigns
from mailer.consent import links
from mailer.consent.rules import Channel
from mailer.delivery import routes
from mailer.demo import post_office
from mailer.inbound import actions as inbound
from mailer.inbound import child
from mailer.inbound.answers import actions as answers
from mailer.ledger import actions as ledger
from mailer.migrations import tables
from mailer.notices import actions as notices
from mailer.notices import queries as notice_queries
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.services import actions as services
from mailer.services.models import EventDelivery
from mailer.services.rules import EventOut
from mailer.staff import tasks
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import State
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

LOOKS = ("GET", "HEAD", "OPTIONS")
SHOWN = frozenset({200, 302, 303})
TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
QUESTION = b"From: a@people.example\r\nSubject: Hello\r\n\r\nHow long do you keep my name?\r\n"
Known = dict[str, Any]


def known_ids() -> Known:
    """One of each thing whose page takes an id, each in the state in which its page shows most."""
    at = clock.now()
    with db.transaction() as session:
        author, other = factories.staff(session), factories.staff(session)
        who = factories.contact(session, topics=["news"], reference="trac-17")
        message = factories.message(session, who)
        released, draft = _policy(session, author.id, other.id)
        known = {
            "slug": "privacy",
            "version_id": released.id,
            "draft_id": draft.id,
            "number": 2,
            "a": 1,
            "b": 2,
            "contact_id": who.id,
            "reference": "trac-17",
            "message_id": message.id,
            "staff_id": other.id,
            "task_id": tasks.open_task(session, key="one", kind="reply", text="Look", subject_id=who.id, at=at).id,
            "campaign_id": _campaign(session, author.id),
            "filename": "icon.svg",
        }
        service, keys = services.create(
            session, name="trac", endpoint="http://127.0.0.1:9/", hears=list(EventOut), at=at
        )
        ledger.tell(session, "policy.released", at, version=released.id)
        session.flush()
        services.spread(session, at)
        delivery_id = session.scalars(select(EventDelivery.id)).first()
        known |= {"service_id": service.id, "service_name": "trac", "bearer": keys.token, "delivery_id": delivery_id}
        door = {"sender": "a@people.example", "recipient": "privacy@company.example", "door": "test", "at": at}
        known["mail_id"] = inbound.keep(session, QUESTION, **door)
        inbound.act(session, known["mail_id"], child.read_here(QUESTION), at)
        inbound.keep(session, b"Subject: Unread\r\n\r\nHello.\r\n", **door)
        asked = terminations.receive(
            session,
            contact=who,
            version=None,
            respond_by_on=None,
            received_at=at,
            received_on=at.date(),
            source_id=known["mail_id"],
            state=State.TO_BE_CONFIRMED,
            at=at,
        )
        known["termination_id"] = asked.id
        words = {"name": "Export", "locale": "en", "text": "You can export your data."}
        known["template_id"] = answers.add(session, **words, staff_id=author.id, at=at).id
        notice = notice_queries.find(session, released.id, who.id)
        assert notice is not None
        assert notice.message_row is not None
        notice_mail = ids.message_id(notice.message_row)
    known["tokens"] = {
        "/u/": links.leave_url("", who.id, message.id, message.key_id).rpartition("/")[2],
        "/preferences/": links.preferences_url("", who.id, message.id, message.key_id).rpartition("/")[2],
        "/terminations/start/": signing.sign(notice_queries.TERMINATE, message.id),
        "/terminations/ordinary/": signing.sign(termination_queries.ORDINARY, asked.id),
        "/terminations/": signing.sign(termination_queries.CONFIRM, asked.id),
        "/agreements/": signing.sign(notice_queries.AGREE, notice_mail),
    }
    known["channel"], known["name"] = Channel.MARKETING.value, routes.routes_for(Channel.MARKETING)[0].name
    known["caught"] = post_office.keep(QUESTION, "bounce@company.example", ["a@people.example"], at)
    return known


def _policy(session: Session, author: str, other: str) -> tuple[Any, Any]:
    """A material version with its notices, and the draft of the next."""
    at = clock.now()
    policy = factories.policy(session, at=at - timedelta(days=90))
    wording = Wording(
        TEXT, effective_on=(at + timedelta(days=60)).date(), summary="Longer.", why="Tax.", impact="None."
    )
    draft = policies.draft(session, policy, TEXT, author, at, wording)
    policies.submit(session, draft, author, at)
    policies.approve(session, draft, other, at)
    released = policies.release(session, draft, author, at)
    mailing = notices.plan(session, released, at)
    assert mailing is not None
    while outbox.fan_out_slice(session, mailing, at):
        notices.adopt(session, mailing, at)
    wording = Wording(f"{TEXT}\nMore.\n", effective_on=(at + timedelta(days=90)).date(), summary="More.", why="So.")
    return released, policies.draft(session, policy, wording.text, author, at, wording)


def _campaign(session: Session, author: str) -> str:
    """A campaign that was sent, and whose mails wait."""
    at = clock.now()
    made = campaigns.create(session, kind=MailKind.CAMPAIGN, name="November", topic="news", author_id=author, at=at)
    campaigns.edit(session, made, name="November", subject="News", body="This is new.", topic="news", at=at)
    campaigns.send(session, made, author, at)
    return made.id


def address_of(rule: Rule, known: Known) -> str:
    """Where this page stands, with ids that exist and a token of ours for this very page."""
    values = {name: known[name] for name in rule.arguments if name in known}
    if "token" in rule.arguments:
        values["token"] = next(token for begin, token in known["tokens"].items() if rule.rule.startswith(begin))
    if rule.rule.startswith("/post-office/<"):
        values["mail_id"] = known["caught"]
    assert set(values) == set(rule.arguments), f"{rule}: say in known_ids what to fill in"
    built = rule.build(values, append_unknown=False)
    assert built is not None
    return built[1]


def everything_kept() -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, bytes]]:
    """Every row of every table, and every file beside the database."""
    with db.reading() as session:
        rows = {
            table.name: sorted((tuple(row) for row in session.execute(table.select())), key=repr)
            for table in tables.METADATA.sorted_tables
        }
    files = {str(path): path.read_bytes() for path in _files(settings.current().data_dir)}
    return rows, files


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("mailer.db"))


def test_get_head_and_options_change_nothing_anywhere(app: Flask, signed_in: Callable[..., FlaskClient]) -> None:
    known, client = known_ids(), signed_in()
    bearer = {"Authorization": f"Bearer {known['bearer']}"}
    before = everything_kept()
    hidden = []
    for rule in app.url_map.iter_rules():
        address = address_of(rule, known)
        for method in LOOKS:
            answer = client.open(address, method=method, headers=bearer)
            is_page = "GET" in (rule.methods or ())
            is_shown = answer.status_code in SHOWN if is_page else answer.status_code < 500
            hidden += [] if is_shown else [f"{method} {rule}: {answer.status_code}"]
            answer.close()
    assert hidden == [], "every page must find what it shows, or looking at it proves nothing"
    assert everything_kept() == before


def test_a_page_that_changes_something_is_seen(app: Flask, client: FlaskClient) -> None:
    @app.get("/careless")
    def careless() -> str:
        with db.transaction() as session:
            factories.topic(session)
        return ""

    before = everything_kept()
    client.get("/careless")
    assert everything_kept() != before
