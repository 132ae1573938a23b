"""Tables by their rows: a row is aligned as one, and its cells by their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from mailer.policies.diff.blocks import Block

ROW = "tr"
"""The kind of a block that stands for a whole row."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is aligned as one: a block, or a row of a table by all its cells. `members` are the blocks it stands for."""

    block: Block
    members: tuple[int, ...]
    cells: tuple[str, ...] = ()
    is_head: bool = False


def units_of(blocks: Sequence[Block]) -> list[Unit]:
    """The blocks of a text with the cells of each row as one."""
    found = []
    for row, run in groupby(enumerate(blocks), key=lambda each: each[1].row):
        members = list(run)
        if row is None:
            found += [Unit(block, (at,)) for at, block in members]
            continue
        cells = tuple(block.text for _, block in members)
        is_head = all(block.kind == "th" for _, block in members)
        whole = Block(ROW, " | ".join(cells), members[0][1].path, members[0][1].section)
        found.append(Unit(whole, tuple(at for at, _ in members), cells, is_head))
    return found


def cells_of(pairs: Iterable[Pair], old: Sequence[Unit], new: Sequence[Unit]) -> tuple[list[Pair], list[Pair]]:
    """The pairs of blocks that pairs of units stand for: those that keep their order, and those that changed columns.

    The columns are those of the table's head, found again by their titles where it has other ones now.
    """
    staying: list[Pair] = []
    crossing: list[Pair] = []
    heads = list(accumulate((at if unit.is_head else -1 for at, unit in enumerate(new)), max))
    columns: dict[int, Mapping[int, int]] = {}  # by the head they stand under in the new text
    for i, j in sorted(pairs, key=lambda pair: pair[1]):
        mine, theirs = old[i], new[j]
        if mine.is_head and theirs.is_head:
            columns[j] = _columns(mine.cells, theirs.cells)
        known = columns.get(heads[j], {})
        fits = known if _covers(known, mine, theirs) else _in_order(mine, theirs)
        reached = -1
        for b, a in sorted((to, at) for at, to in fits.items()):
            (staying if a > reached else crossing).append((mine.members[a], theirs.members[b]))
            reached = max(reached, a)
    return staying, crossing


def _columns(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Which old column is which new one: by equal titles, the rest in their order."""
    found = {
        old.index(title): at for at, title in enumerate(new) if title and old.count(title) == new.count(title) == 1
    }
    free = [at for at in range(len(new)) if at not in found.values()]
    left = [at for at in range(len(old)) if at not in found]
    return found | (dict(zip(left, free, strict=True)) if len(left) == len(free) else {})


def _in_order(old: Unit, new: Unit) -> dict[int, int]:
    return {at: at for at in range(min(len(old.members), len(new.members)))}


def _covers(columns: Mapping[int, int], old: Unit, new: Unit) -> bool:
    """Whether these columns are those of the two rows."""
    return bool(columns) and max(columns) < len(old.cells) and max(columns.values()) < len(new.cells)
