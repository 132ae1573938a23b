"""How a diff's operations are put into words, the same in every view."""

import re

from mailer.policies.diff.blocks import TARGET
from mailer.policies.diff.model import Kind, Op

REMARKS: dict[Kind, str] = {
    "same": "Unchanged",
    "changed": "Changed",
    "added": "Added",
    "removed": "Removed",
    "moved": "Moved",
    "split": "Split into several",
    "merged": "Joined from several",
    "duplicate_removed": "Repetition removed; the same words stand elsewhere",
    "renumbered": "Renumbered",
}


def spoken(op: Op, text: str, link_to: str = "link to {}", nothing: str = "nothing") -> str:
    """Canonical text for readers: an unchanged target goes without saying, a changed one is said in words."""

    def in_words(match: re.Match[str]) -> str:
        lead = " " if match[0].startswith(" ") else ""
        return f"{lead}({link_to.format(match[1] or nothing)})"

    return TARGET.sub("" if op == "=" else in_words, text)


def excerpt(text: str, words: int = 10) -> str:
    """The first words of canonical text, without link targets."""
    found = TARGET.sub("", text).split()
    return " ".join(found[:words]) + (" …" if len(found) > words else "")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
