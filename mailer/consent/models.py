"""Topics, what people said about them, and who must not be mailed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.consent.rules import Act, Basis, SuppressionReason
from mailer.db import Base, BigInt, UtcDateTime, enum_of


class Topic(Base):
    """What a marketing mail is about; `wording` is what people agree to when they subscribe."""

    __tablename__ = "topics"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    wording: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0)


class ConsentEvent(Base):
    """What a person said, in which words, when and where; only added (S13, invariant 6)."""

    __tablename__ = "consent_events"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    topic: Mapped[str] = mapped_column(ForeignKey("topics.key"))
    act: Mapped[Act] = mapped_column(enum_of(Act))
    basis: Mapped[Basis] = mapped_column(enum_of(Basis))
    wording: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsentEvidence(Base):
    """The personal evidence of a consent event; erasure removes it."""

    __tablename__ = "consent_evidence"

    event_id: Mapped[int] = mapped_column(ForeignKey("consent_events.id"), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    evidence: Mapped[str] = mapped_column(Text)


class Subscription(Base):
    """A contact's standing on a topic, derived from the last consent event."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index("ix_subscriptions_topic", "topic", "is_subscribed", "contact_id"),)

    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(ForeignKey("topics.key"), primary_key=True)
    is_subscribed: Mapped[bool]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    event_id: Mapped[int] = mapped_column(ForeignKey("consent_events.id"))


class Suppression(Base):
    """Do not mail this address; a lifted one stays as history. No import ever clears one (TRAPS 25)."""

    __tablename__ = "suppressions"
    __table_args__ = (
        Index(
            "uq_suppressions_standing",
            "email_key",
            "reason",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    email_key: Mapped[str] = mapped_column(String(320))
    reason: Mapped[SuppressionReason] = mapped_column(enum_of(SuppressionReason))
    stops_essential: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
