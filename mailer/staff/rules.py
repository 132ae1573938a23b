"""Roles and what each may do (S12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is there for."""

    MARKETING = "marketing"
    POLICY = "policy"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class May(StrEnum):
    """What a page or a button needs."""

    SEE = "see"
    SEE_PEOPLE = "see_people"
    CAMPAIGN = "campaign"
    ANNOUNCE = "announce"
    POLICY = "policy"
    REPLY = "reply"
    OPERATE = "operate"


_GRANTS = {
    Role.MARKETING: frozenset({May.SEE, May.SEE_PEOPLE, May.CAMPAIGN}),
    Role.POLICY: frozenset({May.SEE, May.SEE_PEOPLE, May.POLICY, May.REPLY, May.ANNOUNCE}),
    Role.OPERATOR: frozenset({May.SEE, May.SEE_PEOPLE, May.REPLY, May.OPERATE, May.ANNOUNCE}),
    Role.AUDITOR: frozenset({May.SEE, May.SEE_PEOPLE}),
}
PASSWORD_MINIMUM = 12
FAILURES_ALLOWED = 10
LOCK_FOR = timedelta(minutes=15)


def may(roles: Collection[Role], what: May) -> bool:
    """Whether any of the roles grants it."""
    return any(what in _GRANTS[role] for role in roles)


def why_not_password(password: str, email: str, old: str | None) -> str | None:
    """Why a new password will not do, in one sentence; None if it will."""
    if len(password) < PASSWORD_MINIMUM:
        return f"Use at least {PASSWORD_MINIMUM} characters; a few words in a row are easy to keep."
    if password == old:
        return "Choose another password than the present one."
    if email.split("@")[0].lower() in password.lower():
        return "Leave your own name out of the password."
    return None


def locked_until(failures: int, at: datetime) -> datetime | None:
    """Until when an account takes no password after this many failures in a row; None if it still takes one."""
    return at + LOCK_FOR if failures >= FAILURES_ALLOWED else None


def is_locked(until: datetime | None, at: datetime) -> bool:
    """Whether a lock that ends at `until` still holds."""
    return until is not None and at < until


def is_local_path(path: str) -> bool:
    """Whether a browser sent to `path` stays on the admin pages: no other host, no scheme, no trick with slashes."""
    return path.startswith("/admin/") and "\\" not in path and path.isprintable()
