"""Find what came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from mailer import ids
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.errors import NotFound
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundArrival, InboundBytes, InboundMail, InboundNote
from mailer.inbound.rules import Kind
from mailer.notices import queries as notices
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.policies.rules import NOTICE_DAYS
from mailer.terminations.mail import LINK
from mailer.terminations.models import Termination


class NoSuchMail(NotFound):
    """No mail that came in has this id."""


def get(session: Session, mail_id: str) -> InboundMail:
    """The mail with this id; its bytes are read when they are asked for."""
    found = session.get(InboundMail, mail_id)
    if found is None:
        raise NoSuchMail("There is no such mail here; look it up in the list of replies.")
    return found


def unread(at: datetime) -> Select[str]:
    """The ids of mails kept but not read, and not being read by anybody: people's first, then oldest first.

    However many machines answer at once, a person's mail waits only for those of people before it.
    """
    free = or_(InboundMail.lease_until.is_(None), InboundMail.lease_until < at)
    waiting = select(InboundMail.id).where(and_(InboundMail.state == DeskState.KEPT, free))
    return waiting.order_by(InboundMail.is_machine, InboundMail.id)


def is_waiting(session: Session, at: datetime) -> bool:
    """Whether a mail waits to be read."""
    return bool(session.scalar(select(exists(unread(at)))))


def doors_of(session: Session, mail_id: str) -> Sequence[str]:
    """The doors by which a mail came, in the order of its first coming through each."""
    came = select(InboundArrival.door).where(InboundArrival.mail_id == mail_id).group_by(InboundArrival.door)
    return session.scalars(came.order_by(func.min(InboundArrival.id))).all()


def first_by(session: Session, door: str) -> datetime | None:
    """When a mail first came by a door; None if none ever did."""
    return session.scalar(select(func.min(InboundArrival.arrived_at)).where(InboundArrival.door == door))


def has_unread(session: Session) -> bool:
    """Whether any mail is not read yet: it may be a termination, so nobody is deemed to agree meanwhile."""
    return bool(session.scalar(select(exists().where(InboundMail.state == DeskState.KEPT))))


def desk(
    session: Session,
    *,
    state: DeskState | None = None,
    kind: Kind | None = None,
    contact_id: str = "",
    assigned_to: str = "",
    words: str = "",
    after: str = "",
    limit: int = 50,
) -> Sequence[InboundMail]:
    """The reply desk: oldest first, by state, kind, person, colleague and part of the sender's address; a page after
    an id. `assigned_to` is a colleague's id, or `nobody`."""
    query = select(InboundMail).where(InboundMail.id > after).order_by(InboundMail.id).limit(limit)
    if state is not None:
        query = query.where(InboundMail.state == state)
    if kind is not None:
        query = query.where(func.coalesce(InboundMail.decided_kind, InboundMail.kind) == kind)
    if contact_id:
        query = query.where(InboundMail.contact_id == contact_id)
    if assigned_to:
        query = query.where(InboundMail.assigned_to == (None if assigned_to == "nobody" else assigned_to))
    if words:
        query = query.where(func.lower(InboundMail.from_address).contains(words.lower(), autoescape=True))
    return session.scalars(query).all()


def counts(session: Session) -> dict[DeskState, int]:
    """How many mails stand where."""
    return {
        state: int(n)
        for state, n in session.execute(select(InboundMail.state, func.count()).group_by(InboundMail.state))
    }


def counts_of_kinds(session: Session, state: DeskState | None) -> dict[Kind, int]:
    """How many mails in a state are what, as decided or else as read; of all states if none is given."""
    kind = func.coalesce(InboundMail.decided_kind, InboundMail.kind)
    query = select(kind, func.count()).where(kind.is_not(None)).group_by(kind)
    if state is not None:
        query = query.where(InboundMail.state == state)
    return {Kind(name): int(n) for name, n in session.execute(query)}


def next_waiting(session: Session, mail_id: str) -> str | None:
    """The id of the next mail on the desk after this one, else of the first one before it; None if none is left."""
    waiting = select(InboundMail.id).where(InboundMail.state == DeskState.FOR_PERSON, InboundMail.id != mail_id)
    oldest_first = waiting.order_by(InboundMail.id).limit(1)
    return session.scalar(oldest_first.where(InboundMail.id > mail_id)) or session.scalar(oldest_first)


def beginning(session: Session, mail: InboundMail, size: int) -> bytes:
    """The first bytes of a mail, however large it is."""
    query = select(func.substr(InboundBytes.raw, 1, size)).where(InboundBytes.sha256 == mail.sha256)
    return bytes(session.scalar(query) or b"")


def notes(session: Session, mail_id: str) -> Sequence[InboundNote]:
    """What colleagues noted on a mail, oldest first."""
    return session.scalars(
        select(InboundNote).where(InboundNote.mail_id == mail_id).order_by(InboundNote.noted_at, InboundNote.id)
    ).all()


def open_notices(session: Session, contact_id: str, on: date) -> Sequence[Notice]:
    """The notices that this person may still answer on a day."""
    query = select(Notice).where(
        Notice.contact_id == contact_id, Notice.state == NoticeState.ACCEPTED, Notice.respond_by_on >= on
    )
    return session.scalars(query).all()


def just_closed(session: Session, contact_id: str, on: date) -> Notice | None:
    """The last notice of this person whose window ended before a day, at most as long ago as a window is."""
    ended = Notice.respond_by_on < on, Notice.respond_by_on >= on - timedelta(days=NOTICE_DAYS)
    query = select(Notice).where(Notice.contact_id == contact_id, Notice.state == NoticeState.ACCEPTED, *ended)
    return session.scalar(query.order_by(Notice.respond_by_on.desc()).limit(1))


def notice_of_message(session: Session, message_row: int) -> Notice | None:
    """The notice that went out as this message, or that it reminded of."""
    return notices.for_any_message(session, message_row)


def is_theirs(session: Session, notice: Notice, contact: Contact) -> bool:
    """Whether a notice told this person, also under a row that was merged into theirs."""
    return contacts.kept(session, session.get_one(Contact, notice.contact_id)) is contact


def last_day_of(session: Session, notice: Notice, contact: Contact) -> date | None:
    """The end of a person's window for what a notice tells; of a merged person's two notices the later end counts."""
    own = notices.find(session, notice.version_id, contact.id)
    ends = [one.respond_by_on for one in (notice, own) if one is not None and one.respond_by_on is not None]
    return max(ends, default=None)


def begun_by_link(session: Session, message_id: str, contact_id: str) -> Termination | None:
    """The last request that was begun from the link of this notice, or that this one repeated."""
    mine = links_of(session, message_id, contact_id)
    if mine:
        return mine[-1]
    row = ids.message_row(message_id)
    notice = notice_of_message(session, row) if row is not None else None
    if notice is None:
        return None
    same = (Termination.contact_id == contact_id, Termination.version_id == notice.version_id)
    return session.scalar(select(Termination).where(*same).order_by(Termination.received_at.desc()).limit(1))


def links_of(session: Session, message_id: str, contact_id: str) -> Sequence[Termination]:
    """The requests of a person that were begun from the link of this notice, in their order."""
    first = f"{LINK}{message_id}"
    mine = or_(Termination.source_id == first, Termination.source_id.startswith(f"{first}/", autoescape=True))
    theirs = select(Termination).where(Termination.contact_id == contact_id, mine)
    return session.scalars(theirs.order_by(Termination.received_at, Termination.id)).all()


def undecided_contacts() -> Select[str | None]:
    """The contacts whose mail waits for a person: it may be a termination, so nobody is deemed to agree past it."""
    waiting = InboundMail.state.in_((DeskState.FOR_PERSON, DeskState.KEPT))
    return select(InboundMail.contact_id).where(waiting, InboundMail.contact_id.is_not(None))
