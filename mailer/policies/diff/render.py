"""A diff as people read it: plain text, old and new wordings for a mail, HTML. Each is a view of the operations."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailer.policies.diff.groups import changes_of, first_of, kind_of
from mailer.policies.diff.marked import to_html
from mailer.policies.diff.model import Diff, DiffBlock, Kind, Op, Ops, recover
from mailer.policies.diff.speech import REMARKS, excerpt, spoken
from mailer.policies.diff.tongues import ENGLISH

__all__ = ["Wording", "WordingKind", "summary_sentence", "to_html", "to_text", "wordings"]

WordingKind = Literal["changed", "added", "removed", "moved"]

_WORDING_KINDS: dict[Kind, WordingKind] = {
    "changed": "changed",
    "renumbered": "changed",
    "split": "changed",
    "merged": "changed",
    "added": "added",
    "removed": "removed",
    "duplicate_removed": "removed",
    "moved": "moved",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The old and the new wording of one changed block; one of them is empty if it was added or removed."""

    title: str
    kind: WordingKind
    old: str
    new: str


def summary_sentence(diff: Diff) -> str:
    """The whole diff in a sentence: "3 changes: 12 words removed, 18 added."."""
    return ENGLISH.sentence(diff)


def wordings(diff: Diff) -> list[Wording]:
    """The old and new wording of each change, in reading order; link targets are told where they changed.

    Two texts that have nearly nothing in common have one wording each: all of it.
    """
    if diff.is_rewritten:
        return [Wording(diff.changes[0].title, "changed", _plain(diff.old_text), _plain(diff.new_text))]
    return [
        Wording(change.title, _WORDING_KINDS[kind_of(blocks)], *_sides(blocks))
        for change, blocks in zip(diff.changes, changes_of(diff.blocks), strict=True)
    ]


def to_text(diff: Diff) -> str:
    """Plain text for terminals and the text part of a mail: heading path, remark, old wording, new wording."""
    return "\n\n".join([summary_sentence(diff), *map(_change_text, changes_of(diff.blocks))]) + "\n"


def to_mail(diff: Diff) -> str:
    """The text of a mail: each change by its title, with its old and its new wording indented below."""
    told = [
        "\n".join([w.title, *(textwrap.indent(f"{label}\n{text}", "  ") for label, text in _labelled(w) if text)])
        for w in wordings(diff)
    ]
    return "\n\n".join([summary_sentence(diff), *told]) + "\n"


def _labelled(wording: Wording) -> list[tuple[str, str]]:
    if wording.old == wording.new:
        return [("Moved, its words are the same:", wording.new)]
    return [("Until now:", wording.old), ("From now on:", wording.new)]


def _sides(blocks: Sequence[DiffBlock]) -> tuple[str, str]:
    """The old and the new wording of one change."""
    if blocks[0].kind == "renumbered":
        return _numbered(blocks, 0), _numbered(blocks, 1)
    if blocks[0].row is not None:
        return _cells(blocks, "-"), _cells(blocks, "+")
    old = recover((block.from_index, _wording(block.ops, "-")) for block in blocks)
    new = recover((block.to_index, _wording(block.ops, "+")) for block in blocks)
    return old.strip(), new.strip()


def _cells(cells: Sequence[DiffBlock], side: Op) -> str:
    """A row of a table on one line; empty if it has no words."""
    words = [_wording(cell.ops, side) or "–" for cell in cells if cell.kind != ("added" if side == "-" else "removed")]
    return " | ".join(words) if any(word != "–" for word in words) else ""


def _numbered(blocks: Sequence[DiffBlock], side: Literal[0, 1]) -> str:
    """Each renumbered place by its number and first words, on a line of its own."""
    return "\n".join(
        (f"{block.ordinals[side]}. " if block.ordinals else "") + excerpt((block.old, block.new)[side])
        for block in blocks
    )


def _wording(ops: Ops, side: Op) -> str:
    return "".join(spoken(op, text) for op, text in ops if op in ("=", side))


def _plain(text: str) -> str:
    return spoken("=", text)


def _change_text(blocks: Sequence[DiffBlock]) -> str:
    first, kind = first_of(blocks), kind_of(blocks)
    lines = [" › ".join(first.path)] if first.path and kind != "renumbered" else []
    lines.append(f"[{REMARKS[kind]}]")
    if first.levels and kind == "changed":
        return "\n".join([*lines, ENGLISH.level_change(first.levels), first.new])
    old, new = _sides(blocks)
    if kind == "moved" and old == new:
        return "\n".join([*lines, new])
    return "\n".join([*lines, *([f"Old: {old}"] if old else []), *([f"New: {new}"] if new else [])])
