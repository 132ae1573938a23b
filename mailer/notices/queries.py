"""Read notices: how a version's went, and where one person stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Exists, Select, and_, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer, joinedload

from mailer.contacts.models import Address, Contact, ContactUse
from mailer.errors import NotFound
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.rules import NoticeFacts, NoticeState, key_of
from mailer.outbox import audience as audiences
from mailer.outbox.models import Mailing, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailingState, MailKind, State
from mailer.policies import queries as policies
from mailer.policies.models import Version, VersionWithdrawal
from mailer.policies.rules import ChangeClass
from mailer.staff.models import Task


class NoSuchNotice(NotFound):
    """A person who is not told of a version."""


@dataclass(frozen=True)
class Funnel:
    """How many people a version's notice concerns and how far it came."""

    concerned: int
    planned: int
    accepted: int
    unreached: int
    ended: int
    agreed: int


@dataclass(frozen=True)
class Person:
    """One person's notice with what a list shows of it."""

    notice: Notice
    contact: Contact
    email: str
    agreement: DeemedAgreement | None


def funnel(session: Session, version_id: str) -> Funnel:
    """The numbers of one version."""
    query = select(Notice.state, func.count()).where(Notice.version_id == version_id).group_by(Notice.state)
    counts = {state: int(n) for state, n in session.execute(query)}
    agreed = select(func.count()).select_from(DeemedAgreement).where(DeemedAgreement.version_id == version_id)
    return Funnel(
        concerned=sum(counts.values()),
        planned=counts.get(NoticeState.PLANNED, 0),
        accepted=counts.get(NoticeState.ACCEPTED, 0),
        unreached=counts.get(NoticeState.UNREACHED, 0),
        ended=counts.get(NoticeState.ENDED, 0),
        agreed=session.scalar(agreed) or 0,
    )


def people(
    session: Session,
    version_id: str,
    *,
    state: NoticeState | None = None,
    agreed: bool = False,
    words: str = "",
    after: int = 0,
    limit: int = 50,
) -> list[Person]:
    """People noticed of a version, a keyset page after notice number `after`; `words` is part of name or address."""
    query = _people(version_id).where(Notice.id > after)
    if state is not None:
        query = query.where(Notice.state == state)
    if agreed:
        query = query.where(DeemedAgreement.id.is_not(None))
    if words:
        lower = words.lower()
        named = func.lower(Contact.name).contains(lower, autoescape=True)
        query = query.where(named | Address.email_key.contains(lower, autoescape=True) | (Contact.reference == words))
    rows = session.execute(query.order_by(Notice.id).limit(limit))
    return [Person(notice, contact, email or "", agreement) for notice, contact, email, agreement in rows]


def get_person(session: Session, version_id: str, contact_id: str) -> Person:
    """One person's notice of one version; NoSuchNotice if they were never to be told."""
    row = session.execute(_people(version_id).where(Notice.contact_id == contact_id)).first()
    if row is None:
        raise NoSuchNotice("This person has no notice of this version; open the list of its people again.")
    notice, contact, email, agreement = row
    return Person(notice, contact, email or "", agreement)


def find(session: Session, version_id: str, contact_id: str) -> Notice | None:
    """One person's notice of one version."""
    return session.scalar(select(Notice).where(Notice.version_id == version_id, Notice.contact_id == contact_id))


def for_message(session: Session, message_row: int) -> Notice | None:
    """The notice that a message carries."""
    return session.scalar(select(Notice).where(Notice.message_row == message_row))


def tells_of(mailing: Mailing) -> ColumnElement[bool]:
    """Whether a message tells of the version of this mailing: part of it, or sent after it to a changed address."""
    after = Message.key.startswith(key_of(mailing.subject_id), autoescape=True)
    return (Message.mailing_id == mailing.id) | ((Message.kind == MailKind.NOTICE) & after)


def reached(session: Session, mailing: Mailing) -> Sequence[str]:
    """The people told of this mailing's version: at any address, by a mail that a server took and did not send back."""
    took = Message.state == State.ACCEPTED, Message.bounced_at.is_(None), Message.contact_id.is_not(None)
    query = select(Message.contact_id).where(tells_of(mailing), *took).group_by(Message.contact_id)
    return [contact_id for contact_id in session.scalars(query.order_by(func.min(Message.row))) if contact_id]


def versions_of(session: Session, message_rows: Sequence[int]) -> dict[int, Version]:
    """The version that each of these messages gives notice of."""
    query = select(Notice.message_row, Version).join(Version, Version.id == Notice.version_id)
    rows = session.execute(query.where(Notice.message_row.in_(message_rows)).options(defer(Version.text)))
    return {row: version for row, version in rows if row is not None}


def ended_rows(session: Session, message_rows: Sequence[int]) -> set[int]:
    """Those of the messages whose notice has ended."""
    ended = Notice.message_row.in_(message_rows), Notice.state == NoticeState.ENDED
    return {row for row in session.scalars(select(Notice.message_row).where(*ended)) if row is not None}


def withdrawn_mailings(session: Session, mailing_ids: Collection[str]) -> set[str]:
    """Those of the mailings that tell of a withdrawn version."""
    tells = Mailing.id.in_(mailing_ids), _is_withdrawn(Mailing.subject_id)
    return set(session.scalars(select(Mailing.id).where(*tells)))


def taken_back(session: Session, message: Message | Outgoing) -> Version | None:
    """The withdrawn version that this mail of a mailing tells of; None if it tells of none, or of one that stands."""
    query = (
        select(Version)
        .join(Mailing, Mailing.subject_id == Version.id)
        .where(Mailing.id == message.mailing_id, _is_withdrawn(Version.id))
    )
    return session.scalar(query.options(defer(Version.text)))


def has_newcomers(session: Session, mailing: Mailing) -> bool:
    """Whether somebody is concerned by now who has no message of this mailing."""
    if mailing.state is not MailingState.FANNED_OUT:
        return False
    people = audiences.concerned(mailing.audience, mailing.kind.channel).subquery()
    has_one = exists().where(Message.mailing_id == mailing.id, Message.contact_id == people.c.id)
    return session.scalar(select(people.c.id).where(~has_one).limit(1)) is not None


def moved(session: Session, version_id: str) -> list[tuple[Notice, Contact, str]]:
    """Whose notice went to an address that is no longer their primary one, with the id of the one that is."""
    query = (
        select(Notice, Contact, Address.id)
        .join(Message, Message.row == Notice.message_row)
        .join(Contact, Contact.id == Notice.contact_id)
        .join(Address, (Address.contact_id == Contact.id) & Address.is_primary)
        .where(
            Notice.version_id == version_id,
            Notice.state.in_([NoticeState.ACCEPTED, NoticeState.UNREACHED]),
            Message.to_address != Address.email,
            Contact.erased_at.is_(None),
            Contact.closed_at.is_(None),
        )
    )
    return [(notice, contact, address_id) for notice, contact, address_id in session.execute(query)]


def facts(session: Session, notice: Notice, *, terminated: bool, undecided: bool) -> NoticeFacts:
    """What the rule of deemed agreement needs to know of one person; the two flags come from the terminations."""
    used = select(func.max(ContactUse.used_on)).where(ContactUse.contact_id == notice.contact_id, ~ContactUse.automatic)
    return NoticeFacts(
        state=notice.state,
        respond_by_on=notice.respond_by_on,
        binding_on=notice.binding_on,
        terminated=terminated,
        undecided=undecided,
        used_on=session.scalar(used),
        version_withdrawn=policies.is_withdrawn(session, notice.version_id),
    )


def noticed_versions(session: Session) -> Sequence[Version]:
    """Every version that people are told of by a notice, newest first."""
    noticed = exists().where(Mailing.subject_id == Version.id, Mailing.kind == MailKind.NOTICE)
    query = select(Version).where(noticed).options(defer(Version.text), joinedload(Version.policy))
    return session.scalars(query.order_by(Version.released_at.desc())).all()


def binding_versions(session: Session, today: date) -> Sequence[Version]:
    """The versions that bind somebody by now whose agreement was not derived yet."""
    agreed = exists().where(
        DeemedAgreement.version_id == Notice.version_id, DeemedAgreement.contact_id == Notice.contact_id
    )
    waiting = exists().where(
        Notice.version_id == Version.id, Notice.state == NoticeState.ACCEPTED, Notice.binding_on <= today, ~agreed
    )
    query = select(Version).where(Version.effective_on <= today, waiting, ~_is_withdrawn(Version.id))
    return session.scalars(query.options(defer(Version.text)).order_by(Version.released_at)).all()


def pending_material(session: Session, today: date) -> list[tuple[Version, Mailing]]:
    """The versions that people are being told of now, each with its mailing."""
    pending = [v for v in policies.pending_versions(session, today) if v.change_class is ChangeClass.MATERIAL]
    found = select(Mailing).where(Mailing.subject_id.in_([v.id for v in pending]), Mailing.kind == MailKind.NOTICE)
    mailings = {mailing.subject_id: mailing for mailing in session.scalars(found)}
    return [(version, mailings[version.id]) for version in pending if version.id in mailings]


def find_mailing(session: Session, version_id: str) -> Mailing | None:
    """The mailing that tells of a version, if there is one."""
    return session.scalar(select(Mailing).where(Mailing.subject_id == version_id))


def find_message(session: Session, notice: Notice) -> Message | None:
    return session.get(Message, notice.message_row) if notice.message_row is not None else None


def tasks_of(session: Session, version_id: str, limit: int = 10) -> list[tuple[Task, str]]:
    """What waits for a person about this version's notices, oldest first, each with the name of whom it concerns."""
    query = (
        select(Task, Contact.name)
        .join(Contact, Contact.id == Task.contact_id)
        .where(Task.subject_id == version_id, Task.done_at.is_(None))
        .order_by(Task.opened_at, Task.id)
    )
    return [(task, name) for task, name in session.execute(query.limit(limit))]


def _is_withdrawn(version_id: InstrumentedAttribute[str]) -> Exists:
    return exists().where(VersionWithdrawal.version_id == version_id)


def _people(version_id: str) -> Select[Notice, Contact, str, DeemedAgreement]:
    agreement = and_(DeemedAgreement.version_id == Notice.version_id, DeemedAgreement.contact_id == Notice.contact_id)
    return (
        select(Notice, Contact, Address.email, DeemedAgreement)
        .join(Contact, Contact.id == Notice.contact_id)
        .join(Address, and_(Address.contact_id == Contact.id, Address.is_primary), isouter=True)
        .join(DeemedAgreement, agreement, isouter=True)
        .where(Notice.version_id == version_id)
    )
