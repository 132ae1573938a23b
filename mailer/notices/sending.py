"""How the mails that tell of a version go on: their outlook, and whether the promised dates hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from mailer import settings
from mailer.delivery import outlook as outlooks
from mailer.delivery.outlook import Outlook, Stand
from mailer.delivery.pacing.rules import warn_late
from mailer.notices import queries, rules
from mailer.outbox import mailings
from mailer.outbox.models import Attempt, Mailing, Message
from mailer.outbox.queries import in_state
from mailer.outbox.rules import MailKind, State
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of, say

LONG = timedelta(hours=4)  # so long a server may put a mail off before anybody is told


@dataclass(frozen=True)
class Deferred:
    """Mails that servers put off since longer than `LONG`: how many, since when, and what one was told last."""

    count: int
    since: datetime
    answer: str


@dataclass(frozen=True)
class Sending:
    """The mailing that tells of a version; `warning` says that the promised dates are at risk, and is empty if not."""

    mailing: Mailing
    outlook: Outlook
    warning: str
    deferred: Deferred | None = None


def of(session: Session, version: Version, at: datetime, waiting: int | None = None) -> Sending | None:
    """How the mails about a version go on; None where it is told without mail.

    `waiting` is how many notices wait, where that is known without counting mails.
    """
    mailing = queries.find_mailing(session, version.id)
    if mailing is None:
        return None
    is_counted = waiting is not None and mailing.kind is MailKind.NOTICE
    left = waiting if waiting is not None and is_counted else mailings.left(session, mailing.id)
    outlook = outlooks.look(mailing, left, at)
    return Sending(mailing, outlook, _warning(mailing, version, outlook), deferred(session, mailing, at))


def deferred(session: Session, mailing: Mailing, at: datetime) -> Deferred | None:
    """What servers put off for long of the mails about a version; None if nothing is. Looks at what is due only."""
    first, long_ago = Attempt.message_row == Message.row, at - LONG
    put_off = (
        Message.channel == mailing.kind.channel,
        Message.due_at.is_not(None),
        in_state(State.QUEUED),
        Message.attempts > 0,
        queries.tells_of(mailing),
        exists().where(first, Attempt.at <= long_ago),
    )
    count, row = session.execute(select(func.count(), func.min(Message.row)).where(*put_off)).one()
    if not count:
        return None
    tries = session.scalars(select(Attempt).where(Attempt.message_row == row).order_by(Attempt.id)).all()
    return Deferred(count, tries[0].at, tries[-1].reply)


def _warning(mailing: Mailing, version: Version, outlook: Outlook) -> str:
    """Only notices promise dates; while nobody can tell the pace yet, nothing is said."""
    if mailing.kind is not MailKind.NOTICE or not outlook.left:
        return ""
    config = settings.current()
    last_day = rules.last_day_to_tell(version.effective_on, holidays_of(config.country))
    match outlook.stand:
        case Stand.PAUSED:
            return (
                f"All notices must be out by the end of {say(last_day)} for the dates they promise to hold. "
                "Resume it before then, or withdraw the version and release it with a later effective date."
            )
        case Stand.SENDING if outlook.pace is not None or outlook.finish is not None:
            return warn_late(outlook.finish, last_day, config.zone) or ""
        case _:
            return ""
