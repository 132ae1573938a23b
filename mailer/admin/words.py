"""What every template may say: dates in the company's words, addresses of static files, who the company is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from babel.dates import format_date, format_time
from flask import Flask
from jinja2 import StrictUndefined

from mailer import clock, places, settings

POLICY_URL = "/policies"


@dataclass(frozen=True)
class Company:
    """Who writes."""

    name: str
    address: str
    policy_url: str = POLICY_URL


def init(app: Flask) -> None:
    """Give the templates their filters and globals; a name that nobody set is an error, not a blank."""
    app.jinja_env.undefined = StrictUndefined
    for said in (local_day, local_time, utc_iso, spoken, first_sentence):
        app.jinja_env.filters[said.__name__] = said
    now = settings.current()
    app.jinja_env.globals.update(static_url=static_url, company=Company(now.company_name, now.company_address))


def local_day(value: date | datetime, lang: str = "en") -> str:
    """`Tue 24 November 2026`, in the company's zone."""
    day = clock.local_day(value, settings.current().zone) if isinstance(value, datetime) else value
    return format_date(day, "EEE d MMMM y", locale=lang)


def local_time(value: datetime) -> str:
    """`14:05`, in the company's zone."""
    return format_time(value.astimezone(settings.current().zone), "HH:mm", locale="en")


def utc_iso(value: datetime) -> str:
    """`2026-11-24T13:05:00Z`."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def spoken(value: object) -> str:
    """A word of ours as people write it: `hard_bounce` is “hard bounce”."""
    return str(value).replace("_", " ")


def first_sentence(text: str) -> str:
    """What a long text says first, as a title."""
    return text.split(". ", 1)[0].rstrip(".")


@lru_cache(maxsize=256)
def static_url(name: str) -> str:
    """The address of a static file; it changes with the file, so that it may be kept for a year."""
    digest = hashlib.sha256((places.STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"
