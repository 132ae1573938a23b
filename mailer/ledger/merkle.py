"""Merkle trees over hex digests (RFC 6962 §2.1): a root, the path of one leaf, and a tree that grows at its end.

Leaves and nodes are hashed apart, so that neither can pass for the other. No tree is ever kept whole: `Tree` holds the
roots of the full subtrees on its right edge, about twenty for a million leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

RUN = 1_024
"""Leaves of the ledger's tree whose common root is kept, so that a path needs no more than one run of them."""

_EMPTY = hashlib.sha256(b"").digest()


def leaf(digest: str) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(digest)).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Iterable[str]) -> str:
    """The root over hex digests in their order; that of no leaves is the digest of nothing."""
    return root_of([leaf(one) for one in leaves]).hex()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes that are leaves already, or roots of full subtrees of one size (the last may be smaller)."""
    return levels_of(hashes)[-1][0] if hashes else _EMPTY


def levels_of(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Every level of the tree over at least one hash, the hashes first and the root alone in the last."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        level = levels[-1]
        above = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        levels.append(above if len(level) % 2 == 0 else [*above, level[-1]])
    return levels


def path_in(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The hashes beside the way from number `index` (from 0) up to the root, the lowest first (RFC 6962 §2.1.1)."""
    path = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):  # else it stands alone on this level and moves up as it is
            path.append(level[index ^ 1])
        index //= 2
    return path


def climb(start: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to from hash number `index` of `size`; None if it is no path of such a tree."""
    left = list(path)
    while size > 1:
        if index ^ 1 < size:
            if not left:
                return None
            beside = left.pop(0)
            start = node(beside, start) if index & 1 else node(start, beside)
        index, size = index // 2, (size + 1) // 2
    return None if left else start


class Tree:
    """A tree that grows leaf by leaf; its root may be asked at any size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # the roots of full subtrees, the largest first

    def add(self, hashed: bytes) -> None:
        """Put a leaf's hash at the end."""
        size = self.size
        while size & 1:
            hashed = node(self._edge.pop(), hashed)
            size >>= 1
        self._edge.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._edge:
            return _EMPTY
        *others, root = self._edge
        for left in reversed(others):
            root = node(left, root)
        return root
