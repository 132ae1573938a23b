"""Merge two rows of one person everywhere. It stands here because no room below knows all the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.consent import actions as consent
from mailer.contacts import merging
from mailer.contacts.models import Contact
from mailer.inbound.models import InboundMail
from mailer.notices import unreached
from mailer.outbox import actions as outbox
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.staff.models import Task
from mailer.terminations.models import Termination

_TWICE = (MailKind.NOTICE, MailKind.REMINDER, MailKind.ANNOUNCEMENT, MailKind.CAMPAIGN)  # the kept one gets its own


def merge(session: Session, kept: Contact, other: Contact, at: datetime, staff_id: str = "") -> None:
    """From now on the two are `kept`: of newsletters the stricter word counts, of notices those of `kept`.

    What the other wrote and terminated is the person's own. A version that is pending and of which `kept` has no notice
    is told at the next round, with a clock of its own.
    """
    for one in sorted((kept, other), key=lambda row: row.id):
        session.refresh(one, with_for_update=True)
    consent.take_over(session, kept, other, at)
    merging.merge(session, kept, other, at, staff_id)
    unreached.end_for(session, other, f"merged into {kept.id}", at)
    waiting = select(Message.row).where(Message.contact_id == other.id, Message.kind.in_(_TWICE))
    outbox.cancel(session, waiting, at)
    for table in (Termination, InboundMail, Task):
        theirs = update(table).where(table.contact_id == other.id).values(contact_id=kept.id)
        session.execute(theirs.execution_options(synchronize_session="fetch"))
