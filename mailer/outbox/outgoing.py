"""Mail in hand: what a worker claimed, under which lease, and what came of each (DESIGN §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select

from mailer import ids
from mailer.consent.rules import Channel, Withheld
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind, Outcome


class Answer(NamedTuple):
    """What a server said to one try, in our words, with its own beside."""

    outcome: Outcome
    code: int
    reply: str
    route: str


@dataclass(slots=True)
class Outgoing:
    """One claimed message, with all that its bytes follow from; light, for there are millions.

    `dated_at` is the day on the mail. It and `facts` stay as they were if an earlier try is in doubt (`is_in_doubt`),
    so that the same bytes go out again.
    """

    row: int
    contact_id: str | None
    mailing_id: str | None
    kind: MailKind
    channel: Channel
    topic: str | None
    content: Content
    key_id: str
    to_address: str
    name: str
    company: str
    facts: dict[str, str] | None
    in_reply_to: str | None
    created_at: datetime
    attempts: int
    dated_at: datetime
    sent_from: str | None = None
    envelope_domain: str | None = None
    is_in_doubt: bool = False
    turn_at: datetime | None = None
    time_zone: str | None = None
    per_hour: int | None = None  # the pace of its mailing

    @property
    def id(self) -> str:
        """The public id, `msg_…`."""
        return ids.message_id(self.row)


class Done(NamedTuple):
    """What came of one claimed message: a server's answer, a reason to withhold it, or a later moment to go.

    None of the three: it was begun, and its worker ended before it could tell.
    """

    mail: Outgoing
    at: datetime
    answer: Answer | None = None
    sha256: str = ""
    withheld: Withheld | None = None
    put_off_until: datetime | None = None
    keeps_turn: bool = False  # its recipient's domain keeps that moment for it


Which = tuple[Select[Any], Mapping[str, Any]]
"""A query of messages, and the values that it leaves open."""


@dataclass(slots=True)
class Batch:
    """Messages claimed together under one lease: those of a parcel, or single ones (`parcel` is None)."""

    token: str
    parcel: int | None
    mails: list[Outgoing] = field(default_factory=list)
    which: Which | None = None  # what reads the messages
    left: set[int] = field(init=False)  # the rows that are neither settled nor given back yet
    was_given_back: bool = False  # some of it: its parcel stays
    stopped: list[Done] = field(default_factory=list)  # what the look says may not go
    held: list[Outgoing] = field(default_factory=list)  # what waits for its paused mailing

    def __post_init__(self) -> None:
        self.left = {mail.row for mail in self.mails}
