"""Settle what workers left behind: by their journals exactly, without one as in doubt (invariants 1 and 5).

A worker that died is seen by the lock of its journal, at once. One that was stopped past its lease is seen by the
clock; when it goes on, it finds its lease gone and changes nothing (TRAPS 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from mailer import settings
from mailer.clock import now
from mailer.consent.rules import Channel
from mailer.db import transaction
from mailer.outbox import journal, lanes
from mailer.outbox.journal import Noted
from mailer.outbox.outgoing import Done
from rq_jobs import settle


def from_journals() -> int:
    """Settle what the journals of this machine say of workers that are gone; how many batches."""
    data_dir = settings.current().data_dir
    count = 0
    for token, noted, is_alive in journal.left_behind(data_dir):
        with transaction() as session:
            count += _from_journal(session, token, noted, now(), is_alive=is_alive)
        if not is_alive:
            journal.drop(data_dir, token)
    return count


def from_leases(session: Session, at: datetime) -> int:
    """Settle what is held under leases that ran out, and of which this machine has no journal; how many batches."""
    data_dir = settings.current().data_dir
    count = 0
    for channel in Channel:
        for token in lanes.lost_leases(session, channel, at):
            if journal.exists(data_dir, token):
                continue
            batch = lanes.of_lease(session, token, at)
            if batch is not None:
                settle.make_ready(session, batch, at)
                settle.stop(session, batch, at)
                settle.write_down(session, batch, [Done(mail, at) for mail in batch.mails], at)
                count += 1
    return count


def _from_journal(session: Session, token: str, noted: Sequence[Noted], at: datetime, *, is_alive: bool) -> bool:
    batch = lanes.of_lease(session, token, at)
    if batch is None or (is_alive and not lanes.is_over(session, batch, at)):
        return False
    settle.make_ready(session, batch, at)
    by_row = {mail.row: mail for mail in batch.mails}
    known = [(by_row[one.row], one) for one in noted if one.row in by_row]
    for mail, one in known:
        mail.sent_from, mail.envelope_domain = one.sent_from, one.envelope_domain
    done = [Done(mail, one.at if one.answer else at, one.answer, one.sha256) for mail, one in known]
    begun = {mail.row for mail, _ in known}
    settle.write_down(session, batch, done, at)
    lanes.give_back(session, batch, [mail for row, mail in by_row.items() if row not in begun], at)
    return True
