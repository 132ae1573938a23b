"""How the mails that tell of a version go on: their outlook, and whether the promised dates hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from mailer import settings
from mailer.delivery import outlook as outlooks
from mailer.delivery.outlook import Outlook, Stand
from mailer.delivery.pacing.rules import warn_late
from mailer.notices import queries, rules
from mailer.outbox import mailings
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of, say


@dataclass(frozen=True)
class Sending:
    """The mailing that tells of a version; `warning` says that the promised dates are at risk, and is empty if not."""

    mailing: Mailing
    outlook: Outlook
    warning: str


def of(session: Session, version: Version, at: datetime) -> Sending | None:
    """How the mails about a version go on; None where it is told without mail."""
    mailing = queries.find_mailing(session, version.id)
    if mailing is None:
        return None
    outlook = outlooks.look(mailing, mailings.left(session, mailing.id), at)
    return Sending(mailing, outlook, _warning(mailing, version, outlook))


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
