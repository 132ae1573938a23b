"""Which blocks of a diff are told as one change."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.policies.diff.model import DiffBlock


def changes_of(blocks: Iterable[DiffBlock]) -> list[list[DiffBlock]]:
    """The changed blocks, those of one change together, in the order of the first of each.

    The parts of a split or of a merge are one change; so is all renumbering.
    """
    groups: dict[tuple[str, int | str | None], list[DiffBlock]] = {}
    for block in blocks:
        if block.kind != "same":
            groups.setdefault(_key(block), []).append(block)
    return list(groups.values())


def _key(block: DiffBlock) -> tuple[str, int | str | None]:
    match block.kind:
        case "split":
            return "split", block.from_index
        case "merged":
            return "merged", block.to_index
        case "renumbered":
            return "renumbered", None
    return block.kind, block.anchor or id(block)
