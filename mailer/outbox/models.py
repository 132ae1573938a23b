"""Mail that is to go out, and the record of what went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
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
    """One send to many: frozen contents by language, frozen audience, and how far the fan-out came."""

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


class Message(Base):
    """One mail to one person: the outbox and the record in one row."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("mailing_id", "contact_id"),
        CheckConstraint("channel <> 'marketing' OR origin IS NULL OR origin <> 'third_party'", name="no_third_party"),
        Index(
            "ix_messages_due",
            "channel",
            "due_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_messages_to_seal",
            "id",
            sqlite_where=text("state = 'accepted' AND batch IS NULL"),
            postgresql_where=text("state = 'accepted' AND batch IS NULL"),
        ),
        Index(
            "ix_messages_leased",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
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
    to_address: Mapped[str] = mapped_column(String(320), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    facts: Mapped[dict[str, str] | None] = mapped_column(Json)
    in_reply_to: Mapped[str | None] = mapped_column(String(998))

    state: Mapped[State] = mapped_column(enum_of(State))
    withheld: Mapped[Withheld | None] = mapped_column(enum_of(Withheld))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sha256: Mapped[str | None] = mapped_column(String(64))
    batch: Mapped[str | None] = mapped_column(String(30), index=True)
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
