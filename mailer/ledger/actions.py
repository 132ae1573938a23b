"""Add to the ledger. Entries are chained when the transaction commits, so the chain's lock is held shortest."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, event, select, text
from sqlalchemy.orm import Session

from mailer.ledger import rules
from mailer.ledger.models import Event, LedgerDetail, LedgerEntry

PENDING = "ledger.pending"
CHAIN_LOCK = 0x6D61696C  # "mail": one advisory lock for the whole chain


@dataclass(frozen=True)
class _Pending:
    kind: str
    at: datetime
    subjects: Mapping[str, object]
    personal: Mapping[str, object] | None
    contact_id: str | None


def record(
    session: Session,
    kind: str,
    at: datetime,
    *,
    personal: Mapping[str, object] | None = None,
    contact_id: str | None = None,
    **subjects: object,
) -> None:
    """Add an entry: `subjects` are ids and plain facts, `personal` goes to a side row that erasure removes."""
    if contact_id is not None:
        subjects["contact"] = contact_id
    session.info.setdefault(PENDING, []).append(_Pending(kind, at, subjects, personal, contact_id))


def tell(session: Session, kind: str, at: datetime, *, contact_id: str | None = None, **data: object) -> None:
    """Add an event for other services: ids, not addresses (DESIGN §10)."""
    if contact_id is not None:
        data["contact"] = contact_id
    session.add(Event(kind=kind, at=at, contact_id=contact_id, data=data))


def forget(session: Session, contact_id: str) -> int:
    """Remove the personal side rows of one contact; the chain stays whole. Returns how many went."""
    result = session.execute(delete(LedgerDetail).where(LedgerDetail.contact_id == contact_id))
    return int(result.rowcount)  # type: ignore[attr-defined]


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    pending: list[_Pending] = session.info.pop(PENDING, [])
    if not pending:
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)).first()
    seq, head = (last.seq, last.hash) if last else (0, rules.GENESIS)
    for entry in pending:
        seq += 1
        head = _append(session, entry, seq, head)


@event.listens_for(Session, "after_soft_rollback")
def _drop(session: Session, _previous: object) -> None:
    session.info.pop(PENDING, None)


def _append(session: Session, entry: _Pending, seq: int, prev_hash: str) -> str:
    at, subjects, digest = rules.spell_instant(entry.at), rules.canonical(dict(entry.subjects)), ""
    if entry.personal:
        salt, body = secrets.token_hex(16), rules.canonical(dict(entry.personal))
        digest = rules.digest_detail(salt, body)
        session.add(LedgerDetail(seq=seq, contact_id=entry.contact_id, salt=salt, body=body))
    hashed = rules.hash_entry(seq, entry.kind, at, subjects, digest, prev_hash)
    session.add(
        LedgerEntry(
            seq=seq, kind=entry.kind, at=at, subjects=subjects, detail_digest=digest, prev_hash=prev_hash, hash=hashed
        )
    )
    return hashed
