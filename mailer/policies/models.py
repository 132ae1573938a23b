"""Policies, the drafts people work on, and the immutable versions that come of them (DESIGN §6)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.db import Base, Json, UtcDateTime, enum_of
from mailer.policies.rules import Announce, ChangeClass, DraftState


class Policy(Base):
    """A document that people live under; `concerns` holds the origins it binds, `language` that of its own text."""

    __tablename__ = "policies"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    concerns: Mapped[list[str]] = mapped_column(Json)
    language: Mapped[str] = mapped_column(String(2), default="en", server_default="en")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Draft(Base):
    """A text on its way to be a version: everything here may still change, and a change ends its approvals.

    `revision` counts its edits and returns, so that an approval of one revision is none of another. `base_number` is
    the version on which it was last written, `writers` everyone who wrote any revision.
    """

    __tablename__ = "policy_drafts"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policies.id"), index=True)
    state: Mapped[DraftState] = mapped_column(enum_of(DraftState))
    text: Mapped[str] = mapped_column(Text)
    change_class: Mapped[ChangeClass] = mapped_column(enum_of(ChangeClass))
    announce: Mapped[Announce] = mapped_column(enum_of(Announce))
    effective_on: Mapped[date | None] = mapped_column(Date)
    summary: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[str] = mapped_column(Text, default="")
    impact: Mapped[str] = mapped_column(Text, default="")
    class_reason: Mapped[str] = mapped_column(Text, default="")
    answers: Mapped[dict[str, bool]] = mapped_column(Json, default=dict)
    author_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    writers: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    base_number: Mapped[int | None]
    ownership: Mapped[dict[str, dict[str, str]] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    policy: Mapped[Policy] = relationship()
    approvals: Mapped[list[Approval]] = relationship(order_by="Approval.at")
    returns: Mapped[list[DraftReturn]] = relationship(order_by="DraftReturn.at")
    translations: Mapped[list[DraftTranslation]] = relationship(
        order_by="DraftTranslation.language", cascade="all, delete-orphan"
    )

    @property
    def written_by(self) -> set[str]:
        """Everyone who wrote any of it, and so cannot approve it."""
        return {self.author_id, *self.writers}


class DraftTranslation(Base):
    """What a draft says in another language than its policy's own; approved and released with it."""

    __tablename__ = "draft_translations"

    draft_id: Mapped[str] = mapped_column(ForeignKey("policy_drafts.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[str] = mapped_column(Text, default="")
    impact: Mapped[str] = mapped_column(Text, default="")


class DraftReturn(Base):
    """That a reader sent a draft back to its author, and what is to be done; only added."""

    __tablename__ = "draft_returns"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("policy_drafts.id"), index=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Approval(Base):
    """That another person read this very text and said yes."""

    __tablename__ = "draft_approvals"
    __table_args__ = (UniqueConstraint("draft_id", "staff_id", "fingerprint"),)

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("policy_drafts.id"), index=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Version(Base):
    """An immutable text with its class and effective date; database triggers refuse any change (invariant 6).

    `anchors` holds the ids of the text's headings in order; an empty list means those made of their titles.
    """

    __tablename__ = "policy_versions"
    __table_args__ = (UniqueConstraint("policy_id", "number"),)

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policies.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    change_class: Mapped[ChangeClass] = mapped_column(enum_of(ChangeClass))
    announce: Mapped[Announce] = mapped_column(enum_of(Announce))
    effective_on: Mapped[date] = mapped_column(Date)
    summary: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    impact: Mapped[str] = mapped_column(Text)
    class_reason: Mapped[str] = mapped_column(Text)
    answers: Mapped[dict[str, bool]] = mapped_column(Json)
    author_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    approver_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    released_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)
    anchors: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    ownership: Mapped[dict[str, dict[str, str]] | None] = mapped_column(Json)

    policy: Mapped[Policy] = relationship()
    approvals: Mapped[list[VersionApproval]] = relationship(order_by="VersionApproval.at")
    translations: Mapped[list[VersionTranslation]] = relationship(
        order_by="VersionTranslation.language", back_populates="version"
    )

    @property
    def language(self) -> str:
        """The language of the authoritative text."""
        return self.policy.language

    @property
    def title(self) -> str:
        """What the policy is called in its own language."""
        return self.policy.title

    @property
    def languages(self) -> list[str]:
        """Every language it can be read in, the authoritative first."""
        return [self.language, *(translation.language for translation in self.translations)]

    def in_language(self, language: str) -> Version | VersionTranslation | None:
        """Its words in a language: itself in the policy's own, a translation in another, None if there is none."""
        if language == self.language:
            return self
        return next((found for found in self.translations if found.language == language), None)


class VersionTranslation(Base):
    """What a version says in another language; the authoritative text counts. As immutable as its version."""

    __tablename__ = "version_translations"

    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    summary: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    impact: Mapped[str] = mapped_column(Text)
    anchors: Mapped[list[str]] = mapped_column(Json)

    version: Mapped[Version] = relationship(back_populates="translations")


class VersionApproval(Base):
    """That a person approved exactly what was released; only added. A change below material has two."""

    __tablename__ = "version_approvals"

    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class VersionWithdrawal(Base):
    """That a version was withdrawn before it took effect; only added."""

    __tablename__ = "version_withdrawals"

    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)


class VersionEffect(Base):
    """That the change-over to a version was told to others, once. What is in force is decided by dates, not by this."""

    __tablename__ = "version_effects"

    version_id: Mapped[str] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
