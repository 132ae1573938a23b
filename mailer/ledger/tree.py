"""The Merkle tree over the ledger's entries: its root at a size, and the path of an entry, without reading them all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.ledger import merkle
from mailer.ledger.merkle import RUN
from mailer.ledger.models import LedgerEntry, LedgerRun


class LedgerTree:
    """The tree over entries 1 to `size`. It reads the roots of full runs, and entries only of the runs it is asked for.

    The roots of runs that are not kept yet are reckoned from their entries.
    """

    def __init__(self, session: Session, size: int) -> None:
        self.size = size
        self._session = session
        self._runs: dict[int, list[list[bytes]]] = {}

    @property
    def root(self) -> str:
        return self._above[-1][0].hex()

    def path(self, seq: int) -> list[str]:
        """The hashes beside the way from an entry up to the root, the lowest first."""
        number, index = divmod(seq - 1, RUN)
        return [one.hex() for one in merkle.path_in(self._run(number), index) + merkle.path_in(self._above, number)]

    @cached_property
    def kept(self) -> Sequence[str]:
        """The roots of the full runs that the database keeps, in their order."""
        query = select(LedgerRun.root).where(LedgerRun.number < self.size // RUN).order_by(LedgerRun.number)
        return self._session.scalars(query).all()

    @cached_property
    def runs(self) -> list[bytes]:
        """The roots of all runs; the last run may not be full."""
        count = -(-self.size // RUN)
        reckoned = (self._run(number)[-1][0] for number in range(len(self.kept), count))
        return [*(bytes.fromhex(root) for root in self.kept), *reckoned]

    @cached_property
    def _above(self) -> list[list[bytes]]:
        return merkle.levels_of(self.runs)

    def _run(self, number: int) -> list[list[bytes]]:
        if number not in self._runs:
            first, last = number * RUN + 1, min((number + 1) * RUN, self.size)
            query = select(LedgerEntry.hash).where(LedgerEntry.seq.between(first, last)).order_by(LedgerEntry.seq)
            self._runs = {number: merkle.levels_of([merkle.leaf(one) for one in self._session.scalars(query)])}
        return self._runs[number]
