"""Numbers in front of headings, clauses and items: which of them only count, so that a change of one is no news."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailer.policies.diff.blocks import CELLS, HEADINGS, Block

MOST_DIGITS = 3
"""A longer number in front of words is a year or an amount."""

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


def is_renumbering(old: Block, new: Block, old_leads: frozenset[Lead], new_leads: frozenset[Lead]) -> bool:
    """Whether the two differ in the number before the same words alone, and that number only counts.

    It counts if it is marked as a number of clauses is, or stands in a heading, and the number before it or after it
    stands before another block of the same text. “30 days”, “2025” and what is in a table are never a count.
    """
    if CELLS & {old.kind, new.kind}:
        return False
    mine, theirs = _LEAD.match(old.text), _LEAD.match(new.text)
    if mine is None or theirs is None or mine[0] == theirs[0] or not old.text[mine.end() :].strip():
        return False
    if old.text[mine.end() :] != new.text[theirs.end() :]:
        return False
    if not (_is_marked(mine, old) and _is_marked(theirs, new)):
        return False
    return any(
        _is_counted(lead, leads) for block, leads in ((old, old_leads), (new, new_leads)) for lead in _leads(block)
    )


def _is_marked(lead: re.Match[str], block: Block) -> bool:
    """Written as the number of a clause, not as a quantity or a year."""
    if len(lead["last"]) > MOST_DIGITS:
        return False
    return bool(lead["opens"] or lead["stem"] or lead["closes"] or block.kind in HEADINGS)


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
