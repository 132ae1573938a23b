"""Read the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from mailer.ledger import rules
from mailer.ledger.models import LedgerDetail, LedgerEntry, LedgerHead

BATCH = 20_000
_LINK = tuple(getattr(LedgerEntry, name) for name in rules.Link._fields)
LATEST = 2_000


def links(session: Session) -> Iterator[rules.Row]:
    """Every entry in order, by keyset batches of plain rows: a million of them pass here."""
    seq = 0
    query = select(*_LINK).order_by(LedgerEntry.seq).limit(BATCH)
    while True:
        rows = session.execute(query.where(LedgerEntry.seq > seq)).all()
        yield from rows
        if len(rows) < BATCH:
            return
        seq = rows[-1][0]


def link(session: Session, seq: int) -> rules.Link:
    """The entry of this number."""
    return rules.Link(*session.execute(select(*_LINK).where(LedgerEntry.seq == seq)).one())


def head(session: Session) -> rules.Head | None:
    """Where the chain stands now; None before the first entry."""
    last = session.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)).first()
    return rules.Head(last.seq, last.hash, name="the head of now") if last else None


def heads(session: Session, limit: int | None = None, before: date | None = None) -> Sequence[LedgerHead]:
    """The published heads, newest first; `before` a day for a further page."""
    query = select(LedgerHead).order_by(LedgerHead.on_date.desc()).limit(limit)
    return session.scalars(query.where(LedgerHead.on_date < before) if before else query).all()


def published(session: Session) -> list[rules.Head]:
    """Every published head, as the walk along the chain passes them."""
    rows = select(LedgerHead.seq, LedgerHead.hash, LedgerHead.root, LedgerHead.on_date).order_by(LedgerHead.on_date)
    return [
        rules.Head(seq, hashed, root, f"the head published on {on_date}")
        for seq, hashed, root, on_date in session.execute(rows)
    ]


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


def verify(session: Session, *kept: rules.Head) -> rules.Whole | rules.Broken:
    """Walk the whole chain, past every published head and those `kept` elsewhere, and every side row that stands."""
    heads = [*published(session), *kept]  # read first: the chain has grown since, if anything
    outcome = rules.verify(links(session), heads)
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
    found = select(LedgerEntry).where(_names(subject))
    return list(session.scalars(found.order_by(LedgerEntry.seq).limit(limit)))


def naming(session: Session, subjects: Collection[str], kinds: Collection[str] = ()) -> list[rules.Link]:
    """Every entry that names one of these ids, oldest first; of these kinds only, if any are given: that is quicker."""
    query = select(*_LINK).where(or_(false(), *(_names(subject) for subject in subjects)))
    if kinds:
        query = query.where(LedgerEntry.kind.in_(kinds))
    return [rules.Link(*row) for row in session.execute(query.order_by(LedgerEntry.seq))]


def _names(subject: str) -> ColumnElement[bool]:
    return LedgerEntry.subjects.contains(f'"{subject}"', autoescape=True)
