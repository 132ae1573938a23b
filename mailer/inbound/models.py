"""Mail that came in: the bytes first, what was read of them after (invariant 10)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, Json, UtcDateTime, enum_of
from mailer.inbound.desk import DeskState
from mailer.inbound.rules import Kind


class InboundMail(Base):
    """One mail as it came through one door. The same bytes to the same recipient are one row."""

    __tablename__ = "inbound_mails"
    __table_args__ = (
        UniqueConstraint("sha256", "recipient"),
        Index(
            "ix_inbound_mails_to_read",
            "id",
            sqlite_where=text("state = 'kept'"),
            postgresql_where=text("state = 'kept'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    sender: Mapped[str] = mapped_column(String(400))
    recipient: Mapped[str] = mapped_column(String(400))
    door: Mapped[str] = mapped_column(String(20))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    state: Mapped[DeskState] = mapped_column(enum_of(DeskState), index=True)
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
    decided_kind: Mapped[Kind | None] = mapped_column(enum_of(Kind))
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
