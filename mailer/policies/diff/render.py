"""A diff as people read it: plain text, old and new wordings for a mail, HTML. Each is a view of the operations."""

from dataclasses import dataclass
from typing import Literal

from mailer.policies.diff.compare import title_of
from mailer.policies.diff.marked import to_html
from mailer.policies.diff.model import Diff, DiffBlock, Kind, Op, Ops
from mailer.policies.diff.speech import REMARKS, counted, spoken

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
    if diff.is_empty:
        return "No words changed."
    changes = counted(len(diff.changes), "change")
    if not diff.words.removed and not diff.words.added:
        return f"{changes}, no words removed or added."
    return f"{changes}: {counted(diff.words.removed, 'word')} removed, {diff.words.added} added."


def wordings(diff: Diff) -> list[Wording]:
    """The old and new wording of each changed block, in reading order; link targets are told where they changed."""
    return [
        Wording(title_of(block), _WORDING_KINDS[block.kind], _wording(block.ops, "-"), _wording(block.ops, "+"))
        for block in diff.blocks
        if block.kind != "same"
    ]


def to_text(diff: Diff) -> str:
    """Plain text for terminals and the text part of a mail: heading path, remark, old wording, new wording."""
    told = [_block_text(block) for block in diff.blocks if block.kind != "same"]
    return "\n\n".join([summary_sentence(diff), *told]) + "\n"


def _wording(ops: Ops, side: Op) -> str:
    return "".join(spoken(op, text) for op, text in ops if op in ("=", side)).strip()


def _block_text(block: DiffBlock) -> str:
    lines = [" › ".join(block.path)] if block.path else []
    lines.append(f"[{REMARKS[block.kind]}]")
    old, new = _wording(block.ops, "-"), _wording(block.ops, "+")
    if block.kind == "moved" and block.old == block.new:
        return "\n".join([*lines, new])
    return "\n".join([*lines, *([f"Old: {old}"] if old else []), *([f"New: {new}"] if new else [])])
