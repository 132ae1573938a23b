"""People and their addresses."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.contacts.rules import Origin
from mailer.db import Base, BigInt, UtcDateTime, enum_of


class Contact(Base):
    """A person. An erased contact keeps its row, without anything personal; so does one merged into another.

    A consumer never agrees by mere use, only by saying so.
    """

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    reference: Mapped[str | None] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    locale: Mapped[str] = mapped_column(String(5), default="en")
    time_zone: Mapped[str | None] = mapped_column(String(40))
    origin: Mapped[Origin] = mapped_column(enum_of(Origin))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_consumer: Mapped[bool] = mapped_column(default=False, server_default=false())
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))

    addresses: Mapped[list[Address]] = relationship(back_populates="contact", order_by="Address.id")

    @property
    def primary(self) -> Address | None:
        """The address that notices go to (S2)."""
        return next((address for address in self.addresses if address.is_primary), None)


class Address(Base):
    """One mail address of one contact; exactly one of a contact's is primary."""

    __tablename__ = "addresses"
    __table_args__ = (
        Index(
            "uq_addresses_primary",
            "contact_id",
            unique=True,
            sqlite_where=text("is_primary"),
            postgresql_where=text("is_primary"),
        ),
    )

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    is_primary: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    contact: Mapped[Contact] = relationship(back_populates="addresses")


class ContactUse(Base):
    """That a person used a service on a day; `automatic` use (an API key) is no person's use (S5)."""

    __tablename__ = "contact_uses"
    __table_args__ = (UniqueConstraint("contact_id", "used_on", "source", "automatic"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"))
    used_on: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(60))
    automatic: Mapped[bool] = mapped_column(default=False)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ErasedAddress(Base):
    """The keyed hash of an erased address: an import or a restored backup cannot bring the person back (S11)."""

    __tablename__ = "erased_addresses"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)
