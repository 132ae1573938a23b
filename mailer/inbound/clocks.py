"""The day by which each mail on the desk wants a person: the end of a notice's window, or of a request's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.clock import midnight
from mailer.inbound.models import InboundMail
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.staff.models import Task


@dataclass(frozen=True)
class Clock:
    """What ends with a day, and how many whole hours are left of it; less than none once it is over."""

    what: str
    ends_on: date
    hours: int

    @property
    def words(self) -> str:
        """“5 hours left”, “3 days left”, “2 days over”."""
        if self.hours < 0:
            days = -self.hours // 24 + 1
            return f"{days} day{'s' if days > 1 else ''} over"
        if self.hours < 72:
            return f"{self.hours} hour{'s' if self.hours != 1 else ''} left"
        return f"{self.hours // 24} days left"


def of(session: Session, mails: Sequence[InboundMail], at: datetime, zone: ZoneInfo) -> dict[str, Clock]:
    """The clock that ends first, for each mail that has one; by the id of the mail."""
    ends = [*_windows(session, mails), *_requests(session, mails)]
    found: dict[str, Clock] = {}
    for mail_id, what, day in sorted(ends, key=lambda end: end[2]):
        left = midnight(day + timedelta(days=1), zone) - at
        found.setdefault(mail_id, Clock(what, day, int(left.total_seconds() // 3600)))
    return found


_End = tuple[str, str, date]


def _windows(session: Session, mails: Sequence[InboundMail]) -> list[_End]:
    """The windows of the notices that a mail answers, or else of those that its sender may still answer."""
    contacts = {mail.contact_id for mail in mails if mail.contact_id}
    running = (Notice.state == NoticeState.ACCEPTED, Notice.respond_by_on.is_not(None))
    notices = session.scalars(select(Notice).where(Notice.contact_id.in_(contacts), *running)).all()
    ends: list[_End] = []
    for mail in mails:
        theirs = [one for one in notices if one.contact_id == mail.contact_id]
        answered = [one for one in theirs if one.message_row == mail.message_row] or theirs
        days = [one.respond_by_on for one in answered if one.respond_by_on is not None]
        ends += [(mail.id, "Window", day) for day in days]
    return ends


def _requests(session: Session, mails: Sequence[InboundMail]) -> list[_End]:
    keys = {f"rights/{mail.id}": mail.id for mail in mails}
    waiting = select(Task.key, Task.due_on).where(Task.key.in_(keys), Task.done_at.is_(None), Task.due_on.is_not(None))
    return [(keys[key], "Request", due_on) for key, due_on in session.execute(waiting) if due_on is not None]
