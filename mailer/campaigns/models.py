"""What marketing and operators write: campaigns and essential announcements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.campaigns.rules import State
from mailer.db import Base, UtcDateTime, enum_of
from mailer.outbox.rules import MailKind


class Campaign(Base):
    """A mailing in the making: Markdown with placeholders; frozen into a mailing when it is sent."""

    __tablename__ = "campaigns"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(enum_of(MailKind))
    topic: Mapped[str | None] = mapped_column(ForeignKey("topics.key"))
    name: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[State] = mapped_column(enum_of(State))
    author_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    mailing_id: Mapped[str | None] = mapped_column(ForeignKey("mailings.id"))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
