"""Mail that came in: the bytes first, what was read of them after (invariant 10)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from mailer.db import Base, BigInt, Json, UtcDateTime, enum_of
from mailer.inbound.desk import DeskState
from mailer.inbound.rules import Kind


class InboundBytes(Base):
    """The bytes of a mail, once, under their own digest; erasure leaves the digest and empties them."""

    __tablename__ = "inbound_bytes"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    size: Mapped[int]


class InboundMail(Base):
    """One mail to one recipient, by however many doors it came; `sha256` are the bytes that came first.

    `twin` is what stays the same of a mail on different ways (`glance.twin`). `is_vouched` says that it came by a way
    on which nobody but our own mail server can have written an Authentication-Results in our name (RFC 8601 §5).
    """

    __tablename__ = "inbound_mails"
    __table_args__ = (
        UniqueConstraint("sha256", "recipient"),
        Index("ix_inbound_mails_twin", "twin", "recipient", unique=True),
        Index("ix_inbound_mails_unread", "state", "is_machine", "id"),
        Index("ix_inbound_mails_desk", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    twin: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(default=0)
    is_machine: Mapped[bool] = mapped_column(default=False)
    is_vouched: Mapped[bool] = mapped_column(default=True)
    sender: Mapped[str] = mapped_column(String(400))
    recipient: Mapped[str] = mapped_column(String(400))
    door: Mapped[str] = mapped_column(String(20))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    state: Mapped[DeskState] = mapped_column(enum_of(DeskState))
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kind: Mapped[Kind | None] = mapped_column(enum_of(Kind))
    confidence: Mapped[float | None]
    reasons: Mapped[list[str]] = mapped_column(Json, default=list)
    subject: Mapped[str] = mapped_column(Text, default="")
    from_address: Mapped[str] = mapped_column(String(400), default="")
    message_id_header: Mapped[str] = mapped_column(Text, default="")
    visible_text: Mapped[str] = mapped_column(Text, default="")
    locale: Mapped[str] = mapped_column(String(5), default="")
    matched_by: Mapped[str] = mapped_column(String(40), default="")
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    message_row: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    assigned_to: Mapped[str | None] = mapped_column(String(30))
    decided_kind: Mapped[Kind | None] = mapped_column(enum_of(Kind))
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    raw: Mapped[bytes] = column_property(
        select(InboundBytes.raw).where(InboundBytes.sha256 == sha256).scalar_subquery(), deferred=True
    )


class InboundArrival(Base):
    """That a mail came by a door, with which bytes; nothing personal stands in it, and it is never changed."""

    __tablename__ = "inbound_arrivals"
    __table_args__ = (UniqueConstraint("mail_id", "door", "sha256"), Index("ix_inbound_arrivals_sha256", "sha256"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    mail_id: Mapped[str] = mapped_column(ForeignKey("inbound_mails.id"))
    door: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InboundReading(Base):
    """What the desk shows of a mail, read once and cut to what a page can hold; the bytes stay whole."""

    __tablename__ = "inbound_readings"

    mail_id: Mapped[str] = mapped_column(ForeignKey("inbound_mails.id"), primary_key=True)
    from_name: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str] = mapped_column(Text, default="", deferred=True)
    headers: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    attachments: Mapped[list[str]] = mapped_column(Json, default=list)
    is_auto: Mapped[bool] = mapped_column(default=False)
    has_token: Mapped[bool] = mapped_column(default=False)
    is_aligned: Mapped[bool] = mapped_column(default=False)
    is_crossed: Mapped[bool] = mapped_column(default=False)


class InboundNote(Base):
    """What a colleague noted on a mail; erasure removes it."""

    __tablename__ = "inbound_notes"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    mail_id: Mapped[str] = mapped_column(ForeignKey("inbound_mails.id"), index=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InboundDoor(Base):
    """A door as it was last seen at work. A mailbox also holds how far it was read (RFC 3501 §2.3.1.1)."""

    __tablename__ = "inbound_doors"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str] = mapped_column(Text, default="")
    uid_validity: Mapped[int | None] = mapped_column(BigInt)
    last_uid: Mapped[int] = mapped_column(BigInt, default=0)


class AnswerTemplate(Base):
    """Words that colleagues begin an answer with."""

    __tablename__ = "answer_templates"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    locale: Mapped[str] = mapped_column(String(5))
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
