"""Add to the ledger, and publish where it stands.

Entries are chained when the transaction commits, so the chain's lock is held shortest.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, delete, event, insert, select, text
from sqlalchemy.orm import Session, SessionTransaction

from mailer import db
from mailer.ledger import queries, rules
from mailer.ledger.merkle import RUN
from mailer.ledger.models import Event, LedgerDetail, LedgerEntry, LedgerHead, LedgerRun
from mailer.ledger.tree import LedgerTree

PENDING = "ledger.pending"
CHAIN_LOCK = 0x6D61696C  # "mail": one advisory lock for the whole chain
_entries = LedgerEntry.__table__.c
_LAST = select(_entries.seq, _entries.hash).order_by(_entries.seq.desc()).limit(1)
_ADD_ENTRIES, _ADD_DETAILS = (insert(cast("Table", kind.__table__)) for kind in (LedgerEntry, LedgerDetail))


@dataclass(frozen=True)
class _Pending:
    """An entry that waits for the commit, spelled already; `savepoint` takes it away if it is rolled back."""

    kind: str
    at: str
    subjects: str
    personal: str
    contact_id: str | None
    savepoint: SessionTransaction | None


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
    if not session.in_transaction():
        session.begin()  # so that a rollback has something to end, and takes this entry with it
    entry = _Pending(
        kind,
        rules.spell_instant(at),
        rules.canonical(subjects),
        rules.canonical(dict(personal)) if personal else "",
        contact_id,
        session.get_nested_transaction(),
    )
    session.info.setdefault(PENDING, []).append(entry)


def tell(session: Session, kind: str, at: datetime, *, contact_id: str | None = None, **data: object) -> None:
    """Add an event for other services: ids, not addresses (DESIGN §10)."""
    if contact_id is not None:
        data["contact"] = contact_id
    session.add(Event(kind=kind, at=at, contact_id=contact_id, data=data))


def tell_many(session: Session, kind: str, at: datetime, told: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    """Add an event for each of these contacts with what it says, in one statement."""
    rows = [
        {"kind": kind, "at": at, "contact_id": contact_id, "data": {**said, "contact": contact_id}, "spread": False}
        for contact_id, said in told
    ]
    if rows:
        session.execute(insert(Event), rows)


def forget(session: Session, contact_id: str) -> int:
    """Remove the personal side rows of one contact; the chain stays whole. Returns how many went."""
    result = session.execute(delete(LedgerDetail).where(LedgerDetail.contact_id == contact_id))
    return int(result.rowcount)  # type: ignore[attr-defined]


def publish(session: Session, on_date: date, at: datetime) -> bool:
    """Publish where the chain stands, once a local day: its last hash and the Merkle root over all its entries.

    False if that was done, or if there is nothing yet. What this transaction itself records comes after the head.
    """
    last = queries.head(session)
    if last is None or session.get(LedgerHead, on_date) is not None:
        return False
    tree = LedgerTree(session, last.seq)
    root = tree.root
    _keep_runs(session, tree)
    head = db.insert(session, LedgerHead).values(on_date=on_date, seq=last.seq, hash=last.hash, root=root, at=at)
    made = head.on_conflict_do_nothing().returning(LedgerHead.on_date)  # another scheduler may have been quicker
    if session.scalar(made) is None:
        return False
    tell(session, "ledger.published", at, on=on_date.isoformat(), seq=last.seq, hash=last.hash, root=root)
    return True


def _keep_runs(session: Session, tree: LedgerTree) -> None:
    full = range(len(tree.kept), tree.size // RUN)
    rows = [{"number": number, "root": tree.runs[number].hex()} for number in full]
    if rows:
        session.execute(db.insert(session, LedgerRun).on_conflict_do_nothing(), rows)


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    if session.in_nested_transaction():
        return  # only a savepoint ends: the entries wait for the transaction
    pending: list[_Pending] = session.info.pop(PENDING, [])
    if not pending:
        return
    session.flush()
    if db.is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.execute(_LAST).first()
    before, head = (last.seq, last.hash) if last else (0, rules.GENESIS)
    entries: list[dict[str, object]] = []
    details: list[dict[str, object]] = []
    for seq, entry in enumerate(pending, before + 1):
        digest = ""
        if entry.personal:
            salt = secrets.token_hex(16)
            digest = rules.digest_detail(salt, entry.personal)
            details.append({"seq": seq, "contact_id": entry.contact_id, "salt": salt, "body": entry.personal})
        hashed = rules.hash_entry(seq, entry.kind, entry.at, entry.subjects, digest, head)
        said = {"seq": seq, "kind": entry.kind, "at": entry.at, "subjects": entry.subjects}
        entries.append({**said, "detail_digest": digest, "prev_hash": head, "hash": hashed})
        head = hashed
    session.execute(_ADD_ENTRIES, entries)
    if details:
        session.execute(_ADD_DETAILS, details)


@event.listens_for(Session, "after_soft_rollback")
def _drop(session: Session, ended: SessionTransaction) -> None:
    """A savepoint takes only its own entries with it."""
    if ended.nested and PENDING in session.info:
        session.info[PENDING] = [entry for entry in session.info[PENDING] if not _is_within(entry.savepoint, ended)]


@event.listens_for(Session, "after_transaction_end")
def _clear(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(PENDING, None)


def _is_within(savepoint: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while savepoint is not None and savepoint is not outer:
        savepoint = savepoint.parent
    return savepoint is outer
