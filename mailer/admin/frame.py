"""The frame of every admin page: who is signed in, and the rooms their role may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from mailer.staff import access
from mailer.staff.rules import May

ROOMS = (
    ("Home", "/admin/", May.SEE),
    ("Policies", "/admin/policies/", May.SEE),
    ("Notices", "/admin/notices/", May.SEE),
    ("Replies", "/admin/replies/", May.SEE_PEOPLE),
    ("Campaigns", "/admin/campaigns/", May.SEE),
    ("People", "/admin/people/", May.SEE_PEOPLE),
    ("Messages", "/admin/messages/", May.SEE_PEOPLE),
    ("Services", "/admin/services/", May.OPERATE),
    ("Settings", "/admin/settings/", May.SEE),
)


@dataclass(frozen=True)
class NavItem:
    """One line of the navigation."""

    label: str
    href: str
    current: bool


def init(app: Flask) -> None:
    """Give the admin templates their frame; public pages never look at the session, for caches may keep them."""
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    who = access.find_current() if request.path.startswith("/admin") else None
    if who is None:
        return {}
    items = [NavItem(label, href, _is_here(href)) for label, href, what in ROOMS if who.may(what)]
    return {"signed_in": who, "nav": items}


def _is_here(href: str) -> bool:
    return request.path == href if href == "/admin/" else request.path.startswith(href.rstrip("/"))
