"""Ids: a prefix that says what it is, and a sortable base-32 body, fit for URLs, logs and mail addresses (STYLE §15).

Rows made one by one carry 48 bits of milliseconds and 80 random bits (26 characters). Messages are made by the
million in one statement, so their row number is the id and `message_id` spells it (13 characters).
"""

from __future__ import annotations

import re
import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]  # ten bits at a time
_SHAPE = re.compile(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{13,26}")
MESSAGE = "msg"


def encode(number: int, length: int) -> str:
    """`number` in base 32, padded to `length`, so that text order is number order."""
    letters = []
    for _ in range(length // 2):
        letters.append(_PAIRS[number & 1023])
        number >>= 10
    if length % 2:
        letters.append(ALPHABET[number & 31])
    letters.reverse()
    return "".join(letters)


def encode_16(number: int) -> str:
    """`encode` for 16 letters, of which a mail has four: in half the time."""
    two = _PAIRS
    return (
        f"{two[number >> 70]}{two[number >> 60 & 1023]}{two[number >> 50 & 1023]}{two[number >> 40 & 1023]}"
        f"{two[number >> 30 & 1023]}{two[number >> 20 & 1023]}{two[number >> 10 & 1023]}{two[number & 1023]}"
    )


def decode(body: str) -> int:
    """The number that `encode` spelled; ValueError on a letter outside the alphabet."""
    number = 0
    for letter in body:
        if letter not in _VALUE:
            raise ValueError(f"“{letter}” is not a letter of an id")
        number = number * 32 + _VALUE[letter]
    return number


def new(prefix: str) -> str:
    """A fresh id such as `con_01jd…`; later ids sort after earlier ones."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return f"{prefix}_{encode(number, 26)}"


def message_id(row: int) -> str:
    """The public id of message number `row`."""
    return f"{MESSAGE}_{encode(row, 13)}"


def message_row(message_id: str) -> int | None:
    """The row number that a public message id spells; None if it spells none."""
    prefix, _, body = message_id.partition("_")
    if prefix != MESSAGE or len(body) != 13 or not _SHAPE.fullmatch(message_id):
        return None
    row = decode(body)
    return row if 0 < row < 2**63 else None


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` has the shape of an id of this kind."""
    return text.startswith(prefix + "_") and _SHAPE.fullmatch(text) is not None
