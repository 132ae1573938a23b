"""Find what came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, undefer

from mailer.errors import NotFound
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.notices import queries as notices
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState


class NoSuchMail(NotFound):
    """No mail that came in has this id."""


def get(session: Session, mail_id: str) -> InboundMail:
    """The mail with this id, its bytes included."""
    found = session.get(InboundMail, mail_id, options=[undefer(InboundMail.raw)])
    if found is None:
        raise NoSuchMail("There is no such mail here; look it up in the list of replies.")
    return found


def unread(at: datetime) -> Select[str]:
    """The ids of mails kept but not read, and not being read by anybody."""
    free = or_(InboundMail.lease_until.is_(None), InboundMail.lease_until < at)
    return select(InboundMail.id).where(and_(InboundMail.state == DeskState.KEPT, free)).order_by(InboundMail.id)


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether a mail waits to be read."""
    return bool(session.scalar(select(exists(unread(at)))))


def has_unread(session: Session) -> bool:
    """Whether any mail is not read yet: it may be a termination, so nobody is deemed to agree meanwhile."""
    return bool(session.scalar(select(exists().where(InboundMail.state == DeskState.KEPT))))


def desk(
    session: Session,
    *,
    state: DeskState | None = None,
    kind: Kind | None = None,
    contact_id: str = "",
    words: str = "",
    after: str = "",
    limit: int = 50,
) -> Sequence[InboundMail]:
    """The reply desk: oldest first, by state, kind, person and part of the sender's address; a page after an id."""
    query = select(InboundMail).where(InboundMail.id > after).order_by(InboundMail.id).limit(limit)
    if state is not None:
        query = query.where(InboundMail.state == state)
    if kind is not None:
        query = query.where(func.coalesce(InboundMail.decided_kind, InboundMail.kind) == kind)
    if contact_id:
        query = query.where(InboundMail.contact_id == contact_id)
    if words:
        query = query.where(func.lower(InboundMail.from_address).contains(words.lower(), autoescape=True))
    return session.scalars(query).all()


def counts(session: Session) -> dict[DeskState, int]:
    """How many mails stand where."""
    return {
        state: int(n)
        for state, n in session.execute(select(InboundMail.state, func.count()).group_by(InboundMail.state))
    }


def open_notices(session: Session, contact_id: str, on: date) -> Sequence[Notice]:
    """The notices that this person may still answer on a day."""
    query = select(Notice).where(
        Notice.contact_id == contact_id, Notice.state == NoticeState.ACCEPTED, Notice.respond_by_on >= on
    )
    return session.scalars(query).all()


def notice_of_message(session: Session, message_row: int) -> Notice | None:
    """The notice that went out as this message, or that it reminded of."""
    return notices.for_any_message(session, message_row)


def undecided_contacts() -> Select[str | None]:
    """The contacts whose mail waits for a person: it may be a termination, so nobody is deemed to agree past it."""
    waiting = InboundMail.state.in_((DeskState.FOR_PERSON, DeskState.KEPT))
    return select(InboundMail.contact_id).where(waiting, InboundMail.contact_id.is_not(None))
