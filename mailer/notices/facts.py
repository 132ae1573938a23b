"""Write down what happened to notices, and let their rows follow from it. Facts are only added (invariant 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, select, true, update
from sqlalchemy.orm import Session, defer

from mailer.notices import clocks, rules
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.rules import Days, Fact, FactKind, NoticeStanding, NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.policies.models import Version

_COLUMNS = ("version_id", "contact_id", "kind", "at", "on_date", "message_row", "batch", "data")


def of(session: Session, version_id: str, contact_id: str) -> Sequence[NoticeFact]:
    """What happened to one person and one version, in the order in which it was written down."""
    query = select(NoticeFact).where(NoticeFact.version_id == version_id, NoticeFact.contact_id == contact_id)
    return session.scalars(query.order_by(NoticeFact.id)).all()


def read(row: NoticeFact) -> Fact:
    """A fact as the rules see it."""
    said = row.data
    days = None
    if "binding_on" in said:
        respond_by_on, binding_on = (date.fromisoformat(said[name]) for name in ("respond_by_on", "binding_on"))
        days = Days(row.on_date, respond_by_on, binding_on)
    return Fact(row.kind, row.at, row.message_row, days, said.get("why", ""), said.get("evidence", ""))


def standing(session: Session, version_id: str, contact_id: str) -> NoticeStanding:
    """Where the facts about one person and one version lead."""
    return rules.replay(read(row) for row in of(session, version_id, contact_id))


def happened(
    session: Session,
    notice: Notice,
    kind: FactKind,
    at: datetime,
    *,
    on: date | None = None,
    message_row: int | None = None,
    days: Days | None = None,
    **said: str,
) -> NoticeStanding:
    """Add a fact about one person, and let the row of their notice follow from all of them.

    Two things that happen to one person at once come one after the other.
    """
    session.flush()
    session.refresh(notice, with_for_update=True)
    data = {name: value for name, value in said.items() if value}
    if days is not None:
        data |= {name: day for name, day in days.spelled.items() if name != "notified_on"}
    session.add(
        NoticeFact(
            version_id=notice.version_id,
            contact_id=notice.contact_id,
            kind=kind,
            at=at,
            on_date=on or (days.notified_on if days else clocks.day_of(at)),
            message_row=message_row,
            data=data,
        )
    )
    session.flush()
    now = standing(session, notice.version_id, notice.contact_id)
    _follow(session, notice, now, at)
    return now


def planned(session: Session, which: ColumnElement[bool], at: datetime) -> None:
    """That notices are on their way, or withheld before they began: of all these messages' that have no fact yet."""
    known = exists().where(NoticeFact.contact_id == Notice.contact_id, NoticeFact.version_id == Notice.version_id)
    fresh = and_(which, ~known)
    withheld = select(Notice.why).join(Message, Message.row == Notice.message_row)
    reasons = session.scalars(withheld.where(fresh, Notice.state == NoticeState.UNREACHED).distinct()).all()
    unreached = {why: _rows_of(session, and_(fresh, _unreached(why))) for why in reasons}
    _insert(session, FactKind.PLANNED, fresh, at)
    for why, rows in unreached.items():
        _insert(session, FactKind.WITHHELD, Notice.id.in_(rows), at, data={"why": why})


def accepted(session: Session, notice_ids: Sequence[int], days: Days, batch: str, at: datetime) -> None:
    """That servers took the mails of these notices; each at the instant of its own answer."""
    data = {name: day for name, day in days.spelled.items() if name != "notified_on"}
    when = func.coalesce(Message.settled_at, literal(at, NoticeFact.at.type))
    _insert(
        session,
        FactKind.ACCEPTED,
        Notice.id.in_(notice_ids),
        at,
        on=days.notified_on,
        when=when,
        batch=batch,
        data=data,
    )


def planned_again(session: Session, which: ColumnElement[bool], because: str, at: datetime) -> None:
    """That other mails carry these notices now."""
    _insert(session, FactKind.PLANNED_AGAIN, which, at, data={"because": because})


def reminded(session: Session, which: ColumnElement[bool], key: str, at: datetime) -> int:
    """That the people of these notices were written to once more, by the waiting mail of this key; how many were."""
    waits = and_(which, Message.key == literal(key) + Notice.contact_id, Message.state == State.QUEUED)
    rows = select(
        Notice.version_id,
        Notice.contact_id,
        literal(FactKind.REMINDED, NoticeFact.kind.type),
        literal(at, NoticeFact.at.type),
        literal(clocks.day_of(at), NoticeFact.on_date.type),
        Message.row,
        literal(None, NoticeFact.batch.type),
        literal({}, NoticeFact.data.type),
    ).join(Message, Message.contact_id == Notice.contact_id)
    insert = NoticeFact.__table__.insert()  # type: ignore[attr-defined]
    session.execute(insert.from_select(list(_COLUMNS), rows.where(waits).order_by(Message.row)))
    written = update(Notice).where(
        which,
        Notice.contact_id.in_(
            select(Message.contact_id).where(
                Message.kind == MailKind.REMINDER,
                Message.key == literal(key) + Message.contact_id,
                Message.state == State.QUEUED,
            )
        ),
    )
    done = session.execute(written.values(reminded_at=at).execution_options(synchronize_session="fetch"))
    return int(done.rowcount)  # type: ignore[attr-defined]


def ended(session: Session, version_id: str, why: str, at: datetime) -> None:
    """That nothing more can come of any notice of a version that did not end before."""
    open_ones = Notice.version_id == version_id, Notice.state != NoticeState.ENDED
    _insert(session, FactKind.ENDED, and_(*open_ones), at, data={"why": why})


def _insert(
    session: Session,
    kind: FactKind,
    which: ColumnElement[bool],
    at: datetime,
    *,
    on: date | None = None,
    when: ColumnElement[Any] | None = None,
    batch: str | None = None,
    data: dict[str, str] | None = None,
) -> None:
    """One fact of a kind for each of these notices, in one statement."""
    rows = (
        select(
            Notice.version_id,
            Notice.contact_id,
            literal(kind, NoticeFact.kind.type),
            when if when is not None else literal(at, NoticeFact.at.type),
            literal(on or clocks.day_of(at), NoticeFact.on_date.type),
            Notice.message_row,
            literal(batch, NoticeFact.batch.type),
            literal(data or {}, NoticeFact.data.type),
        )
        .join(Message, Message.row == Notice.message_row, isouter=True)
        .where(true(), which)
        .order_by(Notice.message_row)
    )
    insert = NoticeFact.__table__.insert()  # type: ignore[attr-defined]
    session.execute(insert.from_select(list(_COLUMNS), rows))


def _unreached(why: str) -> ColumnElement[bool]:
    return and_(Notice.state == NoticeState.UNREACHED, Notice.why == why)


def _rows_of(session: Session, which: ColumnElement[bool]) -> Sequence[int]:
    return session.scalars(select(Notice.id).join(Message, Message.row == Notice.message_row).where(which)).all()


def _follow(session: Session, notice: Notice, now: NoticeStanding, at: datetime) -> None:
    days = now.days
    notice.state, notice.via, notice.message_row = now.state, now.via, now.message_row
    notice.why, notice.evidence, notice.reminded_at = now.why, now.evidence, now.reminded_at
    notice.notified_on = days.notified_on if days else None
    notice.respond_by_on = days.respond_by_on if days else None
    notice.binding_on = days.binding_on if days else None
    notice.computation = ""
    if days is not None:
        version = session.get_one(Version, notice.version_id, options=[defer(Version.text)])
        notice.computation = clocks.explained(version, days, now.via)
    notice.updated_at = at
    session.flush()
