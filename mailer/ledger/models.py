"""What happened: the chain, the personal part beside it, and what other services are told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, BigInt, Json, UtcDateTime


class LedgerEntry(Base):
    """One link of the chain; only added, never changed (invariant 6). No personal data (invariant 12)."""

    __tablename__ = "ledger_entries"

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(60), index=True)
    at: Mapped[str] = mapped_column(String(27))
    subjects: Mapped[str] = mapped_column(Text)
    detail_digest: Mapped[str] = mapped_column(String(64))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class LedgerDetail(Base):
    """The personal part of an entry; erasure removes the row and the chain stays whole."""

    __tablename__ = "ledger_details"

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    contact_id: Mapped[str | None] = mapped_column(String(30), index=True)
    salt: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)


class LedgerHead(Base):
    """Where the chain stood on a local day, as it was published: whoever keeps it can tell a rewrite; only added.

    `root` is the Merkle root over the hashes of all entries up to `seq` (RFC 6962).
    """

    __tablename__ = "ledger_heads"

    on_date: Mapped[date] = mapped_column(Date, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInt)
    hash: Mapped[str] = mapped_column(String(64))
    root: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerRun(Base):
    """The Merkle root of a full run of entries (`merkle.RUN`), so that a proof reads one run and not the ledger.

    Run 0 begins with entry 1. It follows from the entries; only added.
    """

    __tablename__ = "ledger_runs"

    number: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))


class Event(Base):
    """What other services may hear; `spread` once a delivery row stands for every service that listens."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_to_spread", "id", sqlite_where=text("NOT spread"), postgresql_where=text("NOT spread")),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    contact_id: Mapped[str | None] = mapped_column(String(30), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    spread: Mapped[bool] = mapped_column(default=False)
