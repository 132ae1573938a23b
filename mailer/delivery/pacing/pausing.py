"""A marketing mailing that does harm pauses itself, tells why, and waits for a person (docs/pacing.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailer.consent.rules import Channel
from mailer.delivery.pacing import rules
from mailer.outbox import mailings
from mailer.outbox.models import Mailing
from mailer.staff import tasks


def pause_if_harmful(session: Session, mailing_id: str | None, at: datetime) -> bool:
    """Pause a mailing whose bounces or complaints passed a limit since a person last let it go on; True if it was.

    To be called after something was counted against it.
    """
    mailing = session.get(Mailing, mailing_id, populate_existing=True) if mailing_id else None
    if mailing is None or mailing.kind.channel is not Channel.MARKETING:
        return False
    before = mailing.vouched or {}
    since = {name: getattr(mailing, name) - before.get(name, 0) for name in mailings.COUNTED}
    why = rules.why_pause(**since)
    if why is None or not mailings.pause(session, mailing, why, at):
        return False
    tasks.open_task(
        session,
        key=f"mailing_paused/{mailing.id}/{mailing.accepted + mailing.refused}",
        kind="mailing_paused",
        text=why,
        subject_id=mailing.id,
        at=at,
    )
    return True
