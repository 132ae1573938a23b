"""`mailer ledger verify` walks a million entries in under a minute: here a twentieth of them, in a twentieth of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from mailer.ledger import actions as ledger
from mailer.ledger import queries, rules
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import GENESIS, Link, Whole
from mailer.ledger.tree import LedgerTree

ENTRIES = 50_000
SECONDS = 3.0
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def chain() -> Iterator[dict[str, object]]:
    head = GENESIS
    for seq in range(1, ENTRIES + 1):
        subjects = f'{{"contact":"con_{seq:026d}","message":"msg_{seq:013d}","version":"ver_{0:026d}"}}'
        fields = (seq, "notice.unreached", "2026-03-01T10:00:00.000000Z", subjects, "", head)
        head = rules.hash_entry(*fields)
        yield Link(*fields, head)._asdict()


def test_a_long_ledger_is_walked_in_its_time_and_a_path_needs_no_walk(session: Session) -> None:
    session.execute(insert(LedgerEntry), list(chain()))
    assert ledger.publish(session, date(2026, 3, 1), AT)
    session.commit()
    begun = time.perf_counter()
    assert isinstance(queries.verify(session), Whole)
    walked = time.perf_counter() - begun
    begun = time.perf_counter()
    assert len(LedgerTree(session, ENTRIES).path(ENTRIES // 3)) == 16
    looked = time.perf_counter() - begun
    assert walked < SECONDS, f"{walked:.1f} seconds for {ENTRIES:,} entries"
    assert looked < walked / 3, f"{looked:.3f} seconds for one path"
