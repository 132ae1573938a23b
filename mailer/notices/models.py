"""One person, one version: was that person told, and from when does it bind."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, BigInt, Json, UtcDateTime, enum_of
from mailer.notices.rules import FactKind, NoticeKind, NoticeState, Via


class Notice(Base):
    """What tells one person of one version, and that person's clock with its computation in words.

    A row is where the facts about it lead (`rules.replay`), kept so that a million of them can be asked at once.
    `evidence` says by what else than our mail the person was reached; it holds nothing personal.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("version_id", "contact_id"),
        Index("ix_notices_state", "version_id", "state", "contact_id"),
        Index("ix_notices_window", "version_id", "respond_by_on", "contact_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    message_row: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), unique=True)
    kind: Mapped[NoticeKind] = mapped_column(
        enum_of(NoticeKind), default=NoticeKind.MATERIAL, server_default=NoticeKind.MATERIAL.value
    )
    via: Mapped[Via] = mapped_column(enum_of(Via), default=Via.MAIL, server_default=Via.MAIL.value)
    state: Mapped[NoticeState] = mapped_column(enum_of(NoticeState))
    why: Mapped[str] = mapped_column(Text, default="")
    notified_on: Mapped[date | None] = mapped_column(Date)
    respond_by_on: Mapped[date | None] = mapped_column(Date)
    binding_on: Mapped[date | None] = mapped_column(Date)
    computation: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="", server_default="")
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeFact(Base):
    """One thing that happened to one person and one version; only added. Their notice is what follows from these.

    `on_date` is the local day that counts, `batch` the settled batch it came with: its ledger entry holds the Merkle
    root over the leaves (`rules.leaf`) of the batch's facts in order of `message_row`. `data` holds no personal data.
    """

    __tablename__ = "notice_facts"
    __table_args__ = (
        Index("ix_notice_facts_person", "contact_id", "version_id"),
        Index("ix_notice_facts_kind", "version_id", "kind", "on_date"),
        Index(
            "ix_notice_facts_batch",
            "batch",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"))
    kind: Mapped[FactKind] = mapped_column(enum_of(FactKind))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    on_date: Mapped[date] = mapped_column(Date)
    message_row: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    batch: Mapped[str | None] = mapped_column(String(30))
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")


class ExpressAgreement(Base):
    """That a person said yes by a click, to which words; only added. A consumer agrees in no other way."""

    __tablename__ = "express_agreements"
    __table_args__ = (UniqueConstraint("version_id", "contact_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    source: Mapped[str] = mapped_column(String(120))
    wording_digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeemedAgreement(Base):
    """That a deemed agreement was derived, from which facts, and told to others once; only added (S5).

    A trigger refuses one of a consumer.
    """

    __tablename__ = "deemed_agreements"
    __table_args__ = (UniqueConstraint("version_id", "contact_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    notified_on: Mapped[date] = mapped_column(Date)
    binding_on: Mapped[date] = mapped_column(Date)
    used_on: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeCount(Base):
    """How many notices of a version, or agreements to it, are alike; triggers write it (`migrations.counted`).

    `what` is a notice's state, `deemed` or `agreed`; `reason` says why people are unreached: a word of `Withheld`,
    `refused` or `bounced`. `since`, on the quarter of an hour, is when they came to be unreached or ended, or agreed.
    Add up `n` over the rows that are alike: a row may hold a difference.
    """

    __tablename__ = "notice_counts"
    __table_args__ = (Index("ix_notice_counts_cell", "version_id", "what", "notified_on", "since"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(String(30))
    what: Mapped[str] = mapped_column(String(40))
    via: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(40))
    notified_on: Mapped[date | None] = mapped_column(Date)
    respond_by_on: Mapped[date | None] = mapped_column(Date)
    binding_on: Mapped[date | None] = mapped_column(Date)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    n: Mapped[int] = mapped_column(BigInt)
