"""The hash chain: how an entry is spelled, hashed and checked (DESIGN §12)."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mailer.ledger.merkle import Tree, leaf

GENESIS = "0" * 64
CLOCKS_APART = timedelta(minutes=2)
"""So far the clocks of two machines may differ, and no clock was set back."""


Row = tuple[int, str, str, str, str, str, str]
"""An entry as it comes from the database, in the order of `Link`."""
_HEAD = re.compile(r"\s*([0-9]{1,18}):([0-9a-f]{64})\s*")


class Link(NamedTuple):
    """One entry as the chain sees it: all text, nothing personal."""

    seq: int
    kind: str
    at: str
    subjects: str
    detail_digest: str
    prev_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """Where the chain stood once: its last entry, and the Merkle root over all up to it where that is known.

    `name` says which head it is, as in "the head published on 2026-11-24".
    """

    seq: int
    hash: str
    root: str = ""
    name: str = "the head kept elsewhere"

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class Whole:
    """The chain holds; `head` is its last hash."""

    entries: int
    head: str


@dataclass(frozen=True)
class Broken:
    """The chain does not hold: the first entry that is wrong, and how."""

    seq: int
    why: str


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the same text for the same facts, always."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def spell_instant(at: datetime) -> str:
    """An instant as the chain spells it: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clock_fault(at: datetime, latest: datetime | None) -> str | None:
    """What is wrong with a clock that says `at` when the record has an entry of `latest`; None if nothing is.

    What was put off waits for that much longer, and days are counted from the wrong one.
    """
    if latest is None or latest - at <= CLOCKS_APART:
        return None
    return (
        f"The clock was set back: it says {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and the record has an entry of "
        f"{latest.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Set it right (NTP); mail that was put off waits until then."
    )


def digest_detail(salt: str, body: str) -> str:
    """The salted digest that stands in the chain for a side row, so that the row can be erased."""
    return hashlib.sha256(f"{salt}\n{body}".encode()).hexdigest()


def hash_entry(seq: int, kind: str, at: str, subjects: str, detail_digest: str, prev_hash: str) -> str:
    """SHA-256 over the entry's fields, each on a line; JSON escapes line ends, so no field can hold one."""
    lines = (str(seq), kind, at, subjects, detail_digest, prev_hash)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_head(text: str) -> Head | None:
    """A head as people keep it: `SEQ:HASH`, or a JSON object that holds `seq` and `hash`; None if it is neither."""
    found = _HEAD.fullmatch(text)
    if found:
        return Head(int(found[1]), found[2])
    try:
        said = json.loads(text)
        return read_head(f"{said['seq']}:{said['hash']}")
    except (ValueError, TypeError, KeyError):
        return None


def verify(links: Iterable[Row], heads: Iterable[Head] = ()) -> Whole | Broken:
    """Walk the chain from its first entry, past every head that was kept of it: a rewrite or a cut-off end shows."""
    ahead = deque(sorted(heads, key=lambda one: one.seq))
    tree = Tree() if any(one.root for one in ahead) else None
    seq, head = 0, GENESIS
    for number, kind, at, subjects, detail_digest, prev_hash, hashed in links:
        if number != seq + 1:
            return Broken(number, f"entry {seq + 1} is missing")
        if prev_hash != head:
            return Broken(number, f"entry {number} does not follow entry {seq}")
        if hash_entry(number, kind, at, subjects, detail_digest, prev_hash) != hashed:
            return Broken(number, f"entry {number} was changed")
        seq, head = number, hashed
        if tree is not None:
            tree.add(leaf(hashed))
        while ahead and ahead[0].seq <= seq:
            kept = ahead.popleft()
            if not _is_head(kept, seq, head, tree):
                return Broken(seq, f"the chain up to entry {seq} is not the one of {kept.name}")
    if ahead:
        return Broken(seq + 1, f"the ledger ends at entry {seq}, but {ahead[0].name} is of entry {ahead[0].seq}")
    return Whole(seq, head)


def _is_head(kept: Head, seq: int, head: str, tree: Tree | None) -> bool:
    if kept.seq != seq or kept.hash != head:
        return False
    return not kept.root or tree is None or tree.root().hex() == kept.root
