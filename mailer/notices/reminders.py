"""Remind people of a notice before their last day: essential mail, once each, and only who may still answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices import facts, letters, rules
from mailer.notices.models import ExpressAgreement, Notice
from mailer.notices.rules import Days, NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies import queries as policies
from mailer.policies.models import VersionWithdrawal


def remind(
    session: Session,
    today: date,
    at: datetime,
    *,
    days_before: int,
    answered: Callable[[str], Select[Any]],
) -> int:
    """Write to all whose last day is at most `days_before` days away and who were not reminded; how many.

    `answered` gives the contacts who terminated over a version, or may have. The unreached have no last day; who said
    that they agree, who closed the account, and who learnt of it only now, need no reminder. Safe to run twice.
    """
    if not days_before:
        return 0
    return sum(
        _remind_group(session, group, answered(group.version_id), at) for group in _due(session, today, days_before)
    )


def _due(session: Session, today: date, days_before: int) -> list[Row[Any]]:
    """The clocks that come to their end: those told of one version on one day have the same."""
    clock = Notice.version_id, Notice.notified_on, Notice.respond_by_on, Notice.binding_on
    until = today + timedelta(days=days_before)
    withdrawn = exists().where(VersionWithdrawal.version_id == Notice.version_id)
    waiting = and_(_open(), Notice.respond_by_on >= today, Notice.respond_by_on <= until, ~withdrawn)
    return list(session.execute(select(*clock).where(waiting).distinct().order_by(*clock)))


def _remind_group(session: Session, group: Row[Any], answered: Select[Any], at: datetime) -> int:
    version = policies.get_version(session, group.version_id)
    contents = letters.reminder(session, version, Days(group.notified_on, group.respond_by_on, group.binding_on), at)
    agreed = exists().where(
        ExpressAgreement.version_id == Notice.version_id, ExpressAgreement.contact_id == Notice.contact_id
    )
    gone = select(Contact.id).where(Contact.closed_at.is_not(None) | Contact.erased_at.is_not(None))
    which = and_(
        _open(),
        Notice.version_id == group.version_id,
        Notice.notified_on == group.notified_on,
        Notice.respond_by_on == group.respond_by_on,
        Notice.binding_on == group.binding_on,
        Notice.contact_id.not_in(answered),
        Notice.contact_id.not_in(gone),
        ~agreed,
    )
    key = rules.reminder_key(version.id, group.respond_by_on)
    to = select(Notice.contact_id).where(which)
    outbox.put_to_many(session, kind=MailKind.REMINDER, to=to, contents=contents, key=key, at=at)
    return facts.reminded(session, which, key, at)


def _open() -> ColumnElement[bool]:
    return and_(Notice.state == NoticeState.ACCEPTED, Notice.reminded_at.is_(None))
