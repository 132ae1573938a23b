"""Ring for what a press of a button leaves to do, once its transaction is over."""

from __future__ import annotations

from mailer import doorbell
from mailer.outbox.models import Mailing

FAN_OUT = "rq_jobs.fan_out.fan_out"
DELIVER = "rq_jobs.deliver.deliver"


def released(mailing: Mailing | None) -> None:
    """The messages of a mailing are to be made; nothing to ring for where no mail is due."""
    if mailing is not None:
        doorbell.ring("chores", FAN_OUT, mailing.id)


def withdrawn() -> None:
    """Letters that take a notice back wait."""
    doorbell.ring("essential", DELIVER, "essential")


def resumed(mailing: Mailing) -> None:
    """What waited of a mailing may go again."""
    lane = mailing.kind.channel.value
    doorbell.ring(lane, DELIVER, lane)


def told_again() -> None:
    """A notice waits to go to another address."""
    doorbell.ring("essential", DELIVER, "essential")
