"""Where an inbound mail stands on the way from the door to the desk, and who is answered."""

from __future__ import annotations

import re
from enum import StrEnum

from mailer.inbound.rules import MACHINE, Kind

NULL_PATH = "<>"  # kept as such: an empty sender is one that the door was not told
SUBJECT_LIMIT = 200
_AGAIN = re.compile(r"^(?:(?:re|aw|antw|sv)\s*:\s*)+", re.IGNORECASE)


class DeskState(StrEnum):
    """Kept as bytes; settled by the machine; waiting for a person; decided by a person."""

    KEPT = "kept"
    SETTLED = "settled"
    FOR_PERSON = "for_person"
    DECIDED = "decided"


def why_not_answered(kind: Kind, sender: str, auto: bool) -> str | None:
    """Why a mail gets no answer, in words; None if it may (invariant 11: our answers cannot loop).

    `auto` says that a machine may have sent it; that is not known of a mail that could not be read.
    """
    if kind in MACHINE or (auto and kind is not Kind.UNREADABLE):
        return "A machine may have sent this mail; automatic mail is never answered."
    if sender == NULL_PATH:
        return "This mail has a null return path: it asks for no answer, and an answer could loop."
    if kind is Kind.SPOOF:
        return "This mail may not be from the one it names; write to the person by another way."
    return None


def answer_subject(subject: str) -> str:
    """The subject of an answer: “Re:” once, one line of plain letters."""
    letters = "".join(letter if letter.isprintable() else " " for letter in subject)
    words = " ".join(_AGAIN.sub("", letters.replace("=?", "= ?").strip()).split())
    return f"Re: {words}"[:SUBJECT_LIMIT].rstrip()


def threadable(message_id: str) -> str:
    """A foreign Message-ID that may stand in a header of ours; empty if it holds anything that might not (TRAPS 2)."""
    plain = message_id.isascii() and message_id.isprintable() and "=?" not in message_id
    return message_id if plain and " " not in message_id else ""


def storable(text: str) -> str:
    """Text as both databases take it: no NUL, no lone surrogate."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
