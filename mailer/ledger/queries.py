"""Read the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.ledger import rules
from mailer.ledger.models import LedgerDetail, LedgerEntry

BATCH = 5_000
LATEST = 2_000


def links(session: Session) -> Iterator[rules.Link]:
    """Every entry in order, by keyset batches."""
    seq = 0
    while True:
        rows = session.execute(
            select(
                LedgerEntry.seq,
                LedgerEntry.kind,
                LedgerEntry.at,
                LedgerEntry.subjects,
                LedgerEntry.detail_digest,
                LedgerEntry.prev_hash,
                LedgerEntry.hash,
            )
            .where(LedgerEntry.seq > seq)
            .order_by(LedgerEntry.seq)
            .limit(BATCH)
        ).all()
        for row in rows:
            yield rules.Link(*row)
        if len(rows) < BATCH:
            return
        seq = rows[-1].seq


def wrong_detail(session: Session) -> int | None:
    """The first entry whose side row still stands but no longer fits its digest; None if all fit."""
    rows = session.execute(
        select(LedgerDetail.seq, LedgerDetail.salt, LedgerDetail.body, LedgerEntry.detail_digest)
        .join(LedgerEntry, LedgerEntry.seq == LedgerDetail.seq, isouter=True)
        .order_by(LedgerDetail.seq)
        .execution_options(yield_per=BATCH)
    )
    for seq, salt, body, digest in rows:
        if rules.digest_detail(salt, body) != digest:
            return int(seq)
    return None


def verify(session: Session) -> rules.Whole | rules.Broken:
    """Walk the whole chain and every side row that still stands."""
    outcome = rules.verify(links(session))
    if isinstance(outcome, rules.Broken):
        return outcome
    wrong = wrong_detail(session)
    return outcome if wrong is None else rules.Broken(wrong, f"the details of entry {wrong} were changed")


def latest(session: Session) -> datetime | None:
    """The latest instant among the last entries, for a clock that was set back makes earlier ones after it."""
    last = select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(LATEST).subquery()
    spelled = session.scalar(select(func.max(last.c.at)))
    return datetime.fromisoformat(spelled) if spelled is not None else None


def about(session: Session, subject: str, limit: int = 200) -> list[LedgerEntry]:
    """The entries that name an id, oldest first."""
    found = select(LedgerEntry).where(LedgerEntry.subjects.contains(f'"{subject}"', autoescape=True))
    return list(session.scalars(found.order_by(LedgerEntry.seq).limit(limit)))
