"""Where a text holds words that need an answer, for highlighting them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.policies.advice import lexicon, measures
from mailer.policies.advice.model import Cue

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")

Span = tuple[int, int, Cue]


def spans(text: str) -> list[Span]:
    """The cue words of a text in their order, none inside another: the first wins, then the longest."""
    plain = text.replace("’", "'")
    found: list[Span] = []
    for start, end, cue in sorted(_all(plain), key=lambda span: (span[0], -span[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end, cue))
    return found


def _all(text: str) -> Iterator[Span]:
    for match in measures.PERIOD.finditer(text):
        yield match.start(), match.end(), Cue.PERIOD
    for pattern in (measures.AMOUNT, measures.NUMBER):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), Cue.NUMBER
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if lexicon.is_negation(word):
            yield match.start(), match.end(), Cue.NEGATION
        elif lexicon.is_modal(word):
            yield match.start(), match.end(), Cue.MODAL
    for cue, pattern in lexicon.THEME_WORDS.items():
        for match in pattern.finditer(text):
            yield match.start(), match.end(), cue
