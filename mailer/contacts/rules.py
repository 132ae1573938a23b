"""What a contact is, how an address, a language and a time zone are read, and who people are to us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from zoneinfo import available_timezones

import idna
from email_validator import EmailNotValidError, validate_email

from mailer.errors import Invalid

# a person, a file or a service may not smuggle a header into a mail (TRAPS 2): line ends, NUL, encoded-words
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|=\?")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u202a-\u202e\u2066-\u2069]")
NAME_LIMIT = 200
LOCALES = ("en", "nl")
NO_PLACES = frozenset({"Factory", "localtime"})  # a machine's own, among the zones of some systems


class Origin(StrEnum):
    """Whose data it is: who holds an account, who asked for newsletters, or whom a customer entered (S9)."""

    ACCOUNT_HOLDER = "account_holder"
    SUBSCRIBER = "subscriber"
    THIRD_PARTY = "third_party"


_RANK = {Origin.THIRD_PARTY: 0, Origin.SUBSCRIBER: 1, Origin.ACCOUNT_HOLDER: 2}


class BadAddress(Invalid):
    """A mail address that cannot be written to."""

    field = "email"


class BadText(Invalid):
    """A line of text that may not stand in a mail header."""


class UnknownLocale(Invalid):
    """A language that we do not write."""

    field = "locale"


class UnknownTimeZone(Invalid):
    """A time zone that is in no list."""

    field = "time_zone"


@dataclass(frozen=True)
class MailAddress:
    """An address as it is written and the key by which it is recognised."""

    email: str
    key: str


def read_address(text: str) -> MailAddress:
    """Check an address (RFC 5321 syntax, UTS 46 domain) and give its key: lower case, domain in ASCII."""
    trimmed = text.strip()
    if _INVISIBLE.search(trimmed):
        raise BadAddress(f"email: “{_shown(trimmed)}” holds an invisible character; type the address again.")
    if _UNFIT.search(trimmed):
        raise BadAddress(f"email: “{_shown(trimmed)}” holds characters that no address may have.")
    try:
        found = validate_email(
            trimmed, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
        domain = idna.encode(found.domain, uts46=True).decode()
    except (EmailNotValidError, idna.IDNAError, UnicodeError) as error:
        raise BadAddress(f"email: “{_shown(trimmed)}” is not a mail address ({str(error).rstrip('.')}).") from None
    return MailAddress(f"{found.local_part}@{domain}", f"{found.local_part.lower()}@{domain}")


def read_line(text: str, field: str, limit: int = NAME_LIMIT) -> str:
    """One line of text that is safe in a header: no line ends, no NUL, no `=?`."""
    trimmed = text.strip(" ")
    if _UNFIT.search(trimmed):
        raise BadText(
            f"{field}: “{_shown(trimmed)}” holds a line end or “=?”; write plain text on one line.", field=field
        )
    if len(trimmed) > limit:
        raise BadText(f"{field}: {len(trimmed)} characters are too many; {limit} fit.", field=field)
    return trimmed


def read_locale(text: str) -> str:
    """One of our languages from `nl`, `nl-NL` or `nl_NL`; empty for empty text, which says nothing."""
    language = text.strip().lower().replace("_", "-").partition("-")[0]
    if language and language not in LOCALES:
        raise UnknownLocale(f"locale: “{_shown(text)}” is not one of {', '.join(LOCALES)}; leave it empty for English.")
    return language


def read_time_zone(text: str) -> str:
    """A time zone by its name in the IANA list, as `Europe/Amsterdam`; empty for empty text, which says nothing."""
    wanted, known = text.strip(), _time_zones()
    if not wanted:
        return ""
    found = known.get(wanted.lower())
    if found is None:
        places = [name for name in known if "/" in name]  # what is named otherwise is an old, fixed offset
        near = get_close_matches(wanted.lower(), places, 1) or ["europe/amsterdam"]
        raise UnknownTimeZone(
            f"time_zone: “{_shown(text)}” is not in the IANA list of time zones; write a name like {known[near[0]]}, "
            "or leave it empty for the company’s own."
        )
    return found


def stronger(one: Origin, other: Origin) -> Origin:
    """Of two origins the one that gives the person more of a relation of their own; an upsert never weakens it."""
    return max(one, other, key=_RANK.__getitem__)


def first_name(name: str) -> str:
    """How a mail greets: the first word of the name."""
    return name.split(" ", 1)[0] if name else ""


@lru_cache(maxsize=1)
def _time_zones() -> dict[str, str]:
    """The names of all time zones by their small letters; the longest has 32."""
    return {name.lower(): name for name in sorted(available_timezones() - NO_PLACES)}


def _shown(text: str) -> str:
    return text.encode("unicode_escape").decode()[:80]
