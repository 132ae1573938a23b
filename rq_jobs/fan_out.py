"""Make the messages of a mailing, slice by slice; a notice's row stands in the same transaction as its message."""

from __future__ import annotations

from mailer import doorbell
from mailer.clock import now
from mailer.db import note_growth, transaction
from mailer.notices import actions as notices
from mailer.outbox import actions as outbox
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState, MailKind
from rq_jobs import deliver

JOB = "rq_jobs.fan_out.fan_out"


def fan_out(mailing_id: str) -> None:
    """Fan one mailing out to its end, ringing after each slice. Safe to run twice and beside itself."""
    made: outbox.Slice | None = outbox.Slice(range(0))
    while made is not None:
        with transaction() as session:
            mailing = session.get_one(Mailing, mailing_id, with_for_update=True)
            if mailing.state is not MailingState.FANNING_OUT or mailing.cancelled_at is not None:
                return
            made = outbox.fan_out_slice(session, mailing, now())
            if mailing.kind is MailKind.NOTICE and made is not None:
                notices.adopt(session, mailing, now(), made.rows)
            note_growth(session, "messages", "notices")
            lane = mailing.kind.channel.value
        doorbell.ring(lane, deliver.JOB, lane)
