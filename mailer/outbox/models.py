"""Mail that is to go out, and the record of what went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer import ids
from mailer.consent.rules import Channel, Withheld
from mailer.contacts.rules import Origin
from mailer.db import Base, BigInt, Json, UtcDateTime, enum_of
from mailer.outbox.rules import MailingState, MailKind, Outcome, State


class Content(Base):
    """Frozen wording in one language: flat text with `{{ slot }}` marks only. Its id is the SHA-256 of all of it."""

    __tablename__ = "contents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(enum_of(MailKind))
    locale: Mapped[str] = mapped_column(String(5))
    sender: Mapped[str] = mapped_column(String(400))
    reply_domain: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(String(400))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Mailing(Base):
    """One send to many: frozen contents by language, frozen audience, how far it came, and whether it may go on.

    `accepted`, `bounced`, `complained` and `refused` are counted as they happen, for nobody wants to count a million
    rows; `window_count` since `window_at`, from which `per_second` is reckoned.
    `vouched` holds the counts at which a person let a mailing go on that had paused by itself.
    """

    __tablename__ = "mailings"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(enum_of(MailKind))
    topic: Mapped[str | None] = mapped_column(ForeignKey("topics.key"))
    subject_id: Mapped[str] = mapped_column(String(30), unique=True)
    contents: Mapped[dict[str, str]] = mapped_column(Json)
    audience: Mapped[dict[str, Any]] = mapped_column(Json)
    key_id: Mapped[str] = mapped_column(String(4))
    state: Mapped[MailingState] = mapped_column(enum_of(MailingState), index=True)
    cursor: Mapped[str] = mapped_column(String(30), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fanned_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_why: Mapped[str] = mapped_column(Text, default="", server_default="")
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    per_hour: Mapped[int | None]
    accepted: Mapped[int] = mapped_column(default=0, server_default="0")
    bounced: Mapped[int] = mapped_column(default=0, server_default="0")
    complained: Mapped[int] = mapped_column(default=0, server_default="0")
    refused: Mapped[int] = mapped_column(default=0, server_default="0")
    vouched: Mapped[dict[str, int] | None] = mapped_column(Json)
    window_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    window_count: Mapped[int] = mapped_column(default=0, server_default="0")
    per_second: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")


class Parcel(Base):
    """A run of at most 500 messages of a mailing that is leased, sent and settled as one; gone when it is done.

    One small row carries the lease and the mark of them all: what was in a parcel whose lease ran out is in doubt,
    unless the worker's journal knows better (DESIGN §8, “Marks”).
    """

    __tablename__ = "parcels"
    __table_args__ = (Index("ix_parcels_free", "channel", "turn", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    mailing_id: Mapped[str] = mapped_column(ForeignKey("mailings.id"), index=True)
    channel: Mapped[Channel] = mapped_column(enum_of(Channel))
    turn: Mapped[int]
    first_row: Mapped[int] = mapped_column(BigInt)
    last_row: Mapped[int] = mapped_column(BigInt)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Message(Base):
    """One mail to one person: the outbox and the record in one row.

    `due_at` is null while it waits in a parcel and once it is settled; while it is claimed it says when the lease ends.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("mailing_id", "contact_id"),
        CheckConstraint("channel <> 'marketing' OR origin IS NULL OR origin <> 'third_party'", name="no_third_party"),
        # no index names `state`: an update of it then stays within its page (PostgreSQL's HOT, FIGURES)
        Index(
            "ix_messages_due",
            "channel",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "40"}},
    )

    row: Mapped[int] = mapped_column("id", BigInt, primary_key=True, autoincrement=True)
    key: Mapped[str | None] = mapped_column(String(160), unique=True)
    mailing_id: Mapped[str | None] = mapped_column(ForeignKey("mailings.id"))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    kind: Mapped[MailKind] = mapped_column(enum_of(MailKind))
    channel: Mapped[Channel] = mapped_column(enum_of(Channel))
    topic: Mapped[str | None] = mapped_column(String(40))
    origin: Mapped[Origin | None] = mapped_column(enum_of(Origin))
    content_id: Mapped[str] = mapped_column(ForeignKey("contents.id"))
    key_id: Mapped[str] = mapped_column(String(4))
    to_address: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    facts: Mapped[dict[str, str] | None] = mapped_column(Json)
    in_reply_to: Mapped[str | None] = mapped_column(String(998))

    state: Mapped[State] = mapped_column(enum_of(State))
    withheld: Mapped[Withheld | None] = mapped_column(enum_of(Withheld))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    turn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_from: Mapped[str | None] = mapped_column(String(400))
    envelope_domain: Mapped[str | None] = mapped_column(String(255))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sha256: Mapped[str | None] = mapped_column(String(64))
    batch: Mapped[str | None] = mapped_column(String(30))
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    complained_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    content: Mapped[Content] = relationship()

    @property
    def id(self) -> str:
        """The public id, `msg_…`."""
        return ids.message_id(self.row)


class Attempt(Base):
    """What a server answered to one try; only added."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    message_row: Mapped[int] = mapped_column(ForeignKey("messages.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    route: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[Outcome] = mapped_column(enum_of(Outcome))
    code: Mapped[int]
    reply: Mapped[str] = mapped_column(String(1000))
