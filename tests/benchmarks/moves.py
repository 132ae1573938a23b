"""Synthetic moves: a paragraph of a real text put 6 to 11 blocks away, one of its words changed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailer.policies.diff import Diff, diff

FEWEST_LETTERS = 60
FEWEST_BLOCKS = 24
NEW_WORD = "quadrilateral"
_PLAIN = re.compile(r"[A-Z][^\n|<\[{*_`]*")
_WHOLE_WORD = re.compile(r"(?<![\w'’.-])[a-z]{5,12}(?![\w'’-])")


@dataclass(frozen=True)
class Move:
    """A text, the same text with a paragraph moved, and the word in it that gave way to `NEW_WORD`."""

    old: str
    new: str
    word: str


def moves(texts: Sequence[str], a_text: int = 4, seed: int = 7) -> Iterator[Move]:
    """Up to `a_text` moves in each of the texts that are long enough, the same at every run."""
    chance = random.Random(seed)
    for text in texts:
        blocks = [block for block in re.split(r"\n[ \t]*\n+", text) if block.strip()]
        movable = [at for at, block in enumerate(blocks) if _is_movable(block) and blocks.count(block) == 1]
        if len(blocks) < FEWEST_BLOCKS or not movable:
            continue
        for at in chance.sample(movable, min(a_text, len(movable))):
            yield from _move(text, blocks, at, chance)


def is_found(move: Move, found: Diff) -> bool:
    """The paragraph is shown as moved, and inside it the changed word and nothing else."""
    moved = [block for block in found.blocks if block.kind == "moved" and NEW_WORD in block.new]
    if len(moved) != 1:
        return False
    changed = [(op, text.strip(" .,;:")) for op, text in moved[0].ops if op != "="]
    return changed == [("-", move.word), ("+", NEW_WORD)]


def share_found(texts: Sequence[str]) -> tuple[int, int]:
    """How many of the synthetic moves are found, and how many there are."""
    made = list(moves(texts))
    return sum(is_found(move, diff(move.old, move.new)) for move in made), len(made)


def _move(text: str, blocks: Sequence[str], at: int, chance: random.Random) -> Iterator[Move]:
    away = chance.choice([6, 7, 8, 9, 10, 11]) * chance.choice([-1, 1])
    to = at + away if 0 <= at + away < len(blocks) else at - away
    words = [word for word in _WHOLE_WORD.findall(blocks[at]) if blocks[at].count(word) == 1]
    if not words or not 0 <= to < len(blocks):
        return
    word = chance.choice(words)
    rest = [*blocks[:at], *blocks[at + 1 :]]
    rest.insert(to, re.sub(rf"\b{word}\b", NEW_WORD, blocks[at]))
    yield Move("\n\n".join(blocks), "\n\n".join(rest), word)


def _is_movable(block: str) -> bool:
    return len(block) >= FEWEST_LETTERS and _PLAIN.fullmatch(block) is not None
