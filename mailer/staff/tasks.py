"""What waits for a person: opened once a key, finished with a note."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import db, ids
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.staff.models import Task


class AlreadyDone(Conflict):
    """Somebody was quicker."""


def open_task(
    session: Session,
    *,
    key: str,
    kind: str,
    text: str,
    subject_id: str,
    contact_id: str | None = None,
    due_on: date | None = None,
    at: datetime,
) -> Task:
    """Put something on the desk; the same key gives the first task back, open or done."""
    values = {"kind": kind, "text": text, "subject_id": subject_id, "contact_id": contact_id, "due_on": due_on}
    is_new = session.scalar(
        db.insert(session, Task)
        .values(id=ids.new("tsk"), key=key, opened_at=at, note="", **values)
        .on_conflict_do_nothing(index_elements=[Task.key])
        .returning(Task.id)
    )
    task = session.scalars(select(Task).where(Task.key == key)).one()
    if is_new:
        ledger.record(
            session, "task.opened", at, contact_id=contact_id, task=task.id, task_kind=kind, subject=subject_id
        )
    return task


def settle(session: Session, prefix: str, note: str, at: datetime) -> int:
    """Take every open task whose key begins so off the desk: what they asked for came about. How many there were."""
    open_ones = select(Task).where(Task.key.startswith(prefix, autoescape=True), Task.done_at.is_(None))
    settled = session.scalars(open_ones.with_for_update()).all()
    for task in settled:
        task.done_at, task.note = at, note
        ledger.record(session, "task.settled", at, contact_id=task.contact_id, task=task.id)
    session.flush()
    return len(settled)


def finish(session: Session, task: Task, staff_id: str, note: str, at: datetime) -> None:
    """Take a task off the desk, with what was done about it; the second of two people is told so."""
    done = session.execute(
        update(Task)
        .where(Task.id == task.id, Task.done_at.is_(None))
        .values(done_at=at, done_by=staff_id, note=note.strip())
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise AlreadyDone("This task was finished already; load the list again to see by whom.")
    session.refresh(task)
    ledger.record(session, "task.finished", at, contact_id=task.contact_id, task=task.id, staff=staff_id)
