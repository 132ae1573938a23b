"""Take back what people were told of a version that was withdrawn: stop what waits, write to those already told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices import letters, mail, queries
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
    reached = queries.reached(session, mailing)
    tell(session, version, reached, at)
    session.execute(
        update(Notice)
        .where(Notice.version_id == version.id)
        .values(state=NoticeState.ENDED, why=WITHDRAWN, updated_at=at)
        .execution_options(synchronize_session="fetch")
    )
    return len(reached)


def tell(session: Session, version: Version, contact_ids: Sequence[str], at: datetime) -> None:
    """Write to each of these people, once, that the change does not come."""
    if not contact_ids:
        return
    contents = letters.withdrawal(session, version, at)
    for contact_id in contact_ids:
        contact = session.get_one(Contact, contact_id)
        outbox.put(
            session,
            kind=MailKind.WITHDRAWAL,
            contact=contact,
            content_id=contents.get(contact.locale, contents[mail.LOCALES[0]]),
            key=f"withdrawal/{version.id}/{contact.id}",
            at=at,
        )
