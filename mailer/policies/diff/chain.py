"""The heaviest run of pairs that keeps the order of both sides."""

from collections.abc import Sequence


def heaviest_chain(pairs: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """From (i, j, weight) the pairs of greatest total weight that increase strictly in i and j; O(n log n)."""
    ordered = sorted(pairs, key=lambda pair: (pair[0], -pair[1]))
    places = {j: place for place, j in enumerate(sorted({j for _, j, _ in ordered}), start=1)}
    best: list[tuple[float, int]] = [(0.0, -1)] * (len(places) + 1)
    previous: list[int] = []
    for index, (_, j, weight) in enumerate(ordered):
        total, before = _heaviest_up_to(best, places[j] - 1)
        previous.append(before)
        _offer(best, places[j], (total + weight, index))
    found = []
    at = _heaviest_up_to(best, len(places))[1]
    while at >= 0:
        found.append(ordered[at][:2])
        at = previous[at]
    return found[::-1]


def _heaviest_up_to(best: list[tuple[float, int]], place: int) -> tuple[float, int]:
    """A Fenwick tree's prefix maximum."""
    found = (0.0, -1)
    while place > 0:
        if best[place][0] > found[0]:
            found = best[place]
        place -= place & -place
    return found


def _offer(best: list[tuple[float, int]], place: int, candidate: tuple[float, int]) -> None:
    while place < len(best):
        if candidate[0] > best[place][0]:
            best[place] = candidate
        place += place & -place
