"""A cheap look at a mail at the door, before anybody reads it: whose it is, whether it came before, how urgent it is.

Nothing here decides what a mail means, and nothing here fails: only byte searches in the header, linear in its size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from mailer.inbound import addresses

HEAD_LIMIT = 100 * 1024
NULL_PATH = "<>"
_IDENTITY = (b"from", b"date", b"subject")
_RECIPIENTS = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to", b"x-forwarded-to", b"to", b"cc")
_END = re.compile(rb"\r?\n\r?\n|\r\r")
_FIELD = re.compile(rb"^([!-9;-~]{1,60})[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE)
_MACHINE = {
    b"auto-submitted": re.compile(rb"(?!\s*no\b)\s*\S", re.IGNORECASE),
    b"precedence": re.compile(rb"\s*(?:bulk|junk|list|auto)", re.IGNORECASE),
    b"content-type": re.compile(rb"\s*multipart/report", re.IGNORECASE),
    b"return-path": re.compile(rb"\s*<\s*>"),
    b"list-id": re.compile(rb""),
    b"x-failed-recipients": re.compile(rb""),
    b"x-autoreply": re.compile(rb"(?!\s*no\b)", re.IGNORECASE),
    b"x-autorespond": re.compile(rb"(?!\s*no\b)", re.IGNORECASE),
    b"from": re.compile(rb".*\b(?:mailer-daemon|postmaster|no-?reply)@", re.IGNORECASE | re.DOTALL),
}


def twin(raw: bytes) -> str:
    """A digest that the same mail has on whatever way it came: not of what each server on the way wrote into it.

    Message-ID, From, Date, Subject and the text count, line ends and white space at the end apart. A Message-ID alone
    is not enough: whoever saw one could write another mail under it, and have ours thrown away as a repeat.
    """
    end = _END.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    found = dict(reversed(list(_fields(head))))
    if not found.get(b"message-id", b"").strip():
        return hashlib.sha256(raw).hexdigest()
    told = [b" ".join(found.get(name, b"").split()) for name in (b"message-id", *_IDENTITY)]
    text = body.replace(b"\r\n", b"\n").rstrip()
    return hashlib.sha256(b"\0".join([*told, text])).hexdigest()


def is_machine(raw: bytes, sender: str) -> bool:
    """Whether a mail has the look of one that a machine sent; such a mail is read after those of people."""
    if sender == NULL_PATH:
        return True
    return any(name in _MACHINE and _MACHINE[name].match(value) for name, value in _fields(_head(raw)))


def recipient(raw: bytes, ours: frozenset[str]) -> str:
    """The address of ours that a mail is to, by its own header, for a door without an envelope; empty if by none.

    `ours` are whole addresses, and domains that begin with `@`; what the last server wrote comes before what a
    sender did.
    """
    fields = list(_fields(_head(raw)))
    for wanted in _RECIPIENTS:
        for name, value in fields:
            if name != wanted:
                continue
            for address in addresses.find_all([value.decode("utf-8", "replace")]):
                if is_ours(address, ours):
                    return address
    return ""


def is_ours(address: str, ours: frozenset[str]) -> bool:
    """Whether an address is one of ours, by itself or by its domain."""
    lower = address.lower()
    return lower in ours or f"@{lower.rpartition('@')[2]}" in ours


def return_path(raw: bytes) -> str:
    """The envelope sender that the last server wrote down: `<>` for a null one, empty if it wrote none."""
    for name, value in _fields(_head(raw)):
        if name == b"return-path":
            found = addresses.find_all([value.decode("utf-8", "replace")])
            return found[0] if found else NULL_PATH if re.fullmatch(rb"\s*<\s*>\s*", value) else ""
    return ""


def _head(raw: bytes) -> bytes:
    end = _END.search(raw, 0, HEAD_LIMIT)
    return raw[: end.start()] if end else raw[:HEAD_LIMIT]


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Field names in lower case with their folded values, in their order, within the limit."""
    for found in _FIELD.finditer(head, 0, HEAD_LIMIT):
        yield found[1].lower(), found[2]
