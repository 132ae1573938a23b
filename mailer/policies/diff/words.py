"""The comparison of two wordings of one block, by whole words."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from mailer.policies.diff.chain import heaviest_chain
from mailer.policies.diff.cleanup import Span, without_islands
from mailer.policies.diff.model import Op, Ops
from mailer.policies.diff.tokens import Token, tokens


class Budget:
    """The comparing one diff may do; when it is spent, unique words alone align the rest."""

    ONE = 4_000_000
    ALL = 60_000_000

    def __init__(self) -> None:
        self.left = self.ALL

    def allows(self, old: Sequence[str], new: Sequence[str]) -> bool:
        """Takes the worst that difflib can need for these two, if it is to be had."""
        mine, theirs = Counter(old), Counter(new)
        matches = sum(count * theirs[word] for word, count in mine.items())
        cost = (matches + len(old)) * min(len(old), len(new))
        if cost > min(self.ONE, self.left):
            return False
        self.left -= cost
        return True


def word_ops(old: str, new: str, budget: Budget) -> Ops:
    """What leads from one wording to the other; `=` and `-` join to `old`, `=` and `+` to `new`."""
    mine, theirs = tokens(old), tokens(new)
    matched = _matches([token.text for token in mine], [token.text for token in theirs], budget)
    return _emit(without_islands(_spans(matched, len(mine), len(theirs)), mine, theirs), mine, theirs)


def whole(op: Op, text: str) -> Ops:
    """One wording that is all the same, gone or new."""
    return ((op, text),)


def _matches(old: list[str], new: list[str], budget: Budget) -> list[tuple[int, int]]:
    """The pairs of equal tokens that stand, increasing on both sides."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    return [
        *((at, at) for at in range(head)),
        *((head + i, head + j) for i, j in _middle(middle_old, middle_new, budget)),
        *((len(old) - tail + at, len(new) - tail + at) for at in range(tail)),
    ]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    for at, (mine, theirs) in enumerate(zip(old, new, strict=False)):
        if mine != theirs:
            return at
    return min(len(old), len(new))


def _middle(old: list[str], new: list[str], budget: Budget) -> list[tuple[int, int]]:
    if not old or not new:
        return []
    if budget.allows(old, new):
        runs = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        return [(run.a + at, run.b + at) for run in runs for at in range(run.size)]
    edges = [(-1, -1), *_unique_matches(old, new), (len(old), len(new))]
    if len(edges) == 2:
        return []
    found: list[tuple[int, int]] = []
    for (i, j), (to_i, to_j) in pairwise(edges):
        found += [(i + 1 + a, j + 1 + b) for a, b in _matches(old[i + 1 : to_i], new[j + 1 : to_j], budget)]
        found.append((to_i, to_j))
    return found[:-1]


def _unique_matches(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    mine, theirs = Counter(old), Counter(new)
    place = {word: j for j, word in enumerate(new) if theirs[word] == 1}
    return heaviest_chain(
        [(i, place[word], len(word)) for i, word in enumerate(old) if mine[word] == 1 and word in place]
    )


def _spans(matched: Sequence[tuple[int, int]], old_size: int, new_size: int) -> list[Span]:
    spans: list[Span] = []
    i = j = 0
    for to_i, to_j in [*matched, (old_size, new_size)]:
        if (to_i, to_j) != (i, j):
            spans.append(Span(False, (i, to_i), (j, to_j)))
        if to_i == old_size or to_j == new_size:
            break
        last = spans[-1] if spans else None
        if last and last.equal:
            spans[-1] = Span(True, (last.old[0], to_i + 1), (last.new[0], to_j + 1))
        else:
            spans.append(Span(True, (to_i, to_i + 1), (to_j, to_j + 1)))
        i, j = to_i + 1, to_j + 1
    return spans


def _emit(spans: Sequence[Span], old: Sequence[Token], new: Sequence[Token]) -> Ops:
    found: list[tuple[Op, str]] = []
    for span in spans:
        mine, theirs = old[slice(*span.old)], new[slice(*span.new)]
        if span.equal:
            for was, now in zip(mine, theirs, strict=True):
                if was.space != now.space:
                    found.append(("-" if was.space else "+", " "))
                found.append(("=", (" " if was.space and now.space else "") + was.text))
            continue
        gone, come = _text(mine), _text(theirs)
        if gone.startswith(" ") and come.startswith(" "):
            found.append(("=", " "))
            gone, come = gone[1:], come[1:]
        found += [("-", gone), ("+", come)]
    return squeezed(found)


def _text(span: Sequence[Token]) -> str:
    return "".join((" " if token.space else "") + token.text for token in span)


def squeezed(ops: Sequence[tuple[Op, str]]) -> Ops:
    """The same operations, neighbours of one kind in one, empty ones left out."""
    found: list[tuple[Op, str]] = []
    for op, text in ops:
        if text and found and found[-1][0] == op:
            found[-1] = (op, found[-1][1] + text)
        elif text:
            found.append((op, text))
    return tuple(found)
