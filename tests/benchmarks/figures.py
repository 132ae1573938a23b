"""What makes a diff good for a reader, as numbers: how much it shows, how torn it is, what it cuts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from mailer.policies.diff import Diff
from tests.benchmarks.engines import Ops, joined

SMALL = range(1, 61)
"""A change of so many words, counted as a bag, is a small one."""
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_WORD = re.compile(
    rf"⟨[^⟩]*⟩|https?://[^\s⟩]*[^\s⟩.,;:!?()\[\]'\"’”]|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|\d{{1,2}} (?:{_MONTHS})\b(?:,? \d{{4}}\b)?|(?:{_MONTHS}) \d{{1,2}}\b(?:, \d{{4}}\b)?"
    r"|\d+(?:[.,:/-]\d+)*(?![\w-])|[^\W_]+(?:['’.&/-][^\W_]+)*"
)


def words(text: str) -> list[str]:
    """The words of a canonical text, and what is never cut: a number, date, address or URL counts as one.

    A link's target, which is told in a sentence of its own, is no word.
    """
    return [word for word in _WORD.findall(text) if word[0] != "⟨"]


def changed_as_a_bag(old: str, new: str) -> int:
    """The words that one text has more often than the other, wherever they stand: no diff can show less."""
    mine, theirs = Counter(words(old)), Counter(words(new))
    return ((mine - theirs) + (theirs - mine)).total()


def shown(ops: Sequence[tuple[str, str]]) -> int:
    """The words that a reader sees as removed or added."""
    return sum(len(words(text)) for op, text in ops if op != "=")


def islands(ops: Sequence[tuple[str, str]]) -> int:
    """Unchanged stretches of one or two words between two changes: they make a reader stumble."""
    marked = list(ops)
    return sum(1 for at in range(1, len(marked) - 1) if marked[at][0] == "=" and 1 <= len(words(marked[at][1])) <= 2)


def cuts(ops: Sequence[tuple[str, str]]) -> list[str]:
    """The words, numbers, dates, addresses and URLs of either text that an operation ends inside of."""
    found: list[str] = []
    for side in "-+":
        mine = [(op, text) for op, text in ops if op in ("=", side)]
        text = "".join(text for _, text in mine)
        edges, at = set(), 0
        for (op, part), (next_op, _) in pairwise(mine):
            at += len(part)
            if op != next_op:
                edges.add(at)
        found += [m[0] for m in _WORD.finditer(text) if edges & set(range(m.start() + 1, m.end()))]
    return found


def ops_of(found: Diff) -> Ops:
    """A diff as one run of operations in reading order, an empty line between blocks."""
    ops: Ops = []
    for block in found.blocks:
        ops += [*block.ops, ("=", "\n\n")]
    return joined(ops)


def is_round_trip(found: Diff, old: str, new: str) -> bool:
    """Both canonical texts come back from the JSON alone, by the rule of its contract."""
    return found.exact and _side(found, "-") == old and _side(found, "+") == new


def _side(found: Diff, op: str) -> str:
    texts: dict[int, str] = {}
    for block in found.as_json()["blocks"]:
        index = block["from" if op == "-" else "to"]
        if index is not None:
            texts[index] = texts.get(index, "") + "".join(text for mark, text in block["ops"] if mark in ("=", op))
    return "\n\n".join(texts[index] for index in sorted(texts))
