"""Merkle trees as RFC 6962 has them: roots by hand, every path of every size, and a tree that grows."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.ledger import merkle
from mailer.ledger.merkle import Tree


def leaf(text: str) -> bytes:
    return sha256(b"\x00" + bytes.fromhex(text)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


A, B, C, D, E = ("0a", "0b", "0c", "0d", "0e")
ROOTS = [
    ([], sha256(b"").hexdigest()),
    ([A], leaf(A).hex()),
    ([A, B], node(leaf(A), leaf(B)).hex()),
    ([A, B, C], node(node(leaf(A), leaf(B)), leaf(C)).hex()),
    ([A, B, C, D], node(node(leaf(A), leaf(B)), node(leaf(C), leaf(D))).hex()),
    ([A, B, C, D, E], node(node(node(leaf(A), leaf(B)), node(leaf(C), leaf(D))), leaf(E)).hex()),
]


@pytest.mark.parametrize(("leaves", "root"), ROOTS)
def test_merkle_roots_are_those_of_rfc_6962(leaves: list[str], root: str) -> None:
    assert merkle.merkle_root(leaves) == root


def test_a_merkle_root_knows_order_and_repeats() -> None:
    roots = {merkle.merkle_root(leaves) for leaves in ([A, B], [B, A], [A, B, B], [A, A, B])}
    assert len(roots) == 4


def by_the_book(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word: split at the largest power of two smaller than n."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node(by_the_book(hashes[:split]), by_the_book(hashes[split:]))


def hashes(count: int) -> list[bytes]:
    return [sha256(str(number).encode()).digest() for number in range(count)]


def test_a_growing_tree_has_at_every_size_the_root_that_the_book_says() -> None:
    tree = Tree()
    assert tree.root() == sha256(b"").digest() == merkle.root_of([])
    for size, hashed in enumerate(hashes(140), 1):
        tree.add(hashed)
        assert tree.size == size
        assert tree.root() == by_the_book(hashes(size)) == merkle.root_of(hashes(size))


def test_every_path_of_every_size_leads_to_the_root() -> None:
    for size in range(1, 40):
        leaves = hashes(size)
        levels = merkle.levels_of(leaves)
        for index in range(size):
            path = merkle.path_in(levels, index)
            assert merkle.climb(leaves[index], index, size, path) == by_the_book(leaves)
            assert len(path) <= (size - 1).bit_length()


@given(st.integers(2, 300), st.data())
def test_a_path_is_good_for_one_leaf_at_one_place(size: int, data: st.DataObject) -> None:
    leaves = hashes(size)
    index = data.draw(st.integers(0, size - 1))
    path, root = merkle.path_in(merkle.levels_of(leaves), index), merkle.root_of(leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    assert merkle.climb(leaves[other], index, size, path) != root
    assert merkle.climb(leaves[index], other, size, path) != root
    assert merkle.climb(leaves[index], index, size, path[:-1]) is None
    assert merkle.climb(leaves[index], index, size, [*path, root]) is None


@pytest.mark.parametrize("run", [1, 2, 8, 16])
def test_a_tree_over_the_roots_of_equal_runs_is_the_tree_over_their_leaves(run: int) -> None:
    for size in range(1, 100):
        leaves = hashes(size)
        runs = [leaves[first : first + run] for first in range(0, size, run)]
        roots = [merkle.root_of(one) for one in runs]
        assert merkle.root_of(roots) == by_the_book(leaves)
        for index in range(size):
            number, inside = divmod(index, run)
            path = merkle.path_in(merkle.levels_of(runs[number]), inside)
            path += merkle.path_in(merkle.levels_of(roots), number)
            assert path == merkle.path_in(merkle.levels_of(leaves), index)
