"""What is claimed and what was found: the sink's record held against the database."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.exc import DBAPIError

from mailer import clock, ids, settings
from mailer.consent.rules import Channel
from mailer.db import reading
from mailer.delivery import compose
from mailer.ledger import queries as ledger
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import Whole
from mailer.outbox import journal
from mailer.outbox.models import Attempt, Mailing, Message, Parcel
from mailer.outbox.rules import Outcome, State
from tests.chaos.sink import Record
from tests.chaos.sink import Row as Taken

A_MOMENT = 5.0


@dataclass(frozen=True)
class Claim:
    """One promise: what was counted or measured, and how much of it is allowed."""

    what: str
    found: float
    most: float = 0
    least: float = 0

    @property
    def is_kept(self) -> bool:
        return self.least <= self.found <= self.most


@dataclass
class Told:
    """What a scenario came to: its claims, and figures that promise nothing."""

    name: str
    claims: list[Claim] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def broken(self) -> list[str]:
        """The claims that were not kept, in words."""
        return [
            f"{one.what}: {one.found:g}, allowed {one.least:g} to {one.most:g}"
            for one in self.claims
            if not one.is_kept
        ]

    def claim(self, what: str, found: float, most: float = 0, least: float = 0) -> None:
        self.claims.append(Claim(what, found, most, least))


@dataclass(frozen=True)
class Kept:
    """A message as the database has it."""

    row: int
    channel: Channel
    state: State
    sha256: str | None
    mailing_id: str | None
    contact_id: str | None


@dataclass(frozen=True)
class Evidence:
    """Both sides: every message of the database, and what the sink accepted and lost, by message."""

    kept: Mapping[int, Kept]
    accepted: Mapping[int, Sequence[Taken]]
    lost: Mapping[int, int]
    strangers: int  # mails at the sink that no message explains

    def of(self, channel: Channel, *states: State) -> Iterator[Kept]:
        """The messages of a channel, in these states or in any."""
        return (one for one in self.kept.values() if one.channel is channel and (not states or one.state in states))

    def copies(self, one: Kept) -> Sequence[Taken]:
        return self.accepted.get(one.row, ())


def newest() -> int:
    """The last message there is."""
    with reading() as session:
        return session.scalar(select(func.max(Message.row))) or 0


def gather(record: Record, since: int = 0) -> Evidence:
    """Read both sides as they are now, of the messages after number `since`."""
    columns = (Message.row, Message.channel, Message.state, Message.sha256, Message.mailing_id, Message.contact_id)
    with reading() as session:
        kept = {found[0]: Kept(*found) for found in session.execute(select(*columns).where(Message.row > since))}
    accepted: dict[int, list[Taken]] = {}
    lost: Counter[int] = Counter()
    strangers = 0
    for taken in record.rows:
        row = compose.read_message_id(taken.message_id)
        if row is not None and row <= since:
            continue
        if row is None or row not in kept:
            strangers += 1
        elif taken.outcome == "accepted":
            accepted.setdefault(row, []).append(taken)
        elif taken.outcome == "lost":
            lost[row] += 1
    return Evidence(kept, accepted, lost, strangers)


def nothing_lost(told: Told, found: Evidence, doubts: Mapping[Channel, int]) -> None:
    """Invariants 1, 2 and 5. `doubts`: so many mails of a channel may be in doubt, one a connection a kill."""
    essential, marketing = list(found.of(Channel.ESSENTIAL)), list(found.of(Channel.MARKETING))
    copies = {one.row: found.copies(one) for one in [*essential, *marketing]}
    dropped = sum(count for row, count in found.lost.items() if found.kept[row].channel is Channel.MARKETING)
    unknown = list(found.of(Channel.MARKETING, State.UNKNOWN))
    told.claim("essential mails that no server took", sum(not copies[one.row] for one in essential))
    told.claim("essential mails not settled as accepted", sum(one.state is not State.ACCEPTED for one in essential))
    further = sum(max(0, len(copies[one.row]) - 1) for one in essential)
    told.claim("further copies of essential mails", further, most=doubts[Channel.ESSENTIAL])
    told.claim("copies that differ from the first, or from the record", sum(map(_differs, copies.values())))
    told.claim(
        "copies whose digest is not the row's", sum(_is_other(one, copies[one.row]) for one in found.kept.values())
    )
    told.claim("marketing mails taken more than once", sum(len(copies[one.row]) > 1 for one in marketing))
    told.claim("marketing mails in doubt", len(unknown), most=doubts[Channel.MARKETING] + dropped)
    told.claim("marketing mails neither accepted nor in doubt", _neither(marketing))
    said = [one for one in found.kept.values() if one.state is State.ACCEPTED]
    told.claim("rows accepted that the server never took", sum(not copies[one.row] for one in said))
    told.claim("mails at the server that no row explains", found.strangers)
    told.figures |= {
        "essential": len(essential),
        "marketing": len(marketing),
        "further_copies": further,
        "in_doubt": len(unknown),
        "in_doubt_and_taken": sum(bool(copies[one.row]) for one in unknown),
        "lost_by_the_server": sum(found.lost.values()),
    }


def _neither(marketing: Sequence[Kept]) -> int:
    return sum(one.state not in (State.ACCEPTED, State.UNKNOWN) for one in marketing)


def _differs(copies: Sequence[Taken]) -> int:
    return len({(one.sha256, one.message_id, one.envelope_from, one.envelope_to) for one in copies}) > 1


def _is_other(one: Kept, copies: Sequence[Taken]) -> bool:
    return one.state is State.ACCEPTED and any(copy.sha256 != one.sha256 for copy in copies)


def books_agree(told: Told) -> None:
    """What is counted, proven and told fits the rows; nothing is held any more, nothing is there twice."""
    with reading() as session:
        accepted = session.scalar(select(func.count()).where(Message.state == State.ACCEPTED)) or 0
        entries = session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "messages.accepted"))
        proven = sum(json.loads(entry)["count"] for entry in entries)
        tries = select(Attempt.message_row).where(Attempt.outcome == Outcome.ACCEPTED).subquery()
        taken = select(tries.c[0]).group_by(tries.c[0]).having(func.count() > 1).subquery()
        twice = session.scalar(select(func.count()).select_from(taken)) or 0
        of_mailings = session.scalar(select(func.sum(Mailing.accepted))) or 0
        in_mailings = Message.state == State.ACCEPTED, Message.mailing_id.is_not(None)
        counted = session.scalar(select(func.count()).where(*in_mailings)) or 0
        held = session.scalar(select(func.count()).where(Message.lease_token.is_not(None))) or 0
        parcels = session.scalar(select(func.count()).select_from(Parcel)) or 0
        is_whole = isinstance(ledger.verify(session), Whole)
    told.claim("accepted mails that the ledger does not prove, or proves twice", abs(accepted - proven))
    told.claim("messages accepted twice by their attempts", twice)
    told.claim("accepted mails that their mailings do not count", abs(counted - of_mailings))
    told.claim("messages and parcels still held", held + parcels)
    end = time.monotonic() + A_MOMENT
    while (left := journals()) and time.monotonic() < end:
        time.sleep(0.05)  # a worker drops its journal just after the commit that settled the last of it
    told.claim("journals left behind", len(left))
    told.claim("breaks in the ledger's chain", int(not is_whole))


def journals() -> list[str]:
    """The leases of which this machine has a journal."""
    folder = settings.current().data_dir / journal.FOLDER
    return [path.name for path in folder.glob("*") if ids.is_id(path.name, "lse")]


@dataclass(frozen=True)
class Rest:
    """What is not over yet: in hand or due, and what waits for a later try of its own."""

    open: int
    later: int
    latest: datetime | None


def rest() -> Rest:
    """How much is left; all of it is open while the database cannot be asked."""
    at = clock.now()
    waits = Message.state == State.QUEUED, Message.attempts > 0, Message.due_at > at
    unmade = Mailing.fanned_out_at.is_(None)
    try:
        with reading() as session:
            later, latest = session.execute(select(func.count(), func.max(Message.due_at)).where(*waits)).one()
            is_open = or_(Message.state == State.QUEUED, Message.state == State.SENDING)
            left = session.scalar(select(func.count()).select_from(Message).where(is_open)) or 0
            left += session.scalar(select(func.count()).select_from(Mailing).where(unmade)) or 0
            left += session.scalar(select(func.count()).select_from(Parcel)) or 0
    except DBAPIError:
        return Rest(1, 0, None)
    return Rest(left - later, later, latest)
