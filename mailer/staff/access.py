"""Who is at the door of the admin pages, and what they may do there (S12).

A session says `<id>.<epoch>`; a changed password or an ended account raises the epoch, and every older session is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, cast

from flask import Flask, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from mailer.db import reading
from mailer.errors import NotAllowed
from mailer.staff import queries, rules
from mailer.staff.models import Staff
from mailer.staff.rules import May, Role

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


@dataclass(frozen=True)
class SignedIn:
    """Somebody who signed in, as Flask-Login wants to see them."""

    id: str
    name: str
    email: str
    roles: tuple[Role, ...]
    must_change: bool
    epoch: int
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return f"{self.id}.{self.epoch}"

    def may(self, what: May) -> bool:
        return rules.may(self.roles, what)


def init(app: Flask) -> None:
    """Teach the app to know its staff."""
    manager = LoginManager(app)
    manager.user_loader(_load)


def enter(staff: Staff, *, keep: bool) -> None:
    """Begin a session; `keep` lets it outlive the browser."""
    session.clear()
    login_user(_seen(staff), remember=keep)
    if is_kept() and not keep:
        session["_remember"] = "clear"  # Flask-Login's word for: drop the cookie that somebody else left here


def leave() -> None:
    """End this session, the kept one included."""
    session.clear()
    logout_user()


def is_kept() -> bool:
    """Whether this session was asked to outlive the browser."""
    return current_app.config["REMEMBER_COOKIE_NAME"] in request.cookies


def find_current() -> SignedIn | None:
    """Who signed in; None for a stranger."""
    return cast(SignedIn, current_user._get_current_object()) if current_user.is_authenticated else None


def current_staff() -> SignedIn:
    """Who signed in; only behind `needs`."""
    found = find_current()
    if found is None:
        raise NotAllowed("Sign in first.")
    return found


def needs(what: May, *, even_before_change: bool = False) -> Callable[[View[P]], View[P]]:
    """Guard an admin page: strangers sign in first, a first password is changed first, and the role must grant it."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = find_current()
            if who is None:
                return _go(url_for("staff.sign_in", next=_wanted()))
            if who.must_change and not even_before_change:
                return _go(url_for("staff.password"))
            if not who.may(what):
                raise NotAllowed(
                    f"Your role ({', '.join(who.roles)}) does not include this; an operator can change that."
                )
            return view(*args, **kwargs)

        cast(Any, guarded).needs = what
        return guarded

    return guard


def _load(said: str) -> SignedIn | None:
    staff_id, _, epoch = said.partition(".")
    with reading() as db:
        staff = queries.find(db, staff_id)
    if staff is None or staff.disabled_at is not None or str(staff.epoch) != epoch:
        return None
    return _seen(staff)


def _seen(staff: Staff) -> SignedIn:
    roles = tuple(Role(role) for role in staff.roles)
    return SignedIn(staff.id, staff.name, staff.email, roles, staff.must_change, staff.epoch)


def _wanted() -> str | None:
    """The page to go on to; a form that was sent is not sent again."""
    wanted = request.full_path.rstrip("?")
    return wanted if request.method == "GET" and rules.is_local_path(wanted) and wanted != "/admin/" else None


def _go(where: str) -> ResponseReturnValue:
    if "HX-Request" in request.headers:  # a fragment cannot be a sign-in page: let the whole page go there
        return "", 204, {"HX-Redirect": where}
    return redirect(where, 303)
