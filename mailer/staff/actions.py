"""Accounts: created with a first password, signed in, given another password, disabled (S12)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from mailer import ids
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.staff import passwords, queries, rules
from mailer.staff.models import Staff
from mailer.staff.rules import Role


class AlreadyStaff(Conflict):
    """The address already has an account."""

    field = "email"


class BadPassword(Invalid):
    """A new password that will not do."""

    field = "new"


class WrongPassword(Invalid):
    """The present password was not given."""

    field = "old"


class LastOperator(Conflict):
    """Nobody would be left who can create accounts."""


class Refusal(StrEnum):
    """Why somebody was not let in; for the record only, the answer is the same for all."""

    UNKNOWN = "unknown"
    WRONG = "wrong"
    LOCKED = "locked"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Welcome:
    """The password fits."""

    staff: Staff


@dataclass(frozen=True)
class Refused:
    """Not let in."""

    why: Refusal


SignInOutcome = Welcome | Refused


def create(session: Session, *, email: str, name: str, roles: Collection[Role], at: datetime) -> tuple[Staff, str]:
    """A new account and its first password, which its owner must change at first sign-in."""
    email, name = _read_email(email), name.strip()
    if not name:
        raise Invalid("name: it is empty; write the name that colleagues will see.", field="name")
    if not roles:
        raise Invalid("roles: none was chosen; choose at least one.", field="roles")
    if queries.find_by_email(session, email) is not None:
        raise AlreadyStaff(f"email: {email} already has an account; choose another address.")
    first = passwords.make_readable()
    made = Staff(
        id=ids.new("stf"),
        email=email,
        email_key=queries.key_of(email),
        name=name,
        roles=sorted(role.value for role in roles),
        password_hash=passwords.hash_password(first),
        created_at=at,
    )
    session.add(made)
    session.flush()
    ledger.record(session, "staff.created", at, staff=made.id, roles=made.roles)
    return made, first


def sign_in(session: Session, email: str, password: str, at: datetime) -> SignInOutcome:
    """Judge an attempt and count it; an unknown address takes as long as a known one (TRAPS 26)."""
    staff = queries.find_by_email(session, email, lock=True)
    fits = passwords.fits(staff.password_hash if staff else None, password)
    if staff is None:
        return Refused(Refusal.UNKNOWN)
    if staff.disabled_at is not None:
        return Refused(Refusal.DISABLED)
    if rules.is_locked(staff.locked_until, at):
        return Refused(Refusal.LOCKED)
    if not fits:
        _count_failure(session, staff, at)
        return Refused(Refusal.WRONG)
    staff.failures, staff.locked_until, staff.signed_in_at = 0, None, at
    if passwords.is_stale(staff.password_hash):
        staff.password_hash = passwords.hash_password(password)
    ledger.record(session, "staff.signed_in", at, staff=staff.id)
    return Welcome(staff)


def change_password(session: Session, staff: Staff, old: str, new: str, at: datetime) -> None:
    """Set a password of the owner's own; every other session of the account ends."""
    if not passwords.fits(staff.password_hash, old):
        raise WrongPassword("This is not your present password; type the one you signed in with.")
    if why := rules.why_not_password(new, staff.email, old):
        raise BadPassword(why)
    _set_password(staff, new, must_change=False)
    ledger.record(session, "staff.password_changed", at, staff=staff.id)


def reset_password(session: Session, staff: Staff, at: datetime) -> str:
    """A new first password for somebody who lost theirs."""
    first = passwords.make_readable()
    _set_password(staff, first, must_change=True)
    ledger.record(session, "staff.password_reset", at, staff=staff.id)
    return first


def sign_out(session: Session, staff: Staff, at: datetime) -> None:
    """End every session of the account: a copied cookie is worth nothing after it."""
    staff.epoch += 1
    ledger.record(session, "staff.signed_out", at, staff=staff.id)


def disable(session: Session, staff: Staff, at: datetime) -> None:
    """End an account and its sessions; the row stays, for it is named in decisions."""
    if staff.disabled_at is not None:
        return
    others = [other for other in queries.all_staff(session) if other.id != staff.id and other.disabled_at is None]
    if Role.OPERATOR in staff.roles and not any(Role.OPERATOR in other.roles for other in others):
        raise LastOperator(f"{staff.email} is the last operator; create another one first.")
    staff.disabled_at, staff.epoch = at, staff.epoch + 1
    ledger.record(session, "staff.disabled", at, staff=staff.id)


def _read_email(text: str) -> str:
    try:
        return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        message = f"email: “{text[:80]}” is not a mail address; write it like name@company.example."
        raise Invalid(message, field="email") from None


def _set_password(staff: Staff, password: str, *, must_change: bool) -> None:
    staff.password_hash, staff.must_change = passwords.hash_password(password), must_change
    staff.epoch += 1
    staff.failures, staff.locked_until = 0, None


def _count_failure(session: Session, staff: Staff, at: datetime) -> None:
    staff.failures += 1
    if until := rules.locked_until(staff.failures, at):
        staff.failures, staff.locked_until = 0, until
        ledger.record(session, "staff.locked", at, staff=staff.id)
