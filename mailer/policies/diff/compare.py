"""From two Markdown texts to their `Diff`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailer.policies.diff.align import Alignment, align
from mailer.policies.diff.blocks import HEADINGS, Block, blocks, canonical, without_targets
from mailer.policies.diff.groups import changes_of, first_of, kind_of
from mailer.policies.diff.model import Change, Diff, DiffBlock, Kind, Op, Ops, WordCount
from mailer.policies.diff.renumbering import is_renumbering, leads_of
from mailer.policies.diff.speech import counted, excerpt
from mailer.policies.diff.tokens import count_words
from mailer.policies.diff.words import Budget, squeezed, whole, word_ops

TITLE_WORDS = 8
REWRITTEN_BELOW = 0.15
"""Where less than this share of the longer text's words stands, both texts are told whole."""
FEWEST_REPEATED = 12
"""Letters from which a removed block whose words still stand elsewhere is called a repetition."""
FEWEST_REWRITTEN = 30
"""Words that both texts must have before one is said to be rewritten."""

_REWRITTEN = Change("The whole text", "changed", "change-1")


def diff(old_markdown: str, new_markdown: str) -> Diff:
    """What changed between two policy texts, for people; the same texts give an empty diff."""
    old, new = blocks(old_markdown), blocks(new_markdown)
    compared = _named_duplicates(_Comparison(old, new).blocks(), new)
    words = _count(compared, old, new)
    is_rewritten = _is_rewritten(words)
    if is_rewritten:
        compared = [*(_gone(old[i], i) for i in range(len(old))), *(_come(new[j], j) for j in range(len(new)))]
        words = replace(words, removed=words.old, added=words.new)
    anchored = tuple(_anchored(compared))
    changes = (_REWRITTEN,) if is_rewritten else tuple(_changes(anchored))
    found = Diff(anchored, changes, words, exact=False, is_rewritten=is_rewritten)
    return replace(found, exact=found.old_text == canonical(old) and found.new_text == canonical(new))


class _Comparison:
    """The blocks of both texts in reading order, each with its operations."""

    def __init__(self, old: Sequence[Block], new: Sequence[Block]) -> None:
        self._old, self._new = old, new
        self._budget = Budget()
        self._leads = leads_of(old), leads_of(new)
        self._aligned = align(old, new)
        self._partner = {j: i for i, j in [*self._aligned.pairs, *self._aligned.moves]}
        self._moved = {j for _, j in self._aligned.moves}
        self._split = {parts[0]: (pair, parts) for pair, parts in self._aligned.splits.items()}
        self._kept_old = _old_blocks_in_place(self._aligned)
        self._inside_split = {part for parts in self._aligned.splits.values() for part in parts[1:]}

    def blocks(self) -> list[DiffBlock]:
        found: list[DiffBlock] = []
        done = 0  # old blocks before this one are told
        for j in range(len(self._new)):
            if j in self._inside_split:
                continue
            i = self._place_in_old(j)
            if i is not None:
                found += self._removed(done, i)
                done = max(done, i + 1)
            told = list(self._at(j))
            done = max([done, *(each.from_index + 1 for each in told if each.from_index is not None and i is not None)])
            found += told
        return found + list(self._removed(done, len(self._old)))

    def _place_in_old(self, j: int) -> int | None:
        if j in self._split:
            return self._split[j][0][0]
        i = self._partner.get(j)
        if i is None or j in self._moved:
            return None
        return min(self._aligned.merges.get((i, j), [i]))

    def _removed(self, start: int, end: int) -> list[DiffBlock]:
        return [self._removed_one(i) for i in range(start, end) if i not in self._kept_old]

    def _removed_one(self, i: int) -> DiffBlock:
        """A removed block; a cell keeps to its row, if that is still there."""
        gone = _gone(self._old[i], i)
        return gone if gone.row is None else replace(gone, row=self._aligned.rows.get(-1 - gone.row, gone.row))

    def _at(self, j: int) -> Iterator[DiffBlock]:
        new = self._new[j]
        if j in self._split:
            (i, _), parts = self._split[j]
            texts = [self._new[part].text for part in parts]
            ops = word_ops(self._old[i].text, " ".join(texts), self._budget)
            for part, cut in zip(parts, cut_ops(ops, texts, "-"), strict=True):
                yield _block("split", self._new[part], cut, i, part)
            return
        i = self._partner.get(j, -1)
        if i < 0:
            yield _come(new, j)
        elif (i, j) in self._aligned.merges:
            parts = self._aligned.merges[i, j]
            texts = [self._old[part].text for part in parts]
            ops = word_ops(" ".join(texts), new.text, self._budget)
            for part, cut in zip(parts, cut_ops(ops, texts, "+"), strict=True):
                yield _block("merged", new, cut, part, j)
        else:
            yield self._pair(i, j)

    def _pair(self, i: int, j: int) -> DiffBlock:
        old, new = self._old[i], self._new[j]
        is_moved = j in self._moved
        ordinals = _ordinals(old, new)
        if old.text == new.text:
            levels = (old.depth, new.depth) if old.depth != new.depth else None
            kind: Kind = "moved" if is_moved else "changed" if levels else "renumbered" if ordinals else "same"
            return replace(_block(kind, new, whole("=", new.text), i, j), ordinals=ordinals, levels=levels)
        ops = word_ops(old.text, new.text, self._budget)
        kind = "moved" if is_moved else "renumbered" if is_renumbering(old, new, *self._leads) else "changed"
        return replace(_block(kind, new, ops, i, j), ordinals=ordinals)


def cut_ops(ops: Ops, texts: Sequence[str], whole_side: Op) -> list[Ops]:
    """Operations against `texts` joined by spaces, one list a text; `whole_side` (`-` or `+`) is the other text's.

    A space between two texts that the whole has is an operation of the whole alone, at the end of the first part.
    """
    cuts: list[list[tuple[Op, str]]] = [[]]
    left = len(texts[0])
    for op, text in ops:
        if op == whole_side:
            cuts[-1].append((op, text))
            continue
        while len(text) > left and len(cuts) < len(texts):
            cuts[-1].append((op, text[:left]))
            if op == "=":
                cuts[-1].append((whole_side, text[left]))
            text = text[left + 1 :]
            cuts.append([])
            left = len(texts[len(cuts) - 1])
        cuts[-1].append((op, text))
        left -= len(text)
    return [squeezed(cut) for cut in cuts]


def _old_blocks_in_place(aligned: Alignment) -> set[int]:
    merged = (i for parts in aligned.merges.values() for i in parts)
    return {*(i for i, _ in aligned.pairs), *(i for i, _ in aligned.moves), *merged}


def _block(kind: Kind, block: Block, ops: Ops, i: int | None, j: int | None) -> DiffBlock:
    return DiffBlock(kind, block.path, block.kind, ops, i, j, section=block.section, row=block.row, column=block.column)


def _gone(block: Block, i: int) -> DiffBlock:
    """A removed block; the rows of the old text are counted below zero."""
    gone = _block("removed", block, whole("-", block.text), i, None)
    return gone if gone.row is None else replace(gone, row=-1 - gone.row)


def _come(block: Block, j: int) -> DiffBlock:
    return _block("added", block, whole("+", block.text), None, j)


def _ordinals(old: Block, new: Block) -> tuple[int, int] | None:
    """The numbers of an item that has another one now."""
    if old.ordinal is None or new.ordinal is None or old.ordinal == new.ordinal:
        return None
    return old.ordinal, new.ordinal


def _is_rewritten(words: WordCount) -> bool:
    """Nearly nothing of either text stands."""
    standing = min(words.old - words.removed, words.new - words.added)
    return min(words.old, words.new) >= FEWEST_REWRITTEN and standing < REWRITTEN_BELOW * max(words.old, words.new)


def _named_duplicates(found: Sequence[DiffBlock], new: Sequence[Block]) -> list[DiffBlock]:
    """Tells a removal whose words still stand elsewhere apart from one that takes them away."""
    standing = {block.text for block in new}
    return [
        replace(block, kind="duplicate_removed")
        if block.kind == "removed" and len(block.old) >= FEWEST_REPEATED and block.old in standing
        else block
        for block in found
    ]


def _anchored(found: Sequence[DiffBlock]) -> Iterator[DiffBlock]:
    number = 0
    for block in found:
        if block.kind == "same":
            yield block
        else:
            number += 1
            yield replace(block, anchor=f"change-{number}")


def _changes(found: Sequence[DiffBlock]) -> Iterator[Change]:
    """One line a change, in reading order."""
    for told in changes_of(found):
        first = first_of(told)
        if first.kind == "renumbered":
            yield _renumbering(told)
        else:
            title = title_of(first) if first.row is None else _title_of_row(told)
            yield Change(title, kind_of(told), first.anchor)


def _title_of_row(cells: Sequence[DiffBlock]) -> str:
    """What a row of a table is called: the first words in it, and the column where just one cell of more changed."""
    label = next((text for cell in cells if (text := excerpt(cell.new or cell.old, TITLE_WORDS))), "")
    changed = [cell for cell in cells if cell.kind != "same"]
    column = changed[0].column if len(changed) == 1 and len(cells) > 1 and changed[0] is not cells[0] else ""
    return " › ".join(filter(None, (label, column)))


def _renumbering(found: Sequence[DiffBlock]) -> Change:
    """The one remark on all headings and clauses that only have another number now."""
    headings = sum(block.block in HEADINGS for block in found)
    clauses = len(found) - headings
    told = [counted(n, noun) for n, noun in ((headings, "heading"), (clauses, "clause")) if n]
    title = title_of(found[0]) if len(found) == 1 else f"{' and '.join(told)} renumbered"
    return Change(title, "renumbered", found[0].anchor, headings, clauses)


def title_of(block: DiffBlock) -> str:
    """What a person calls the place: the heading it is or stands under, else its first words."""
    if block.block not in HEADINGS and block.path:
        return block.path[-1]
    words = without_targets(block.new or block.old).split()
    return " ".join(words[:TITLE_WORDS]) + (" …" if len(words) > TITLE_WORDS and block.block not in HEADINGS else "")


def _count(found: Sequence[DiffBlock], old: Sequence[Block], new: Sequence[Block]) -> WordCount:
    shown = {"-": 0, "+": 0}
    for block in found:
        for op, text in block.ops:
            if op != "=":
                shown[op] += count_words(text)
    return WordCount(
        shown["-"], shown["+"], sum(count_words(b.text) for b in old), sum(count_words(b.text) for b in new)
    )
