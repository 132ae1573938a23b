"""What a comparison yields: values only, every view is a rendering of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

CANONICAL_VERSION = 2
"""Of the form of texts stated in `mailer.policies.diff`; two diffs compare only if made under one."""

Op = Literal["=", "-", "+"]
Ops = tuple[tuple[Op, str], ...]
Kind = Literal["same", "changed", "added", "removed", "moved", "split", "merged", "duplicate_removed", "renumbered"]


@dataclass(frozen=True, slots=True)
class DiffBlock:
    """One block of either text, at its place in the new text, a removed one after what preceded it in the old.

    `from_index` and `to_index` count the blocks of the old and the new text. The parts of a split block share one
    `from_index`, those of a merged block one `to_index`. `anchor` is empty where nothing changed. `section` is the id
    of the section it stands in, in the text it is of. `ordinals` are the numbers that its item of an ordered list had
    and has, where they differ; `levels` in how many lists it stood and stands, where that is all that changed. The
    cells of one row of a table have the same `row`; `column` is the title of theirs.
    """

    kind: Kind
    path: tuple[str, ...]
    block: str
    ops: Ops
    from_index: int | None
    to_index: int | None
    anchor: str = ""
    section: str = ""
    ordinals: tuple[int, int] | None = None
    levels: tuple[int, int] | None = None
    row: int | None = None
    column: str = ""

    @property
    def old(self) -> str:
        """Its old wording, empty if it was not there."""
        return "".join(text for op, text in self.ops if op != "+")

    @property
    def new(self) -> str:
        """Its new wording, empty if it is gone."""
        return "".join(text for op, text in self.ops if op != "-")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the list of changes. `headings` and `items` count what a remark on renumbering stands for."""

    title: str
    kind: Kind
    anchor: str
    headings: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True)
class WordCount:
    """Words shown as removed and added, and words in all of each text."""

    removed: int
    added: int
    old: int
    new: int


@dataclass(frozen=True)
class Diff:
    """The operations that lead from one text to the other, and what a reader is told of them.

    The old text is recovered by taking the blocks that have a `from_index` in its order, joining the `=` and `-`
    runs of blocks with the same index, and putting an empty line between indices; the new text likewise from
    `to_index`, `=` and `+`. `exact` says that both were recovered to the letter.
    """

    blocks: tuple[DiffBlock, ...]
    changes: tuple[Change, ...]
    words: WordCount
    exact: bool
    is_rewritten: bool = False

    @property
    def is_empty(self) -> bool:
        """No word changed and no block moved."""
        return not self.changes

    @cached_property
    def old_text(self) -> str:
        """The canonical old text, recovered."""
        return recover((block.from_index, block.old) for block in self.blocks)

    @cached_property
    def new_text(self) -> str:
        """The canonical new text, recovered."""
        return recover((block.to_index, block.new) for block in self.blocks)

    def as_json(self) -> dict[str, Any]:
        """The contract of `mailer policy diff-files --format json`."""
        return {
            "blocks": [
                {
                    "kind": block.kind,
                    "path": list(block.path),
                    "block": block.block,
                    "ops": [[op, text] for op, text in block.ops],
                    "from": block.from_index,
                    "to": block.to_index,
                }
                for block in self.blocks
            ],
            "changes": [{"title": each.title, "kind": each.kind, "anchor": each.anchor} for each in self.changes],
            "words": {
                "removed": self.words.removed,
                "added": self.words.added,
                "old": self.words.old,
                "new": self.words.new,
            },
            "exact": self.exact,
            "rewritten": self.is_rewritten,
            "canonical": CANONICAL_VERSION,
        }


def recover(parts: Iterable[tuple[int | None, str]]) -> str:
    """One side's text from (index, text) parts: parts of one index run on, an empty line stands between indices."""
    texts: dict[int, str] = {}
    for index, text in parts:
        if index is not None:
            texts[index] = texts.get(index, "") + text
    return "\n\n".join(texts[index] for index in sorted(texts))
