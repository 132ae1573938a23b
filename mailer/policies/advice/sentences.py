"""The sentences that a change touches, each with its words before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mailer.policies.diff.model import DiffBlock, Op
from mailer.policies.diff.tokens import Token, tokens

ENDS = frozenset(".!?")
SHORTEST = 2
"""Words that a sentence has at least; a full stop after one alone is that of a number."""

_ADDRESS = re.compile(r"(?:https?://|www\.)|[^@\s]+@[^@\s]+\.[a-z]", re.IGNORECASE)


@dataclass(frozen=True)
class Sentence:
    """Tokens of one sentence, each kept, removed or added; `title` names its section, `block` is what it stands in."""

    runs: Sequence[tuple[Op, Token]]
    title: str
    anchor: str
    block: str
    is_whole: bool
    """Whether all of its paragraph, item or cell came or went."""

    @property
    def old(self) -> list[Token]:
        """Its words until now, without link targets and addresses."""
        return [token for op, token in self.runs if op != "+" and not is_address(token)]

    @property
    def new(self) -> list[Token]:
        """Its words from now on, without link targets and addresses."""
        return [token for op, token in self.runs if op != "-" and not is_address(token)]

    @cached_property
    def is_added(self) -> bool:
        """Nothing of it stood there before."""
        return not any(op != "+" and token.is_word for op, token in self.runs)

    @cached_property
    def is_removed(self) -> bool:
        """Nothing of it is left."""
        return not any(op != "-" and token.is_word for op, token in self.runs)

    @property
    def is_touched(self) -> bool:
        return any(op != "=" and token.text.strip() for op, token in self.runs)


def is_address(token: Token) -> bool:
    """A link's target, a URL or a mail address."""
    return token.text.startswith("⟨") or _ADDRESS.match(token.text) is not None


def spelled(found: Iterable[Token]) -> str:
    """Tokens as text again."""
    return "".join((" " if token.space else "") + token.text for token in found).strip()


def lone_words(sentence: Sentence, side: Op) -> str:
    """What one side of a sentence has alone, as text; a gap stands for what both have."""
    parts: list[list[Token]] = [[]]
    for op, token in sentence.runs:
        if op == side and not is_address(token):
            parts[-1].append(token)
        elif op == "=" and parts[-1]:
            parts.append([])
    return " … ".join(filter(None, map(spelled, parts)))


def sentences(blocks: Sequence[DiffBlock], title: str) -> list[Sentence]:
    """The touched sentences of one change; `blocks` are its parts if it is a split or a merge."""
    block = blocks[0]
    is_whole = block.kind in ("added", "removed")
    found = (Sentence(runs, title, block.anchor, block.block, is_whole) for runs in _cut(_tokens(blocks)))
    return [sentence for sentence in found if sentence.is_touched]


def _tokens(blocks: Sequence[DiffBlock]) -> Iterator[tuple[Op, Token]]:
    for block in blocks:
        for op, text in block.ops:
            for token in tokens(text):
                yield op, token


def _cut(runs: Iterable[tuple[Op, Token]]) -> Iterator[list[tuple[Op, Token]]]:
    """A sentence ends at its mark where both texts end it, or where it belongs to one text alone."""
    sentence: list[tuple[Op, Token]] = []
    for op, token in runs:
        if sentence and _is_ended(sentence) and (token.space or not token.text.strip()):
            yield sentence
            sentence = []
        sentence.append((op, token))
    if sentence:
        yield sentence


def _is_ended(sentence: Sequence[tuple[Op, Token]]) -> bool:
    op, last = sentence[-1]
    if last.text not in ENDS or sum(token.is_word for _, token in sentence) < SHORTEST:
        return False
    return op == "=" or all(other == op for other, token in sentence if token.text.strip())
