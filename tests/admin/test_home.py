"""Home: what needs a person, and four numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient

from mailer import clock, db
from mailer.inbound import actions as inbound
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.outbox.rules import State
from mailer.staff import tasks
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]


def put_task(days: int | None = 3) -> str:
    now = clock.now()
    with db.transaction() as session:
        who = factories.contact(session)
        due_on = None if days is None else now.date() + timedelta(days=days)
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
