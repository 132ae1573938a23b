"""Which blocks of a diff are told as one change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailer.policies.diff.model import DiffBlock, Kind


def changes_of(blocks: Iterable[DiffBlock]) -> list[list[DiffBlock]]:
    """The changed blocks, those of one change together, in the order of the first of each.

    The parts of a split or of a merge are one change; so is all renumbering; so is a row of a table, which comes with
    the cells that stand.
    """
    found = list(blocks)
    rows = changed_rows(found)
    groups: dict[tuple[str, int | str | None], list[DiffBlock]] = {}
    for block in found:
        if block.kind != "same" or block.row in rows:
            groups.setdefault(_key(block), []).append(block)
    return list(groups.values())


def changed_rows(blocks: Iterable[DiffBlock]) -> frozenset[int]:
    """The rows of tables in which a cell changed."""
    return frozenset(block.row for block in blocks if block.row is not None and block.kind != "same")


def first_of(group: Sequence[DiffBlock]) -> DiffBlock:
    """The block that a change is known by: its anchor, its place."""
    return next(block for block in group if block.kind != "same")


def kind_of(group: Sequence[DiffBlock]) -> Kind:
    """What happened: the same to all of it, or it changed."""
    kinds = {block.kind for block in group}
    return kinds.pop() if len(kinds) == 1 else "changed"


def _key(block: DiffBlock) -> tuple[str, int | str | None]:
    if block.row is not None:
        return "row", block.row
    match block.kind:
        case "split":
            return "split", block.from_index
        case "merged":
            return "merged", block.to_index
        case "renumbered":
            return "renumbered", None
    return block.kind, block.anchor or id(block)
