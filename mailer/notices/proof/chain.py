"""Entries of the ledger with the path of each to a published head, and the place of each fact in its batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from mailer.ledger import merkle
from mailer.ledger import queries as ledger
from mailer.ledger.rules import Link
from mailer.ledger.tree import LedgerTree
from mailer.notices.proof.model import Files, NotProven
from mailer.notices.proof.verify import spell


@dataclass
class Proof:
    """What is gathered of the ledger while a bundle is made; `files` spells it."""

    entries: dict[int, Link] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[dict[str, Any]] = field(default_factory=list)
    released: int = 0

    def add(self, links: Iterable[Link]) -> None:
        """Entries that belong to the bundle."""
        self.entries.update((link.seq, link) for link in links)

    def claim(self, link: Link, name: str, sha256: str, file: str | None = None) -> None:
        """That an entry names a digest; of a file, if the bundle has it."""
        self.add([link])
        self.claims.append(
            {"entry": link.seq, "field": name, "sha256": sha256} | ({"file": file} if file is not None else {})
        )

    def leaf(self, link: Link, digests: Sequence[str], index: int, **said: str) -> int:
        """That one of the digests, in their order, stands in the batch of an entry; which of the leaves it is."""
        levels = merkle.levels_of([merkle.leaf(one) for one in digests])
        if levels[-1][0].hex() != subjects(link)["root"]:
            raise NotProven(
                f"The batch of ledger entry {link.seq} is not what was recorded; run `mailer ledger verify`."
            )
        self.add([link])
        path = [one.hex() for one in merkle.path_in(levels, index)]
        self.leaves.append({"entry": link.seq, "index": index, "size": len(digests), "path": path} | said)
        return len(self.leaves) - 1

    def files(self, session: Session) -> Files:
        """The entries as they are hashed, a line each, and what leads from them to the heads."""
        seqs = sorted(self.entries)
        lines = [json.dumps(_spelled(self.entries[seq])) for seq in seqs]
        heads, places = _places(session, seqs)
        said = {
            "heads": heads,
            "entries": places,
            "claims": self.claims,
            "leaves": self.leaves,
            "released": self.released,
        }
        return {
            "ledger/entries.jsonl": "".join(f"{line}\n" for line in lines).encode(),
            "ledger/proof.json": spell(said),
        }


@dataclass(frozen=True)
class _Head:
    seq: int
    hash: str
    root: str = ""
    on: date | None = None


def sha256(text: str) -> str:
    """The SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def subjects(link: Link) -> dict[str, Any]:
    """What an entry says, beside its kind and its instant."""
    said: dict[str, Any] = json.loads(link.subjects)
    return said


def _places(session: Session, seqs: Sequence[int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The heads needed, and the way of each entry to the first that was published after it.

    What no published head holds yet leads to the newest of the entries themselves: such a bundle is the same whenever
    it is made, until the next head is published.
    """
    published = [_Head(head.seq, head.hash, head.root, head.on_date) for head in reversed(ledger.heads(session))]
    heads: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    tree: LedgerTree | None = None
    for seq in seqs:
        if tree is None or tree.size < seq:
            found = next((head for head in published if head.seq >= seq), None)
            found = found or _Head(seqs[-1], ledger.link(session, seqs[-1]).hash)
            tree = LedgerTree(session, found.seq)
            if found.root and tree.root != found.root:
                raise NotProven(f"The ledger is not the one published on {found.on}; run `mailer ledger verify`.")
            on = found.on.isoformat() if found.on else None
            heads.append(
                {"on": on, "seq": found.seq, "hash": found.hash, "root": tree.root, "path": tree.path(found.seq)}
            )
        places.append({"seq": seq, "head": len(heads) - 1, "path": tree.path(seq)})
    return heads, places


def _spelled(link: Link) -> list[str]:
    """The lines over which an entry's hash goes (`ledger.rules.hash_entry`)."""
    return [str(link.seq), link.kind, link.at, link.subjects, link.detail_digest, link.prev_hash]
