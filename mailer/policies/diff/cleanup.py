"""What makes a word diff readable: changes that hardly anything keeps apart become one."""

from collections.abc import Sequence
from typing import NamedTuple

from mailer.policies.diff.cues import STOP_WORDS, is_precious
from mailer.policies.diff.tokens import Token

ISLAND_WORDS = 2
"""Longer stretches between two changes always stand."""
ISLAND_TOKENS = 3
FLANK = 2
"""An island of any words goes under if each change beside it has this many words for each of its own."""
REWRITTEN = 0.5
"""Where less than this share of the words stands, one word beside an island for each of its own is enough."""


class Span(NamedTuple):
    """A stretch of both wordings: equal, or one in place of the other."""

    equal: bool
    old: tuple[int, int]
    new: tuple[int, int]


def without_islands(spans: Sequence[Span], old: Sequence[Token], new: Sequence[Token]) -> list[Span]:
    """Joins changes that a mark, one or two stop words, or a word between long changes keep apart.

    A negation, number, date, modal verb or link target that both wordings have is never joined in.
    """
    flank = 1 if _share_that_stands(spans, old, new) < REWRITTEN else FLANK
    kept: list[Span] = []
    for at, span in enumerate(spans):
        before, after = kept[-1] if kept else None, spans[at + 1] if at + 1 < len(spans) else None
        if not before:
            kept.append(span)
        elif span.equal == before.equal or (after and span.equal and _goes_under(span, before, after, old, new, flank)):
            kept[-1] = _joined(before, span)
        else:
            kept.append(span)
    return kept


def _share_that_stands(spans: Sequence[Span], old: Sequence[Token], new: Sequence[Token]) -> float:
    standing = sum(token.is_word for span in spans if span.equal for token in old[slice(*span.old)])
    words = sum(token.is_word for token in [*old, *new])
    return 2 * standing / words if words else 1.0


def _goes_under(span: Span, before: Span, after: Span, old: Sequence[Token], new: Sequence[Token], flank: int) -> bool:
    between = old[slice(*span.old)]
    if len(between) > ISLAND_TOKENS or any(is_precious(token.text) for token in between):
        return False
    words = [token.text.lower() for token in between if token.is_word]
    if len(words) > ISLAND_WORDS or not _replaces(before, after):
        return False
    needed = 1 if STOP_WORDS.issuperset(words) else flank
    return min(_words(before, old, new), _words(after, old, new)) >= needed * len(words)


def _words(span: Span, old: Sequence[Token], new: Sequence[Token]) -> int:
    return sum(token.is_word for token in [*old[slice(*span.old)], *new[slice(*span.new)]])


def _replaces(before: Span, after: Span) -> bool:
    """Something goes and something comes: a pure insertion must not be made to look like a removal."""
    removed = before.old[0] < before.old[1] or after.old[0] < after.old[1]
    added = before.new[0] < before.new[1] or after.new[0] < after.new[1]
    return removed and added


def _joined(left: Span, right: Span) -> Span:
    return Span(False, (left.old[0], right.old[1]), (left.new[0], right.new[1]))
