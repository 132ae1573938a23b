"""What the doors have in common: whose mail they take, how much of it, and how each was last seen at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import db
from mailer.consent.rules import Channel
from mailer.delivery import routes
from mailer.errors import MailerError
from mailer.inbound import mailbox
from mailer.inbound.models import InboundDoor
from mailer.settings import Settings

MAX_BYTES = 25 * 1024 * 1024
READ_JOB = "rq_jobs.read_mail.read_mail"
NOTE_EVERY = timedelta(seconds=20)
QUIET_FOR = timedelta(minutes=3)  # a door that was not seen for so long does not work


@dataclass(frozen=True)
class Health:
    """A door and what is wrong with it; an empty fault means that it works."""

    name: str
    fault: str


@lru_cache(maxsize=4)
def our_addresses(config: Settings) -> frozenset[str]:
    """The public mailbox, and as `@domain` every domain that our mail is answered or bounced to."""
    domains = {config.reply_domain}
    for channel in Channel:
        try:
            domains |= {route.envelope_domain for route in routes.routes_for(channel, config) if route.envelope_domain}
        except MailerError:  # a routes file that cannot be read must not close the door
            continue
    return frozenset({config.public_mailbox.lower(), *(f"@{domain.lower()}" for domain in domains)})


def names(config: Settings) -> tuple[str, ...]:
    """The doors that a process of ours keeps open; pipe and upload are open where the database and the pages are."""
    wanted = [config.inbound_protocol]
    if config.imap_url:
        wanted.append(mailbox.place(config.imap_url).name)
    return tuple(wanted)


def note(session: Session, name: str, at: datetime, fault: str = "") -> None:
    """Note that a door works, or what keeps it from working; a fault keeps the time when it last did."""
    new = {"name": name, "seen_at": None if fault else at, "fault": fault, "last_uid": 0}
    session.execute(db.insert(session, InboundDoor).values(new).on_conflict_do_nothing(index_elements=["name"]))
    values: dict[str, object] = {"fault": fault} if fault else {"fault": "", "seen_at": at}
    session.execute(update(InboundDoor).where(InboundDoor.name == name).values(values))


def health(session: Session, config: Settings, at: datetime) -> Sequence[Health]:
    """How each door that should be open was last seen."""
    known = {door.name: door for door in session.scalars(select(InboundDoor))}
    return [Health(name, _fault(known.get(name), at)) for name in names(config)]


def _fault(door: InboundDoor | None, at: datetime) -> str:
    if door is None or (door.seen_at is None and not door.fault):
        return "was not seen at work yet: start `mailer inbound` or `mailer up`"
    if door.fault:
        return door.fault
    if door.seen_at is not None and at - door.seen_at > QUIET_FOR:
        minutes = int((at - door.seen_at).total_seconds() // 60)
        return f"was last seen at work {minutes} minutes ago: start `mailer inbound` or `mailer up`"
    return ""
