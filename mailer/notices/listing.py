"""The people told of a version, page by page: filters that an index answers, and words that are looked for.

Two statements a page: first which notices, then what a list shows of them. A page ends with a mark from which the
next one goes on, so that page 20,000 costs what page 1 does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    exists,
    literal,
    null,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session

from mailer.contacts.models import Address, Contact
from mailer.notices import figures, search, settling
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice
from mailer.notices.queries import NoSuchNotice
from mailer.notices.rules import NoticeState, Via

PAGE = 50
BATCH = 2_000
WORDS_LIMIT, MARK_LIMIT = 200, 60
_Keys = Select[str, date | None]
_NO_DAY = type_coerce(null(), Date)
Columns = TypeVarTuple("Columns")


class Show(StrEnum):
    """Which people a list shows."""

    ALL = ""
    PLANNED = "planned"
    ACCEPTED = "accepted"
    OPEN = "open"
    LATE = "late"
    UNREACHED = "unreached"
    ENDED = "ended"
    TERMINATED = "terminated"
    DEEMED = "deemed"
    AGREED = "agreed"


_STATES = {
    Show.PLANNED: NoticeState.PLANNED,
    Show.ACCEPTED: NoticeState.ACCEPTED,
    Show.UNREACHED: NoticeState.UNREACHED,
    Show.ENDED: NoticeState.ENDED,
}
_AGREEMENTS: dict[Show, type[DeemedAgreement] | type[ExpressAgreement]] = {
    Show.DEEMED: DeemedAgreement,
    Show.AGREED: ExpressAgreement,
}
_BY_WINDOW = frozenset({Show.OPEN, Show.LATE})  # in order of their last day, then of id; all others of id


@dataclass(frozen=True)
class Wanted:
    """What a list shows: `reason` narrows the unreached, `words` is part of a name or address, or a whole reference.

    `terminated` selects the contacts who terminated, `from_on` is the last day to answer from which `OPEN` and `LATE`
    begin. `after` is the mark of the page before.
    """

    version_id: str
    terminated: Select[str]
    from_on: date
    show: Show = Show.ALL
    reason: str = ""
    words: str = ""
    after: str = ""


@dataclass(frozen=True)
class Person:
    """One person's notice with what a list shows of it."""

    notice: Notice
    contact: Contact
    email: str
    deemed_on: date | None
    agreed_at: datetime | None
    has_terminated: bool


@dataclass(frozen=True)
class Page:
    """People, and the mark of the next page; empty on the last."""

    people: Sequence[Person]
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """One person as a file shows them, in plain values."""

    has_terminated: bool
    contact_id: str
    reference: str | None
    name: str
    email: str | None
    state: NoticeState
    via: Via
    why: str
    notified_on: date | None
    respond_by_on: date | None
    binding_on: date | None
    deemed_on: date | None
    agreed_at: datetime | None


def page(session: Session, wanted: Wanted, size: int = PAGE) -> Page:
    """One page of people; what stands in `after` and is no mark of ours begins anew."""
    ids, mark = _slice(session, wanted, size)
    loaded = {person.contact.id: person for person in _load(session, wanted, ids)}
    return Page([loaded[contact_id] for contact_id in ids if contact_id in loaded], mark)


def everybody(session: Session, wanted: Wanted) -> Iterator[Line]:
    """All people that a list shows, batch by batch; nothing of it is kept."""
    columns = Contact.id, Contact.reference, Contact.name, Address.email, Notice.state, Notice.via, Notice.why
    days = Notice.notified_on, Notice.respond_by_on, Notice.binding_on, DeemedAgreement.used_on, ExpressAgreement.at
    while True:
        ids, mark = _slice(session, wanted, BATCH)
        ended = _terminated(session, wanted, ids)
        rows: dict[str, Any] = {row[0]: row for row in session.execute(_told(select(*columns, *days), wanted, ids))}
        yield from (Line(who in ended, *rows[who]) for who in ids if who in rows)
        if not mark:
            return
        wanted = replace(wanted, after=mark)


def get(session: Session, version_id: str, contact_id: str, terminated: Select[str]) -> Person:
    """One person's notice of one version; NoSuchNotice if they were never to be told."""
    found = _load(session, Wanted(version_id, terminated, date.min), [contact_id])
    if not found:
        raise NoSuchNotice("This person has no notice of this version; open the list of its people again.")
    return found[0]


def _slice(session: Session, wanted: Wanted, size: int) -> tuple[list[str], str]:
    """Who is on a page, in its order, and the mark of the next one."""
    rows = session.execute(_keys(session, wanted).limit(size + 1)).all()
    mark = _mark(wanted, *rows[size - 1]) if len(rows) > size else ""
    return [contact_id for contact_id, _ in rows[:size]], mark


def _keys(session: Session, wanted: Wanted) -> _Keys:
    """Who is on the list beyond its mark, in its order: by the last day to answer, or by id."""
    day, _, contact_id = wanted.after.rpartition("~")
    query = _chosen(wanted)
    who, window = query.selected_columns
    if wanted.words:
        query = query.where(search.is_called(session, who, wanted.words))
    if wanted.show not in _BY_WINDOW:
        return query.where(who > contact_id).order_by(who)
    if day:
        query = query.where(tuple_(window, who) > tuple_(literal(_day(day, wanted.from_on), Date), contact_id))
    return query.order_by(window, who)


def _chosen(wanted: Wanted) -> _Keys:
    """The contact and, where it is the order, the last day to answer, from the table whose index knows them."""
    if wanted.show is Show.TERMINATED:
        who = wanted.terminated.distinct().subquery().c
        told = exists().where(Notice.version_id == wanted.version_id, Notice.contact_id == who.contact_id)
        return select(who.contact_id, _NO_DAY).where(told)
    if wanted.show in _AGREEMENTS:
        table = _AGREEMENTS[wanted.show]
        return select(table.contact_id, _NO_DAY).where(table.version_id == wanted.version_id)
    query = select(Notice.contact_id, Notice.respond_by_on).where(Notice.version_id == wanted.version_id)
    if wanted.show in _BY_WINDOW:
        return query.where(Notice.respond_by_on >= wanted.from_on, Notice.state == NoticeState.ACCEPTED)
    if wanted.show in _STATES:
        query = query.where(Notice.state == _STATES[wanted.show])
    if wanted.show is Show.UNREACHED and wanted.reason:
        query = query.where(_why(wanted.reason))
    return query


def _why(reason: str) -> ColumnElement[bool]:
    match reason:
        case figures.REFUSED:
            return Notice.why == settling.REFUSED
        case figures.BOUNCED:
            return Notice.why.not_in([*figures.WITHHELD, settling.REFUSED])
        case _:
            return Notice.why == reason


def _mark(wanted: Wanted, contact_id: str, window: date | None) -> str:
    return f"{window}~{contact_id}" if wanted.show in _BY_WINDOW else contact_id


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


def _load(session: Session, wanted: Wanted, ids: Sequence[str]) -> list[Person]:
    columns = select(Notice, Contact, Address.email, DeemedAgreement.used_on, ExpressAgreement.at)
    ended = _terminated(session, wanted, ids)
    return [
        Person(notice, contact, email or "", deemed_on, agreed_at, contact.id in ended)
        for notice, contact, email, deemed_on, agreed_at in session.execute(_told(columns, wanted, ids))
    ]


def _told(columns: Select[*Columns], wanted: Wanted, ids: Sequence[str]) -> Select[*Columns]:
    """These columns of the notices of these people, with whatever they answered."""

    def of(table: type[DeemedAgreement] | type[ExpressAgreement]) -> ColumnElement[bool]:
        return and_(table.version_id == Notice.version_id, table.contact_id == Notice.contact_id)

    return (
        columns.select_from(Notice)
        .join(Contact, Contact.id == Notice.contact_id)
        .join(Address, and_(Address.contact_id == Contact.id, Address.is_primary), isouter=True)
        .join(DeemedAgreement, of(DeemedAgreement), isouter=True)
        .join(ExpressAgreement, of(ExpressAgreement), isouter=True)
        .where(Notice.version_id == wanted.version_id, Notice.contact_id.in_(ids))
    )


def _terminated(session: Session, wanted: Wanted, ids: Sequence[str]) -> set[str]:
    """Those of these people who terminated."""
    ended = select(Contact.id).where(Contact.id.in_(ids), Contact.id.in_(wanted.terminated))
    return set(session.scalars(ended)) if ids else set()
