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
from mailer.outbox.outgoing import Done, Outgoing
from rq_jobs import settle


def from_journals() -> int:
    """Settle what the journals of this machine say of workers that are gone; how many batches."""
    data_dir = settings.current().data_dir
    count = 0
    for token, noted in journal.left_behind(data_dir):
        with transaction() as session:
            count += _by(session, token, noted, now())
        journal.drop(data_dir, token)
    return count


def from_leases(session: Session, at: datetime) -> int:
    """Settle what is held under leases that ran out; how many batches. Without a journal all of it is in doubt."""
    data_dir = settings.current().data_dir
    tokens = [token for channel in Channel for token in lanes.lost_leases(session, channel, at)]
    return sum(_by(session, token, journal.read(data_dir, token), at) for token in tokens)


def _by(session: Session, token: str, noted: Sequence[Noted] | None, at: datetime) -> bool:
    """Settle a lease by what its journal says; False if nothing is held under it."""
    batch = lanes.of_lease(session, token, at)
    if batch is None:
        return False
    settle.make_ready(session, batch, at)
    settle.stop(session, batch, at)
    by_row = {mail.row: mail for mail in batch.mails}
    if noted is None:
        done = [Done(mail, at) for mail in batch.mails]
    else:
        done = [_done(by_row[one.row], one, at) for one in noted if one.row in by_row]
    begun = {one.mail.row for one in done}
    settle.write_down(session, batch, done, at)
    lanes.give_back(session, batch, [mail for row, mail in by_row.items() if row not in begun], at)
    return True


def _done(mail: Outgoing, noted: Noted, at: datetime) -> Done:
    mail.sent_from, mail.envelope_domain = noted.sent_from, noted.envelope_domain
    return Done(mail, noted.at if noted.answer else at, noted.answer, noted.sha256)
