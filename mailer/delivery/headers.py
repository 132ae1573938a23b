"""Header values: text as encoded-words, mailboxes, and a look at whatever came from elsewhere (TRAPS 1, 2).

Only what stands here folds a line, so that no value can.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email.utils import getaddresses
from typing import TypeVar

from mailer.errors import Invalid

LINE_LIMIT = 998  # RFC 5322 §2.1.1
PLAIN_LIMIT = 240  # longer text is folded, as encoded-words
WORD_LIMIT = 75  # of one encoded-word, its marks included (RFC 2047 §2)
WORD_LINE_LIMIT = 76  # of a line that holds one
FOLD = "\r\n "
_MARKS = len("=?utf-8?q??=")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9._:\[\]-]+")
# what may stand for itself in a word of a name as well as of a subject (RFC 2047 §5 (3)); a blank is an underscore
_OWN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
_IN_Q = ["_" if byte == 0x20 else chr(byte) if byte in _OWN_LETTERS else f"={byte:02X}" for byte in range(256)]
T = TypeVar("T", str, bytes)


class UnsafeHeader(Invalid):
    """A value that would have put a line of its own into the header (TRAPS 2)."""


def text(value: str, header: str, field: str = "") -> str:
    """A person's words as a header holds them: plain, or folded into encoded-words."""
    if is_plain(value):
        return value
    if _CONTROL.search(value):
        where = field or header
        raise UnsafeHeader(
            f"{where}: the value holds a line end or a control character; write plain text on one line.", field=where
        )
    return FOLD.join(encoded_words(value, WORD_LINE_LIMIT - len(f"{header}: ")))


def is_plain(value: str) -> bool:
    """Whether a header can hold a text as it is, and its reader gets the same text back."""
    is_visible = value.isascii() and value.isprintable() and value.strip(" ") == value
    return is_visible and len(value) <= PLAIN_LIMIT and "=?" not in value


def mailbox(name: str, email: str, header: str) -> str:
    """`name <email>` as a header holds it; the address alone if there is no name."""
    address(email)
    if not name:
        return email
    words = text(name, header, "name")
    if words is name:
        return f"{name if _ATOMS.fullmatch(name) else _in_quotes(name)} <{email}>"
    last_line = f"{header}: {words}".rpartition("\n")[2]
    blank = " " if len(f"{last_line} <{email}>") <= WORD_LINE_LIMIT else FOLD
    return f"{words}{blank}<{email}>"


def address(email: str) -> str:
    """A mail address that can stand in a header and in the envelope; empty if the person is erased."""
    if email and ("=?" in email or not _ADDRESS.fullmatch(email)):
        raise UnsafeHeader("email: the address holds a character that no header may have.", field="email")
    return email


def sender(mailbox_: str) -> tuple[str, str]:
    """The name and the address of whoever a mail comes from."""
    found = getaddresses([mailbox_])
    if len(found) != 1 or not found[0][1] or _CONTROL.search(mailbox_):
        raise UnsafeHeader(
            "sender: it is not a name and a mail address on one line; write it like Example <service@example.com>.",
            field="sender",
        )
    return found[0][0], address(found[0][1])


def matching(value: str, name: str, pattern: re.Pattern[str]) -> str:
    """A value of the form that its header `name` wants, short enough for a line."""
    if not pattern.fullmatch(value) or len(name) + len(value) + 2 > LINE_LIMIT:
        raise UnsafeHeader(
            f"{name}: the value holds a character that this header cannot have, or is too long for a line.", field=name
        )
    return value


def encoded_words(value: str, first_line: int) -> list[str]:
    """RFC 2047 words for a text, B or Q, whichever is shorter; none splits a character, each fits on a line of its own.

    `first_line` is how many characters the first of the lines has room for.
    """
    first, room = min(first_line, WORD_LIMIT) - _MARKS, WORD_LIMIT - _MARKS
    raw = value.encode()
    whole = _quoted(raw)
    if len(whole) <= (len(raw) + 2) // 3 * 4:
        runs = [whole] if len(whole) <= first else _runs([_quoted(letter.encode()) for letter in value], first, room)
        return [f"=?utf-8?q?{''.join(run)}?=" for run in runs]
    in_b = [letter.encode() for letter in value]
    return [f"=?utf-8?b?{b64encode(b''.join(run)).decode()}?=" for run in _runs(in_b, first // 4 * 3, room // 4 * 3)]


def _runs(letters: list[T], first: int, room: int) -> Iterator[list[T]]:
    """Letters in runs of which the first is at most `first` long, each other at most `room`."""
    begin, size = 0, 0
    for place, letter in enumerate(letters):
        if size + len(letter) > first:
            yield letters[begin:place]
            begin, size, first = place, 0, room
        size += len(letter)
    yield letters[begin:]


def _in_quotes(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(raw: bytes) -> str:
    return "".join([_IN_Q[byte] for byte in raw])
