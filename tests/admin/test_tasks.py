"""Tasks: looked at by all, finished by those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from mailer import clock, db
from mailer.staff import tasks
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def put_task(days: int | None = 3) -> str:
    now = clock.now()
    with db.transaction() as session:
        who = factories.contact(session)
        due_on = None if days is None else now.date() + timedelta(days=days)
        about = {"subject_id": who.id, "contact_id": who.id}
        task = tasks.open_task(session, key=who.id, kind="reply", text="Call Anna", due_on=due_on, at=now, **about)
    return task.id


def test_a_task_is_finished_with_a_note(signed_in: SignIn) -> None:
    task, client = put_task(), signed_in(Role.POLICY)
    without = client.post(f"/admin/tasks/{task}", data={"note": " "})
    assert (without.status_code, "what was done" in without.text) == (422, True)
    assert client.post(f"/admin/tasks/{task}", data={"note": "Called her."}).status_code == 303
    shown = client.get(f"/admin/tasks/{task}").text
    assert "Called her." in shown
    assert "Sam Bakker" in shown
    assert client.post(f"/admin/tasks/{task}", data={"note": "Again."}).status_code == 409
    assert "Call Anna" in client.get("/admin/tasks/").text


def test_who_only_looks_cannot_finish(signed_in: SignIn) -> None:
    task, client = put_task(None), signed_in(Role.AUDITOR)
    assert "Finish the task" not in client.get(f"/admin/tasks/{task}").text
    assert client.post(f"/admin/tasks/{task}", data={"note": "x"}).status_code == 403


def test_an_unknown_task_is_not_found(signed_in: SignIn) -> None:
    assert signed_in().get("/admin/tasks/tsk_none").status_code == 404
