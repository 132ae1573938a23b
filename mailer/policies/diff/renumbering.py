"""Numbers in front of headings, clauses and items: which of them only count, so that a change of one is no news."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailer.policies.diff.blocks import Block

_LEAD = re.compile(
    r"""(?ix)
    (?P<opens> \(? (?:§\ ?|(?:art(?:icle|ikel)?\.?|section|clause|chapter|hoofdstuk|lid|abschnitt|ziffer)\ )? )
    (?P<stem> (?:\d+\.)* ) (?P<last> \d+ | [ivxlc]+ | [a-z] ) (?P<closes> [.):]* ) (?=\s)
    """
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


class Lead(NamedTuple):
    """The number before a block's words: its place in a count, the same style for all that are counted together."""

    kind: str
    style: str
    place: int


def leads_of(blocks: Sequence[Block]) -> frozenset[Lead]:
    """Every number that stands before a block's words; what may be a letter or a Roman number counts as both."""
    return frozenset(lead for block in blocks for lead in _leads(block))


def is_renumbering(old: Block, new: Block, leads: frozenset[Lead]) -> bool:
    """Whether the two differ in the number before the same words alone, and that number is one of a count.

    `leads` are those of both texts. “30 days” is no count unless 29 or 31 stands before some other block.
    """
    mine, theirs = _LEAD.match(old.text), _LEAD.match(new.text)
    if mine is None or theirs is None or mine[0] == theirs[0] or not old.text[mine.end() :].strip():
        return False
    if old.text[mine.end() :] != new.text[theirs.end() :]:
        return False
    return any(_is_counted(lead, leads) for block in (old, new) for lead in _leads(block))


def _is_counted(lead: Lead, leads: frozenset[Lead]) -> bool:
    return any(lead._replace(place=lead.place + step) in leads for step in (1, -1))


def _leads(block: Block) -> list[Lead]:
    found = _LEAD.match(block.text)
    if found is None:
        return []
    style = f"{found['opens']}{found['stem']}#{found['closes']}".lower()
    last = found["last"].lower()
    if last.isdigit():
        return [Lead(block.kind, style, int(last))]
    places = [_of_roman(last)] if set(last) <= set(_ROMAN) else []
    marks = [Lead(block.kind, f"{style} roman", place) for place in places]
    return [*marks, Lead(block.kind, f"{style} letter", ord(last))] if len(last) == 1 else marks


def _of_roman(letters: str) -> int:
    values = [_ROMAN[letter] for letter in letters]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
