"""Take back what people were told of a version that was withdrawn: stop what waits, write to those already told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from mailer.notices import facts, letters, queries
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailingState, MailKind
from mailer.policies.models import Version

WITHDRAWN = "version withdrawn"


def take_back(session: Session, version: Version, mailing: Mailing, at: datetime) -> int:
    """Stop the mailing of a withdrawn version and tell those it reached; how many are told."""
    session.refresh(mailing, with_for_update=True)
    mailing.state = MailingState.FANNED_OUT  # who was not told yet need not be
    outbox.cancel(session, select(Message.row).where(queries.tells_of(mailing)), at)
    outbox.cancel(session, queries.waiting(mailing), at)
    count = queries.count_reached(session, mailing)
    tell(session, version, queries.reached(mailing), at)
    facts.ended(session, version.id, WITHDRAWN, at)
    session.execute(
        update(Notice)
        .where(Notice.version_id == version.id, Notice.state != NoticeState.ENDED)
        .values(state=NoticeState.ENDED, why=WITHDRAWN, updated_at=at)
        .execution_options(synchronize_session="fetch")
    )
    return count


def tell(session: Session, version: Version, to: Select[Any], at: datetime) -> None:
    """Write to each of these contacts, once, that the change does not come."""
    contents, key = letters.withdrawal(session, version, at), f"withdrawal/{version.id}/"
    outbox.put_to_many(session, kind=MailKind.WITHDRAWAL, to=to, contents=contents, key=key, at=at)
