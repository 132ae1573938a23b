"""One person, one version: was that person told, and from when does it bind."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, BigInt, UtcDateTime, enum_of
from mailer.notices.rules import NoticeState


class Notice(Base):
    """What tells one person of one version, and that person's clock with its computation in words."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("version_id", "contact_id"),
        Index("ix_notices_state", "version_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    message_row: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), unique=True)
    state: Mapped[NoticeState] = mapped_column(enum_of(NoticeState))
    why: Mapped[str] = mapped_column(Text, default="")
    notified_on: Mapped[date | None] = mapped_column(Date)
    respond_by_on: Mapped[date | None] = mapped_column(Date)
    binding_on: Mapped[date | None] = mapped_column(Date)
    computation: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeemedAgreement(Base):
    """That a deemed agreement was derived, from which facts, and told to others once; only added (S5)."""

    __tablename__ = "deemed_agreements"
    __table_args__ = (UniqueConstraint("version_id", "contact_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    notified_on: Mapped[date] = mapped_column(Date)
    binding_on: Mapped[date] = mapped_column(Date)
    used_on: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
