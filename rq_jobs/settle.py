"""What a claim and an answer bring with them in the other rooms: notices and their clocks, dead addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason, Withheld
from mailer.contacts.rules import read_address
from mailer.delivery import transport
from mailer.delivery.pacing.pausing import pause_if_harmful
from mailer.notices import actions as notices
from mailer.notices import settling
from mailer.notices.rules import TELLING
from mailer.notices.settling import Answered
from mailer.outbox import lanes
from mailer.outbox.outgoing import Batch, Done, Outgoing
from mailer.outbox.rules import Outcome, State


def make_ready(session: Session, batch: Batch, at: datetime) -> None:
    """Complete the mails of a batch: stop what tells of a withdrawn version, fill in dates. Writes nothing."""
    telling = [mail for mail in batch.mails if mail.kind in TELLING]
    if not telling:
        return
    ended = notices.ended(session, telling)
    batch.stopped += [Done(mail, at, withheld=Withheld.CANCELLED) for mail in telling if mail.row in ended]
    batch.mails = [mail for mail in batch.mails if mail.row not in ended]
    # what is in doubt has its dates on the row, unless its worker ended before anything was written down
    notices.fill_in(session, [mail for mail in batch.mails if mail.facts is None or not mail.is_in_doubt])


def stop(session: Session, batch: Batch, at: datetime) -> None:
    """Settle what the look stopped, and tell whom it concerns."""
    _tell(session, lanes.stop(session, batch, at), at)


def stopped(session: Session, mails: Sequence[Outgoing], at: datetime) -> list[Done]:
    """What of these mails in hand may not go any more. Writes nothing; `write_down` settles it."""
    ended = notices.ended(session, [mail for mail in mails if mail.kind in TELLING])
    over = [Done(mail, at, withheld=Withheld.CANCELLED) for mail in mails if mail.row in ended]
    return over + lanes.stopped(session, [mail for mail in mails if mail.row not in ended], at)


def write_down(session: Session, batch: Batch, done: Sequence[Done], at: datetime) -> int:
    """Settle what came of messages of a batch and let others know whom it concerns; how many a server took."""
    if not done:
        return 0
    settled = lanes.settle(session, batch, done, at)
    for one, _ in settled:
        if one.answer is not None and transport.says_dead(one.answer):
            key = read_address(one.mail.to_address).key
            consent.suppress(session, key, SuppressionReason.HARD_BOUNCE, source=one.mail.id, at=one.at)
    _tell(session, settled, at)
    for mailing_id in {one.mail.mailing_id for one, state in settled if state is State.REFUSED}:
        pause_if_harmful(session, mailing_id, at)
    return sum(state is State.ACCEPTED for _, state in settled)


def _tell(session: Session, settled: Sequence[tuple[Done, State]], at: datetime) -> None:
    """Let notices follow from what came of the mails that carry them; in doubt for good is not told."""
    answers = [
        Answered(one.mail, State.REFUSED if state is State.UNKNOWN else state, one.at, _was_deferred(one))
        for one, state in settled
        if one.mail.kind in TELLING
    ]
    if answers:
        settling.settled(session, answers, at)


def _was_deferred(one: Done) -> bool:
    return one.answer is not None and one.answer.outcome is Outcome.DEFERRED
