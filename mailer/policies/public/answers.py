"""How the public doors of policies read an address and answer: caching, validators, the language asked for."""

from __future__ import annotations

from datetime import date, datetime

from flask import Response, request

from mailer import clock, settings
from mailer.errors import Invalid
from mailer.policies import languages
from mailer.policies.models import Policy, Version
from mailer.policies.queries import Shelf

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"  # a release shows at once (S6); an unchanged page costs a 304


class BadDay(Invalid):
    """Not a date."""

    field = "as_of"


class BadNumber(Invalid):
    """Not the number of a version."""


def answer(page: str | Response, caching: str, changed_at: datetime | None = None) -> Response:
    """A page with a strong ETag of its bytes, or 304 if the reader has it; `changed_at` becomes Last-Modified."""
    response = Response(page, content_type="text/html; charset=utf-8") if isinstance(page, str) else page
    response.headers["Cache-Control"] = caching
    response.add_etag()
    if changed_at is not None:
        response.last_modified = changed_at
    response.make_conditional(request)
    return response


def for_any_site(response: Response) -> Response:
    """Public facts, for the scripts and pages of any site."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def lasting(shelf: Shelf, *shown: Version) -> str:
    """Kept for ever once nothing more can happen to what is shown: a pending version may still be withdrawn."""
    return FOREVER if all(shelf.is_settled(version, today()) for version in shown) else ASK_AGAIN


def today() -> date:
    """The present day in the company's zone."""
    return clock.local_day(clock.now(), settings.current().zone)


def asked_language(policy: Policy) -> str:
    """The language of `?lang=`, that of the policy itself if none is asked for."""
    asked = request.args.get("lang", "")
    return languages.read_language(asked) if asked else policy.language


def read_day(text: str) -> date:
    """A date like 2027-01-31."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(f"as_of: “{text[:40]}” is not a date; write it as year-month-day, like 2027-01-31.") from None


def read_number(text: str) -> int:
    """The number of a version."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise BadNumber(f"“{text[:40]}” is not the number of a version; versions are counted 1, 2, 3.")
    return int(text)
