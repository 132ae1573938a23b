"""Where paragraphs stand: a whole section may move, but none of its paragraphs may change its section unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from mailer.policies.diff import Diff, DiffBlock
from mailer.policies.diff.blocks import HEADINGS


def displaced_blocks(found: Diff) -> Iterator[DiffBlock]:
    """What stands in another place without its section: the first paragraph of each group that left one heading for
    another, both of which still stand, and whatever moved while its heading did not.
    """
    old_head = _heads(found.blocks, "from_index")
    new_head = _heads(found.blocks, "to_index")
    kept = {block.from_index: block.to_index for block in found.blocks if _is_kept(block) and block.block in HEADINGS}
    moved = {block.to_index for block in found.blocks if block.kind == "moved" and block.block in HEADINGS}
    told: set[tuple[int, int]] = set()
    for block in found.blocks:
        if not _is_kept(block) or block.block in HEADINGS:
            continue
        before, after = old_head[block.from_index or 0], new_head[block.to_index or 0]
        is_displaced = before in kept and after in kept.values() and kept[before] != after
        is_alone = block.kind == "moved" and after not in moved
        if (is_displaced and (before, after) not in told) or is_alone:
            told.add((before, after))
            yield block


def _is_kept(block: DiffBlock) -> bool:
    return block.from_index is not None and block.to_index is not None


def _heads(blocks: Sequence[DiffBlock], side: str) -> dict[int, int]:
    """The heading that each block stands under in one of the texts, both by their index there; -1 above the first."""
    index_of = attrgetter(side)
    head, heads = -1, {}
    for block in sorted((block for block in blocks if index_of(block) is not None), key=index_of):
        if block.block in HEADINGS:
            head = index_of(block)
        heads[index_of(block)] = head
    return heads
