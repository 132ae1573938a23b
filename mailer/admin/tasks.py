"""Tasks: the list, one of them, and finishing it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.admin import links
from mailer.admin import queries as cross
from mailer.admin.rules import time_left
from mailer.db import reading, transaction
from mailer.staff import queries, tasks
from mailer.staff.access import current_staff, needs
from mailer.staff.forms import FinishForm
from mailer.staff.rules import May

bp = Blueprint("tasks", __name__, url_prefix="/admin/tasks")


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    with reading() as session:
        waiting, done, names = queries.open_tasks(session), queries.done_tasks(session), queries.names(session)
        people = cross.names_of(session, {task.contact_id for task in waiting if task.contact_id})
    today = clock.local_day(clock.now(), settings.current().zone)
    left = {task.id: time_left(task.due_on, today) for task in waiting}
    return render_template("admin/tasks/index.html", waiting=waiting, done=done, names=names, left=left, people=people)


@bp.get("/<task_id>")
@needs(May.SEE)
def show(task_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _page(session, task_id, FinishForm())


@bp.post("/<task_id>")
@needs(May.REPLY)
def finish(task_id: str) -> ResponseReturnValue:
    form = FinishForm()
    if not form.validate_on_submit():
        with reading() as session:
            return _page(session, task_id, form), 422
    with transaction() as session:
        task = queries.get_task(session, task_id)
        tasks.finish(session, task, current_staff().id, form.note.data, clock.now())
    flash("The task is finished.", "success")
    return redirect(url_for("tasks.index"), 303)


def _page(session: Session, task_id: str, form: FinishForm) -> str:
    task = queries.get_task(session, task_id)
    today = clock.local_day(clock.now(), settings.current().zone)
    return render_template(
        "admin/tasks/show.html",
        task=task,
        form=form,
        left=time_left(task.due_on, today),
        names=queries.names(session),
        people=cross.names_of(session, {task.contact_id} if task.contact_id else ()),
        subject_page=cross.page_of_subject(session, task.subject_id),
        subject_kind=links.kind_of(task.subject_id),
        contact_page=links.find_page(task.contact_id),
        may_finish=current_staff().may(May.REPLY),
    )
