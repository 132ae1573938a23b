"""Which block of the new text stands for which of the old: exact anchors, then likeness, then moves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mailer.policies.diff.blocks import HEADINGS, Block
from mailer.policies.diff.chain import heaviest_chain
from mailer.policies.diff.rows import ROW, Unit, cells_of, units_of
from mailer.policies.diff.tokens import tokens

WHOLE = HEADINGS | {ROW}
"""Kinds that are never split or merged."""
STRONG = 0.6
"""From this likeness on two blocks are one, wherever they stand."""
NEARLY = 0.9
"""A block of a few words is part of another if this share of its letters is in it."""
WEAK = 0.3
"""From this likeness on two blocks are one if they stand in the same gap."""
SHORT = 40
"""Letters up to which a block in the place of another of its kind is taken for its rewording."""
MOVABLE = 24
"""Letters from which a reworded block is worth calling moved."""
WORTH_TELLING = 16
"""Letters that the parts of a split or merge must have in common with the whole, beside the part that is its pair."""

WORD_LETTERS = 8

_RARE = 12
_SMALL_GAP = 400
_CANDIDATES = 6

Pair = tuple[int, int]


@dataclass
class Alignment:
    """`pairs` increase on both sides, `moves` do not fit among them; a block stands in one pair at most.

    `splits` gives all the new blocks of a pair whose old one holds them, `merges` all the old blocks of a pair whose
    new one holds them. `rows` leads from a row of the old text's tables to the one it is in the new.
    """

    pairs: list[Pair]
    moves: list[Pair]
    splits: dict[Pair, list[int]] = field(default_factory=dict)
    merges: dict[Pair, list[int]] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)


class Bags:
    """The words of blocks with their letters, counted once; a long date or address weighs no more than a word."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._bags: dict[int, dict[str, int]] = {}

    def __getitem__(self, index: int) -> dict[str, int]:
        if index not in self._bags:
            words = (token.text.lower() for token in tokens(self._blocks[index].text) if token.is_word)
            self._bags[index] = {word: count * min(len(word), WORD_LETTERS) for word, count in Counter(words).items()}
        return self._bags[index]


def align(old: Sequence[Block], new: Sequence[Block]) -> Alignment:
    """Aligns two texts, tables by their rows; the work is bounded by the rarity of the words that make candidates."""
    mine, theirs = units_of(old), units_of(new)
    found = _align([unit.block for unit in mine], [unit.block for unit in theirs])
    pairs, crossing = cells_of(found.pairs, mine, theirs)
    moved = [pair for side in cells_of(found.moves, mine, theirs) for pair in side]
    return Alignment(
        pairs,
        sorted([*crossing, *moved], key=lambda pair: pair[1]),
        {_first(pair, mine, theirs): [theirs[j].members[0] for j in parts] for pair, parts in found.splits.items()},
        {_first(pair, mine, theirs): [mine[i].members[0] for i in parts] for pair, parts in found.merges.items()},
        {
            _row(old, mine[i]): _row(new, theirs[j])
            for i, j in [*found.pairs, *found.moves]
            if mine[i].block.kind == ROW
        },
    )


def _first(pair: Pair, old: Sequence[Unit], new: Sequence[Unit]) -> Pair:
    return old[pair[0]].members[0], new[pair[1]].members[0]


def _row(blocks: Sequence[Block], unit: Unit) -> int:
    row = blocks[unit.members[0]].row
    assert row is not None
    return row


def _align(old: Sequence[Block], new: Sequence[Block]) -> Alignment:
    pairs = _exact_anchors(*([(block.text, block.kind == ROW) for block in side] for side in (old, new)))
    bags = Bags(old), Bags(new)
    free_old, free_new = _free(pairs, len(old), len(new))
    strong = [
        (i, j, alike)
        for i, j in _candidates(old, new, free_old, free_new, bags)
        if (alike := likeness(old[i], new[j], bags[0][i], bags[1][j])) >= STRONG
    ]
    pairs = _extend(pairs, strong, bags[0], len(old), len(new))
    moves = _moves(pairs, strong, old, new, bags[0])
    pairs = _extend(pairs, _weak(pairs, moves, old, new, bags), bags[0], len(old), len(new))
    splits, merges = _parts(pairs, moves, old, new, bags)
    taken = [(i, -1) for parts in merges.values() for i in parts] + [
        (-1, j) for parts in splits.values() for j in parts
    ]
    return Alignment(sorted(pairs + _reworded(pairs, [*moves, *taken], old, new)), moves, splits, merges)


def likeness(mine: Block, theirs: Block, bag: dict[str, int], other: dict[str, int]) -> float:
    """Common letters over all letters, 0 to 1; a heading is never like a paragraph unless it says the same."""
    if mine.text == theirs.text and (mine.kind == ROW) == (theirs.kind == ROW):
        return 1.0
    if (mine.kind in HEADINGS) != (theirs.kind in HEADINGS) or (mine.kind == ROW) != (theirs.kind == ROW):
        return 0.0
    total = sum(bag.values()) + sum(other.values())
    return 2 * common_letters(bag, other) / total if total else 0.0


def common_letters(bag: dict[str, int], other: dict[str, int]) -> int:
    """The letters of the words that both hold."""
    if len(bag) > len(other):
        bag, other = other, bag
    return sum(min(letters, other.get(word, 0)) for word, letters in bag.items())


def _exact_anchors(old: Sequence[tuple[str, bool]], new: Sequence[tuple[str, bool]]) -> list[Pair]:
    """Equal blocks in order: those that stand once on each side, grown over their equal neighbours."""
    mine, theirs = Counter(old), Counter(new)
    place = {text: j for j, text in enumerate(new) if theirs[text] == 1}
    unique = [(i, place[text], len(text[0]) + 1) for i, text in enumerate(old) if mine[text] == 1 and text in place]
    edges = [(-1, -1), *heaviest_chain(unique), (len(old), len(new))]
    found = edges[1:-1]
    for (i, j), (to_i, to_j) in pairwise(edges):
        while i + 1 < to_i and j + 1 < to_j and old[i + 1] == new[j + 1]:
            i, j = i + 1, j + 1
            found.append((i, j))
        while to_i - 1 > i and to_j - 1 > j and old[to_i - 1] == new[to_j - 1]:
            to_i, to_j = to_i - 1, to_j - 1
            found.append((to_i, to_j))
    return sorted(found)


def _free(pairs: Iterable[Pair], old_size: int, new_size: int) -> tuple[list[int], list[int]]:
    taken = list(pairs)
    mine, theirs = {i for i, _ in taken}, {j for _, j in taken}
    return [i for i in range(old_size) if i not in mine], [j for j in range(new_size) if j not in theirs]


def _candidates(
    old: Sequence[Block],
    new: Sequence[Block],
    free_old: Sequence[int],
    free_new: Sequence[int],
    bags: tuple[Bags, Bags],
) -> set[Pair]:
    """Pairs worth a look: all if they are few, else the same text or several rare words in common."""
    if len(free_old) * len(free_new) <= _SMALL_GAP:
        return {(i, j) for i in free_old for j in free_new}
    holders: dict[str, list[int]] = defaultdict(list)
    same: dict[str, list[int]] = defaultdict(list)
    for j in free_new:
        same[new[j].text].append(j)
        for word in bags[1][j]:
            holders[word].append(j)
    seen: Counter[str] = Counter()
    found: set[Pair] = set()
    for i in free_old:
        equal = same.get(old[i].text, [])
        nth = seen[old[i].text]
        seen[old[i].text] += 1
        found.update((i, j) for j in (equal if len(equal) <= _RARE else equal[nth : nth + 1]))
        shared: Counter[int] = Counter()
        for word, letters in bags[0][i].items():
            owners = holders.get(word, ())
            if len(owners) <= _RARE:
                shared.update(dict.fromkeys(owners, letters))
        found.update((i, j) for j, _ in shared.most_common(_CANDIDATES))
    return found


def _gaps(pairs: Sequence[Pair], old_size: int, new_size: int) -> list[tuple[range, range]]:
    edges = [(-1, -1), *pairs, (old_size, new_size)]
    spaces = [(range(i + 1, to_i), range(j + 1, to_j)) for (i, j), (to_i, to_j) in pairwise(edges)]
    return [(mine, theirs) for mine, theirs in spaces if mine and theirs]


def _extend(
    pairs: list[Pair], scored: Sequence[tuple[int, int, float]], bags: Bags, old_size: int, new_size: int
) -> list[Pair]:
    """Adds the heaviest of the scored pairs that stand between the same anchors."""
    gap_of_old: dict[int, int] = {}
    gap_of_new: dict[int, int] = {}
    for number, (mine, theirs) in enumerate(_gaps(pairs, old_size, new_size)):
        gap_of_old.update(dict.fromkeys(mine, number))
        gap_of_new.update(dict.fromkeys(theirs, number))
    fitting = [
        (i, j, alike * (1 + sum(bags[i].values())))
        for i, j, alike in scored
        if gap_of_old.get(i, -1) == gap_of_new.get(j, -2)
    ]
    return sorted(pairs + heaviest_chain(fitting))


def _moves(
    pairs: Sequence[Pair],
    strong: Sequence[tuple[int, int, float]],
    old: Sequence[Block],
    new: Sequence[Block],
    bags: Bags,
) -> list[Pair]:
    """The likest of what is left, wherever it stands; small blocks only if they are unique and unchanged."""
    free_old, free_new = map(set, _free(pairs, len(old), len(new)))
    mine, theirs = Counter(old[i].text for i in free_old), Counter(new[j].text for j in free_new)
    found = []
    for i, j, _ in sorted(strong, key=lambda each: (-each[2], each[0], each[1])):
        text = old[i].text
        once = text == new[j].text and mine[text] == theirs[text] == 1
        if i in free_old and j in free_new and (once or sum(bags[i].values()) >= MOVABLE):
            free_old.remove(i)
            free_new.remove(j)
            found.append((i, j))
    return sorted(found, key=lambda pair: pair[1])


def _weak(
    pairs: Sequence[Pair], moves: Sequence[Pair], old: Sequence[Block], new: Sequence[Block], bags: tuple[Bags, Bags]
) -> list[tuple[int, int, float]]:
    """Pairs in small gaps that have something in common."""
    moved_old, moved_new = {i for i, _ in moves}, {j for _, j in moves}
    found = []
    for mine, theirs in _gaps(pairs, len(old), len(new)):
        if len(mine) * len(theirs) > _SMALL_GAP:
            continue
        for i in (i for i in mine if i not in moved_old):
            for j in (j for j in theirs if j not in moved_new):
                alike = likeness(old[i], new[j], bags[0][i], bags[1][j])
                if alike >= WEAK:
                    found.append((i, j, alike))
    return found


def _reworded(pairs: Sequence[Pair], moves: Sequence[Pair], old: Sequence[Block], new: Sequence[Block]) -> list[Pair]:
    """Short blocks in the place of as many others of the same kinds: a heading or a cell with other words."""
    moved_old, moved_new = {i for i, _ in moves}, {j for _, j in moves}
    found: list[Pair] = []
    for mine, theirs in _gaps(pairs, len(old), len(new)):
        were, are = [i for i in mine if i not in moved_old], [j for j in theirs if j not in moved_new]
        alike = [old[i].kind for i in were] == [new[j].kind for j in are]
        if alike and all(len(block.text) <= SHORT for block in [*(old[i] for i in were), *(new[j] for j in are)]):
            found += zip(were, are, strict=True)
    return found


def _parts(
    pairs: Sequence[Pair], moves: Sequence[Pair], old: Sequence[Block], new: Sequence[Block], bags: tuple[Bags, Bags]
) -> tuple[dict[Pair, list[int]], dict[Pair, list[int]]]:
    """Free neighbours of a reworded block whose words the other side of its pair holds."""
    free_old, free_new = map(set, _free([*pairs, *moves], len(old), len(new)))
    splits: dict[Pair, list[int]] = {}
    merges: dict[Pair, list[int]] = {}
    for i, j in pairs:
        if old[i].text == new[j].text or WHOLE & {old[i].kind, new[j].kind}:
            continue
        if parts := _held(bags[0][i], j, free_new, new, bags[1]):
            splits[i, j] = sorted([j, *parts])
            free_new.difference_update(parts)
        elif parts := _held(bags[1][j], i, free_old, old, bags[0]):
            merges[i, j] = sorted([i, *parts])
            free_old.difference_update(parts)
    return splits, merges


def _held(whole: dict[str, int], at: int, free: set[int], blocks: Sequence[Block], bags: Bags) -> list[int]:
    """The free blocks next to `at` whose words are among those of `whole` that `at` does not use up.

    A block of a few words, as in a list, counts if nearly all of them are there; together they must be worth telling.
    """
    rest = {word: letters - bags[at].get(word, 0) for word, letters in whole.items()}
    found = []
    told = 0
    for step in (1, -1):
        near = at + step
        while near in free and blocks[near].kind not in WHOLE:
            letters = sum(bags[near].values())
            held = common_letters(bags[near], {word: left for word, left in rest.items() if left > 0})
            if not letters or held < (STRONG if letters >= MOVABLE else NEARLY) * letters:
                break
            rest = {word: left - bags[near].get(word, 0) for word, left in rest.items()}
            told += held
            found.append(near)
            near += step
    return found if told >= WORTH_TELLING else []
