"""What people answered: “I terminate”."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, UtcDateTime, enum_of
from mailer.terminations.rules import State, Timing


class Termination(Base):
    """One request to terminate; `received_at` is the first mail's time and always stands.

    `ordinary_at`: when the person took up the offer to treat a late one as an ordinary cancellation.
    """

    __tablename__ = "terminations"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(60), unique=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    version_id: Mapped[str | None] = mapped_column(ForeignKey("policy_versions.id"), index=True)
    state: Mapped[State] = mapped_column(enum_of(State))
    timing: Mapped[Timing] = mapped_column(enum_of(Timing))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_on: Mapped[date] = mapped_column(Date)
    respond_by_on: Mapped[date | None] = mapped_column(Date)
    recorded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ordinary_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    in_reply_to: Mapped[str] = mapped_column(Text, default="")
