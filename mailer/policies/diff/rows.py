"""Tables by their rows: a row is aligned as one, and its cells by their columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from mailer.policies.diff.blocks import Block

ROW = "tr"
"""The kind of a block that stands for a whole row."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is aligned as one: a block, or a row of a table by all its cells. `members` are the blocks it stands for."""

    block: Block
    members: tuple[int, ...]

    @property
    def is_head(self) -> bool:
        return self.block.section == "th"


def units_of(blocks: Sequence[Block]) -> list[Unit]:
    """The blocks of a text with the cells of each row as one."""
    found = []
    for row, run in groupby(enumerate(blocks), key=lambda each: each[1].row):
        cells = list(run)
        if row is None:
            found += [Unit(block, (at,)) for at, block in cells]
        else:
            text = " | ".join(block.text for _, block in cells)
            kind = "th" if all(block.kind == "th" for _, block in cells) else "td"
            found.append(Unit(Block(ROW, text, cells[0][1].path, kind), tuple(at for at, _ in cells)))
    return found


def cells_of(
    pairs: Iterable[Pair], old: Sequence[Unit], new: Sequence[Unit], texts: tuple[Sequence[Block], ...]
) -> tuple[list[Pair], list[Pair]]:
    """The pairs of blocks that pairs of units stand for: those that keep their order, and those that changed columns.

    The columns are those of the table's head, found again by their titles where it has other ones now.
    """
    staying: list[Pair] = []
    crossing: list[Pair] = []
    columns: dict[int, int] = {}
    widths = (0, 0)
    for i, j in sorted(pairs, key=lambda pair: pair[1]):
        mine, theirs = old[i].members, new[j].members
        if old[i].block.kind != ROW:
            staying.append((mine[0], theirs[0]))
            continue
        if new[j].is_head and old[i].is_head:
            columns = _columns([texts[0][at].text for at in mine], [texts[1][at].text for at in theirs])
            widths = (len(mine), len(theirs))
        fits = (
            columns
            if (len(mine), len(theirs)) == widths
            else dict(zip(*map(range, map(len, (mine, theirs))), strict=False))
        )
        reached = -1
        for a, b in sorted(fits.items(), key=lambda column: column[1]):
            (staying if a > reached else crossing).append((mine[a], theirs[b]))
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
