"""The hash chain: how an entry is spelled, hashed and checked (DESIGN §12)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

GENESIS = "0" * 64
CLOCKS_APART = timedelta(minutes=2)
"""So far the clocks of two machines may differ, and no clock was set back."""


@dataclass(frozen=True)
class Link:
    """One entry as the chain sees it: all text, nothing personal."""

    seq: int
    kind: str
    at: str
    subjects: str
    detail_digest: str
    prev_hash: str
    hash: str


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


def verify(links: Iterable[Link]) -> Whole | Broken:
    """Walk the chain from its first entry."""
    seq, head = 0, GENESIS
    for link in links:
        if link.seq != seq + 1:
            return Broken(link.seq, f"entry {seq + 1} is missing")
        if link.prev_hash != head:
            return Broken(link.seq, f"entry {link.seq} does not follow entry {seq}")
        fields = (link.seq, link.kind, link.at, link.subjects, link.detail_digest, link.prev_hash)
        if hash_entry(*fields) != link.hash:
            return Broken(link.seq, f"entry {link.seq} was changed")
        seq, head = link.seq, link.hash
    return Whole(seq, head)


def merkle_root(leaves: Iterable[str]) -> str:
    """The root of a Merkle tree over hex digests; leaves and nodes are hashed apart (RFC 6962 §2.1)."""
    level = [hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0].hex()
