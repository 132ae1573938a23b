"""Read accounts and tasks."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.errors import NotFound
from mailer.staff.models import Staff, Task

COUNTED_AT_MOST = 1_000


def key_of(email: str) -> str:
    """By what an account is recognised: the address in lower case."""
    return email.strip().lower()


def find(session: Session, staff_id: str) -> Staff | None:
    return session.get(Staff, staff_id)


def get(session: Session, staff_id: str) -> Staff:
    found = find(session, staff_id)
    if found is None:
        raise NotFound("No such account; open Settings for the list of them.")
    return found


def find_by_email(session: Session, email: str, *, lock: bool = False) -> Staff | None:
    """The account of an address; `lock` makes attempts on one account wait for each other, so that all are counted."""
    wanted = select(Staff).where(Staff.email_key == key_of(email))
    return session.scalar(wanted.with_for_update() if lock else wanted)


def get_by_email(session: Session, email: str) -> Staff:
    found = find_by_email(session, email)
    if found is None:
        raise NotFound(f"email: {email} has no account; `mailer staff list` shows those that have.", field="email")
    return found


def all_staff(session: Session) -> list[Staff]:
    """Every account, by name; the disabled ones last."""
    return list(session.scalars(select(Staff).order_by(Staff.disabled_at.is_not(None), Staff.name, Staff.id)))


def names(session: Session) -> dict[str, str]:
    """The name of every account, by id."""
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}


def open_tasks(session: Session, limit: int = 100) -> list[Task]:
    """What waits for a person, oldest first."""
    waiting = select(Task).where(Task.done_at.is_(None)).order_by(Task.opened_at, Task.id).limit(limit)
    return list(session.scalars(waiting))


def done_tasks(session: Session, limit: int = 25) -> list[Task]:
    """What was finished last, latest first."""
    done = select(Task).where(Task.done_at.is_not(None)).order_by(Task.done_at.desc(), Task.id).limit(limit)
    return list(session.scalars(done))


def count_open_tasks(session: Session) -> int:
    """How many tasks wait, counted no further than `COUNTED_AT_MOST`."""
    some = select(Task.id).where(Task.done_at.is_(None)).limit(COUNTED_AT_MOST).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def tasks_about(session: Session, contact_id: str, limit: int = 50) -> list[Task]:
    """The tasks that concern one person, latest first."""
    found = select(Task).where(Task.contact_id == contact_id).order_by(Task.opened_at.desc()).limit(limit)
    return list(session.scalars(found))


def get_task(session: Session, task_id: str) -> Task:
    found = session.get(Task, task_id)
    if found is None:
        raise NotFound("No such task; open the list of tasks again.")
    return found
