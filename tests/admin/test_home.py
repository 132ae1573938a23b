"""Home: what needs a person, and four numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, db, settings
from mailer.admin import queries
from mailer.contacts.rules import Origin
from mailer.inbound import actions as inbound
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.ledger import actions as ledger
from mailer.outbox import actions as outbox
from mailer.outbox import audience as audiences
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.staff import tasks
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]


def put_task(days: int | None = 3) -> str:
    now = clock.now()
    with db.transaction() as session:
        who = factories.contact(session)
        today = clock.local_day(now, settings.current().zone)
        due_on = None if days is None else today + timedelta(days=days)
        about = {"subject_id": who.id, "contact_id": who.id}
        task = tasks.open_task(session, key=who.id, kind="reply", text="Call Anna", due_on=due_on, at=now, **about)
    return task.id


def test_an_empty_desk_says_what_belongs_there(signed_in: SignIn) -> None:
    assert "Nothing waits for a person." in signed_in().get("/admin/").text


def test_tasks_stand_there_with_the_time_left(signed_in: SignIn) -> None:
    put_task(-1)
    page = signed_in().get("/admin/").text
    assert "Call Anna" in page
    assert "1 day late" in page


def test_every_number_opens_what_it_counts(signed_in: SignIn) -> None:
    with db.transaction() as session:
        accepted = factories.message(session)
        accepted.state, accepted.settled_at = State.ACCEPTED, clock.now()
        factories.message(session)
    client = signed_in()
    page = client.get("/admin/").text
    numbers = re.findall(r'class="number" href="([^"]+)"><strong>(\d+)</strong>', page)
    assert [int(number) for _, number in numbers] == [2, 1, 1, 0]
    for href, number in numbers[1:3]:
        listed = client.get(href.replace("&amp;", "&")).text
        assert listed.count('<th scope="row">') == int(number)


def test_what_waits_in_parcels_is_counted_too(signed_in: SignIn) -> None:
    now = clock.now()
    with db.transaction() as session:
        for _ in range(3):
            factories.contact(session)
        frozen = factories.content(session, MailKind.ANNOUNCEMENT)
        everybody = audiences.of_origins([Origin.ACCOUNT_HOLDER.value])
        made = {"kind": MailKind.ANNOUNCEMENT, "contents": {"en": frozen}, "audience": everybody}
        mailing = outbox.create_mailing(session, subject_id="cmp_1", at=now, **made)
        while outbox.fan_out_slice(session, mailing, now):
            pass
        settled = session.scalars(select(Message).order_by(Message.row)).first()
        assert settled is not None
        assert settled.due_at is None, "it waits in a parcel"
        settled.state, settled.settled_at = State.ACCEPTED, now
    page = signed_in().get("/admin/").text
    assert re.search(r"<strong>2</strong> messages waiting", page)


def test_what_waits_is_counted_up_to_the_limit_however_small_its_parcels_are(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PARCEL", 8)
    monkeypatch.setattr(queries, "COUNTED_AT_MOST", 40)
    for number in range(21):
        factories.contact(session, f"p{number}@people.example", topics=["news"])
    for _ in range(2):
        factories.fan_out(session, factories.mailing(session))
    assert queries._count_waiting(session) == 40


def test_mail_in_doubt_is_told_with_its_count_and_where_it_is(signed_in: SignIn) -> None:
    client, now = signed_in(), clock.now()
    assert "in doubt" not in client.get("/admin/").text
    with db.transaction() as session:
        for days in (0, 1, 30):
            doubtful = factories.message(session)
            doubtful.state, doubtful.settled_at, doubtful.due_at = State.UNKNOWN, now - timedelta(days=days), None
    page = client.get("/admin/").text
    [href] = re.findall(r'<a href="([^"]+)">2 mails are in doubt</a>', page)
    listed = client.get(href.replace("&amp;", "&")).text
    assert listed.count('<th scope="row">') == 2
    assert listed.count("In doubt</span>") == 2
    assert "The reader may have it or not." in listed


def test_the_navigation_holds_what_the_role_may_use(signed_in: SignIn) -> None:
    assert "/admin/services/" not in signed_in(Role.MARKETING).get("/admin/").text
    assert "/admin/services/" in signed_in(Role.OPERATOR).get("/admin/").text


def test_mail_that_no_machine_may_judge_stands_there_and_is_found_by_its_message_id(signed_in: SignIn) -> None:
    with db.transaction() as session:
        raw = b"Message-ID: <hello@people.example>\r\nSubject: A question\r\n\r\nHello?\r\n"
        door = {"sender": "a@people.example", "recipient": "privacy@company.example", "door": "test"}
        mail = session.get_one(InboundMail, inbound.keep(session, raw, at=clock.now(), **door))
        mail.state, mail.subject, mail.message_id_header = DeskState.FOR_PERSON, "A question", "<hello@people.example>"
    client = signed_in()
    page = client.get("/admin/").text
    assert "A question" in page
    assert f"/admin/replies/{mail.id}" in page
    found = client.post("/admin/search", data={"q": "<hello@people.example>"})
    assert found.location == f"/admin/replies/{mail.id}"


def test_a_clock_that_was_set_back_is_said(signed_in: SignIn) -> None:
    staff = signed_in()
    assert "The clock was set back" not in staff.get("/admin/").text
    with db.transaction() as session:
        ledger.record(session, "contact.upserted", clock.now() + timedelta(hours=1))
    with db.transaction() as session:
        ledger.record(session, "contact.upserted", clock.now())  # by the clock as it is now
    assert "The clock was set back" in staff.get("/admin/").text
