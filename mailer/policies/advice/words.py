"""What differs between the words of a sentence before and after, and what the difference touches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mailer.policies.advice import lexicon, measures
from mailer.policies.advice.writing import is_same_word, names_in, normal_words
from mailer.policies.diff.cues import STOP_WORDS
from mailer.policies.diff.tokens import Token

COMPARED_WORDS = 1_500
"""A longer sentence is no sentence; it is compared as a whole."""


@dataclass(frozen=True, slots=True)
class Side:
    """The words of one side of a sentence, in one string, and the spans of those that the other side lacks."""

    words: Sequence[str]
    changed: frozenset[int]

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def lone(self) -> list[str]:
        """The words that the other side lacks."""
        return [self.words[at] for at in sorted(self.changed)]

    @property
    def runs(self) -> list[list[str]]:
        """The same, those that stand together in one list."""
        found: list[list[str]] = []
        for at in sorted(self.changed):
            if at - 1 in self.changed:
                found[-1].append(self.words[at])
            else:
                found.append([self.words[at]])
        return found

    @property
    def content(self) -> list[str]:
        """Those of them that carry meaning."""
        return content(self.lone)

    def touched(self, pattern: re.Pattern[str]) -> list[str]:
        """What the pattern finds here with a changed word in it."""
        spans = self._spans()
        return [
            match[0]
            for match in pattern.finditer(self.text)
            if any(start < match.end() and end > match.start() for start, end in spans)
        ]

    def _spans(self) -> list[tuple[int, int]]:
        spans, at = [], 0
        for place, word in enumerate(self.words):
            if place in self.changed:
                spans.append((at, at + len(word)))
            at += len(word) + 1
        return spans


def content(found: Iterable[str]) -> list[str]:
    """The words that carry meaning."""
    return [word for word in found if word not in STOP_WORDS and word not in lexicon.WEIGHTLESS]


def sides(old: Sequence[Token], new: Sequence[Token]) -> tuple[Side, Side]:
    """Both sides of a sentence; words that only are written otherwise are no change."""
    before, after = normal_words(old), normal_words(new)
    gone, come = _differences(before, after, names_in(old) | names_in(new))
    return Side(before, frozenset(gone)), Side(after, frozenset(come))


def is_repeated(side: Side) -> bool:
    """Every lone word stands twice in a row."""
    return bool(side.changed) and all(
        side.words[at] in (*side.words[max(at - 1, 0) : at], *side.words[at + 1 : at + 2]) for at in side.changed
    )


def negations(words: Iterable[str]) -> int:
    """How often a sentence is turned round or narrowed."""
    return sum(lexicon.is_negation(word) for word in words)


def forces(words: Iterable[str]) -> Counter[str]:
    """How often each force of modal verbs stands in a sentence."""
    return Counter(filter(None, map(lexicon.force_of, words)))


def measured(side: Side, pattern: re.Pattern[str]) -> list[str]:
    """The numbers, periods or amounts of a side, in their order."""
    return [match[0] for match in pattern.finditer(side.text)]


def moves_limit(side: Side) -> bool:
    """A word came or went that moves the end of a period named in the sentence."""
    return any(word in measures.LIMITS for word in side.lone) and measures.PERIOD.search(side.text) is not None


def _differences(old: Sequence[str], new: Sequence[str], names: Collection[str]) -> tuple[set[int], set[int]]:
    if max(len(old), len(new)) > COMPARED_WORDS:
        return set(range(len(old))), set(range(len(new)))
    gone: set[int] = set()
    come: set[int] = set()
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal" or _is_same(old[i:i_end], new[j:j_end], names):
            continue
        gone |= set(range(i, i_end))
        come |= set(range(j, j_end))
    return gone, come


def _is_same(old: Sequence[str], new: Sequence[str], names: Collection[str]) -> bool:
    """The same words, each perhaps spelled otherwise, or parted otherwise."""
    if "".join(old) == "".join(new):
        return not any(lexicon.is_negation(word) or lexicon.is_modal(word) for word in (*old, *new))
    return len(old) == len(new) and all(
        is_same_word(before, after, is_name=before in names or after in names)
        for before, after in zip(old, new, strict=True)
    )
