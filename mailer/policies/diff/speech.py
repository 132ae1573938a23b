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
    "split": "Split in two",
    "merged": "Joined from two",
    "duplicate_removed": "Repetition removed; the same words stand elsewhere",
    "renumbered": "Renumbered",
}


def spoken(op: Op, text: str) -> str:
    """Canonical text for readers: an unchanged target goes without saying, a changed one is said in words."""
    return TARGET.sub("" if op == "=" else _target_in_words, text)


def _target_in_words(match: re.Match[str]) -> str:
    lead = " " if match[0].startswith(" ") else ""
    return f"{lead}(link to {match[1] or 'nothing'})"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
