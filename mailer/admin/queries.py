"""Read across the rooms, for pages that show several at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from mailer.admin import links
from mailer.consent.rules import Channel
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.ledger.models import LedgerEntry
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice
from mailer.outbox import lanes
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.rules import State
from mailer.policies.models import Policy, Version
from mailer.staff import queries as staff
from mailer.terminations.models import Termination

PAGE = 50
COUNTED_AT_MOST = 100_000  # a number on a page is not worth a walk through a table of millions
WAITING = (State.QUEUED, State.SENDING)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Numbers:
    """The four quiet numbers of the home page, and how many mails are in doubt since a week."""

    people: int
    waiting: int
    accepted: int
    tasks: int
    in_doubt: int


@dataclass(frozen=True)
class MessageFilter:
    """Which messages a list shows; nothing personal stands in it, for it stands in the URL (invariant 12)."""

    states: tuple[State, ...] = ()
    channel: Channel | None = None
    contact_id: str = ""
    mailing_id: str = ""
    since: datetime | None = None


def numbers(session: Session, at: datetime) -> Numbers:
    """The numbers, each counted up to `COUNTED_AT_MOST`."""
    settled = _settled(session, at - WEEK)
    return Numbers(
        people=_count(session, select(Contact.id).where(Contact.erased_at.is_(None))),
        waiting=_count_waiting(session),
        accepted=settled.get(State.ACCEPTED, 0),
        tasks=staff.count_open_tasks(session),
        in_doubt=settled.get(State.UNKNOWN, 0),
    )


def mails_for_person(session: Session, limit: int = 100) -> Sequence[InboundMail]:
    """Mail that came in and waits for a person, oldest first."""
    waiting = select(InboundMail).where(InboundMail.state == DeskState.FOR_PERSON)
    return session.scalars(waiting.order_by(InboundMail.received_at, InboundMail.id).limit(limit)).all()


def people(session: Session, origin: Origin | None, before: str) -> Sequence[Contact]:
    """A page of people, who came last first."""
    query = select(Contact).where(Contact.erased_at.is_(None)).options(selectinload(Contact.addresses))
    if origin is not None:
        query = query.where(Contact.origin == origin)
    if before:
        query = query.where(Contact.id < before)
    return session.scalars(query.order_by(Contact.id.desc()).limit(PAGE)).all()


def names_of(session: Session, contact_ids: Collection[str]) -> dict[str, str]:
    """What to call these people: the name, else the primary address."""
    found = select(Contact).where(Contact.id.in_(contact_ids)).options(selectinload(Contact.addresses))
    return {one.id: one.name or (one.primary.email if one.primary else one.id) for one in session.scalars(found)}


def messages(session: Session, wanted: MessageFilter, before: int | None) -> Sequence[Message]:
    """A page of messages, latest first."""
    query = select(Message).options(joinedload(Message.content))
    if wanted.states:
        query = query.where(Message.state.in_(wanted.states))
    if wanted.channel is not None:
        query = query.where(Message.channel == wanted.channel)
    if wanted.contact_id:
        query = query.where(Message.contact_id == wanted.contact_id)
    if wanted.mailing_id:
        query = query.where(Message.mailing_id == wanted.mailing_id)
    if wanted.since is not None:
        query = query.where(Message.settled_at >= wanted.since)
    if before is not None:
        query = query.where(Message.row < before)
    return session.scalars(query.order_by(Message.row.desc()).limit(PAGE)).all()


def notices_of(session: Session, contact_id: str) -> Sequence[tuple[Notice, Version, Policy]]:
    """What a person was told of which version, latest first."""
    query = (
        select(Notice, Version, Policy)
        .join(Version, Version.id == Notice.version_id)
        .join(Policy, Policy.id == Version.policy_id)
        .where(Notice.contact_id == contact_id)
        .order_by(Notice.id.desc())
    )
    return [(notice, version, policy) for notice, version, policy in session.execute(query)]


def agreed_versions(session: Session, contact_id: str) -> dict[str, str]:
    """The versions a person agrees with, and how in words; what they said comes before what is derived."""
    ways: dict[type[DeemedAgreement] | type[ExpressAgreement], str]
    ways = {DeemedAgreement: "By use", ExpressAgreement: "By a click"}
    return {
        version_id: way
        for table, way in ways.items()
        for version_id in session.scalars(select(table.version_id).where(table.contact_id == contact_id))
    }


def terminations_of(session: Session, contact_id: str) -> Sequence[Termination]:
    """What a person answered, latest first."""
    found = select(Termination).where(Termination.contact_id == contact_id)
    return session.scalars(found.order_by(Termination.received_at.desc())).all()


def mails_of(session: Session, contact_id: str) -> Sequence[InboundMail]:
    """The mail a person wrote, latest first."""
    found = select(InboundMail).where(InboundMail.contact_id == contact_id)
    return session.scalars(found.order_by(InboundMail.received_at.desc()).limit(PAGE)).all()


def find_mail_by_message_id(session: Session, header: str) -> InboundMail | None:
    """The mail that came in with this Message-ID."""
    return session.scalar(select(InboundMail).where(InboundMail.message_id_header == header).limit(1))


def last_entry(session: Session) -> LedgerEntry | None:
    """The head of the ledger."""
    return session.scalar(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1))


def page_of_subject(session: Session, subject_id: str) -> str | None:
    """The page about what an id names; for a mailing that of the campaign or version it sends."""
    mailing = session.get(Mailing, subject_id) if subject_id.startswith("mlg_") else None
    return links.find_page(mailing.subject_id if mailing else subject_id)


def _settled(session: Session, since: datetime) -> dict[State, int]:
    # neither state nor settled_at has an index, so that marks stay cheap: look at the latest rows only
    latest = select(Message.state, Message.settled_at).order_by(Message.row.desc()).limit(COUNTED_AT_MOST).subquery()
    counted = select(latest.c.state, func.count()).where(latest.c.settled_at >= since).group_by(latest.c.state)
    return {state: int(n) for state, n in session.execute(counted)}


def _count_waiting(session: Session) -> int:
    """What is due by itself, which an index holds, and what waits in parcels, each read by its rows."""
    due = Message.channel.in_(list(Channel)), Message.due_at.is_not(None)
    single = select(Message.row).where(*due, Message.state.in_(WAITING))
    up_to = func.sum(Parcel.last_row - Parcel.first_row + 1).over(order_by=Parcel.id).label("up_to")
    spans = select(Parcel.mailing_id, Parcel.first_row, Parcel.last_row, up_to).subquery()
    some = select(spans).where(spans.c.up_to <= COUNTED_AT_MOST).subquery()
    in_one = select(func.count()).select_from(Message).where(lanes.in_parcel(some.c)).scalar_subquery()
    return _count(session, single) + int(session.scalar(select(func.sum(in_one)).select_from(some)) or 0)


def _count(session: Session, rows: Select[str] | Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(rows.limit(COUNTED_AT_MOST).subquery())) or 0
