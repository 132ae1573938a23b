"""Home: what needs a person, oldest first, and four quiet numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.admin import links, queries
from mailer.admin.rules import TimeLeft, time_left
from mailer.admin.words import first_sentence
from mailer.db import reading
from mailer.inbound.models import InboundMail
from mailer.ledger import queries as ledger
from mailer.ledger import rules as ledger_rules
from mailer.staff import queries as staff
from mailer.staff.access import needs
from mailer.staff.models import Task
from mailer.staff.rules import May

bp = Blueprint("home", __name__, url_prefix="/admin")
SHOWN = 30


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a person."""

    since: datetime
    title: str
    href: str
    kind: str
    who: str = ""
    left: TimeLeft | None = None


@bp.get("/")
@needs(May.SEE)
def home() -> ResponseReturnValue:
    now = clock.now()
    with reading() as session:
        waiting, numbers = _waiting(session, now), queries.numbers(session, now)
        clock_fault = ledger_rules.clock_fault(now, ledger.latest(session))
    since = clock.local_day(now - queries.WEEK, settings.current().zone)
    return render_template(
        "admin/home.html",
        waiting=waiting[:SHOWN],
        more=len(waiting) - SHOWN,
        numbers=numbers,
        since=since,
        clock_fault=clock_fault,
    )


def _waiting(session: Session, now: datetime) -> list[Waiting]:
    today = clock.local_day(now, settings.current().zone)
    open_tasks = staff.open_tasks(session)
    named = {task.subject_id for task in open_tasks}  # a mail that a task names stands there once
    mails = [mail for mail in queries.mails_for_person(session) if mail.id not in named]
    concerned = {task.contact_id for task in open_tasks} | {mail.contact_id for mail in mails}
    people = queries.names_of(session, {one for one in concerned if one})
    waiting = [_of_task(task, people, today) for task in open_tasks] + [_of_mail(mail, people) for mail in mails]
    return sorted(waiting, key=lambda one: one.since)


def _of_task(task: Task, people: Mapping[str, str], today: date) -> Waiting:
    who, left = people.get(task.contact_id or "", ""), time_left(task.due_on, today)
    return Waiting(task.opened_at, first_sentence(task.text), f"/admin/tasks/{task.id}", task.kind, who, left)


def _of_mail(mail: InboundMail, people: Mapping[str, str]) -> Waiting:
    page, who = links.find_page(mail.id) or "", people.get(mail.contact_id or "", "")
    return Waiting(mail.received_at, mail.subject or "Mail without a subject", page, "reply", who)
