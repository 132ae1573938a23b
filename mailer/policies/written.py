"""What people write and upload, read into what is kept; each fault is one sentence that names the field."""

from __future__ import annotations

import re
from collections.abc import Collection

from mailer.contacts.rules import Origin
from mailer.errors import Invalid

TEXT_BYTES = 500_000
WORDS_LIMIT = 4_000
RESERVED_SLUGS = frozenset({"drafts", "new", "preview", "versions"})  # words of our own addresses
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class EmptyText(Invalid):
    """A policy without words."""

    field = "text"


class BadText(Invalid):
    """Words that cannot be kept or shown."""

    field = "text"


class TextTooLarge(BadText):
    """A policy too long to be compared and mailed."""

    status = 413


class BadPolicy(Invalid):
    """A policy's own facts cannot be right."""


def read_text(data: bytes | str, field: str = "text") -> str:
    """A policy's text as it is kept: UTF-8, no byte order mark, lines ended by LF, one at the end."""
    if len(data) > TEXT_BYTES:
        raise TextTooLarge(
            f"{field}: {len(data):,} bytes are too many; {TEXT_BYTES:,} fit. Split the policy in two.", field=field
        )
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadText(
                f"{field}: it is not UTF-8 (byte {error.start + 1} is no letter); save it as UTF-8 and try again.",
                field=field,
            ) from None
    text = data.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _refuse_unfit(text, field)
    if not text.strip():
        raise EmptyText(
            f"{field}: the policy has no words; write or choose the text that people will live under.", field=field
        )
    return text.strip("\n") + "\n"


def read_words(text: str, field: str) -> str:
    """What staff say about a change: plain text with LF line ends, trimmed."""
    trimmed = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    _refuse_unfit(trimmed, field)
    if len(trimmed) > WORDS_LIMIT:
        raise BadText(f"{field}: {len(trimmed):,} characters are too many; {WORDS_LIMIT:,} fit.", field=field)
    return trimmed


def read_slug(text: str) -> str:
    """A policy's name in addresses, such as `privacy-statement`."""
    slug = text.strip()
    if not _SLUG.fullmatch(slug) or len(slug) > 80 or slug in RESERVED_SLUGS:
        raise BadPolicy(
            f"slug: “{slug[:80]}” will not do; use small letters, digits and hyphens, like privacy-statement.",
            field="slug",
        )
    return slug


def read_concerns(origins: Collection[str]) -> list[str]:
    """The origins that a policy binds, in a fixed order."""
    unknown = sorted(set(origins) - {origin.value for origin in Origin})
    if unknown or not origins:
        known = ", ".join(origin.value for origin in Origin)
        fault = f"“{unknown[0]}” is not a kind of people" if unknown else "nobody is concerned"
        raise BadPolicy(f"concerns: {fault}; choose from {known}.", field="concerns")
    return [origin.value for origin in Origin if origin.value in origins]


def _refuse_unfit(text: str, field: str) -> None:
    found = _UNFIT.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise BadText(
            f"{field}: line {line} holds the control character U+{ord(found[0]):04X}; remove it.", field=field
        )
