from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from mailer.ledger import queries as ledger
from mailer.staff import queries, tasks
from mailer.staff.models import Task
from tests import factories

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def put(session: Session, key: str, at: datetime = AT, due_on: date | None = None) -> Task:
    return tasks.open_task(
        session,
        key=key,
        kind="reply",
        text=f"Look at {key}",
        subject_id="con_1",
        contact_id="con_1",
        due_on=due_on,
        at=at,
    )


def test_the_same_key_is_the_same_task_open_or_done(session: Session) -> None:
    sam = factories.staff(session)
    first = put(session, "notice/1", due_on=date(2026, 12, 1))
    assert put(session, "notice/1").id == first.id
    tasks.finish(session, first, sam.id, " called them ", AT)
    assert put(session, "notice/1").done_at == AT
    assert first.note == "called them"
    session.commit()
    assert [entry.kind for entry in ledger.about(session, first.id)] == ["task.opened", "task.finished"]


def test_a_task_is_finished_once(session: Session) -> None:
    sam = factories.staff(session)
    task = put(session, "notice/1")
    tasks.finish(session, task, sam.id, "done", AT)
    with pytest.raises(tasks.AlreadyDone):
        tasks.finish(session, task, sam.id, "done again", AT)
    assert task.note == "done"


def test_open_tasks_stand_oldest_first(session: Session) -> None:
    sam = factories.staff(session)
    late, early, done = put(session, "b", AT + timedelta(hours=1)), put(session, "a"), put(session, "c")
    tasks.finish(session, done, sam.id, "done", AT)
    assert [task.id for task in queries.open_tasks(session)] == [early.id, late.id]
    assert queries.count_open_tasks(session) == 2
    assert [task.id for task in queries.done_tasks(session)] == [done.id]
