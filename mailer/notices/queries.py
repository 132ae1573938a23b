"""Read notices: how a version's went, and where one person stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Exists, Row, Select, and_, exists, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, defer, joinedload

from mailer import ids, signing
from mailer.contacts import queries as contacts
from mailer.contacts.models import Address, Contact, ContactUse
from mailer.contacts.rules import read_address
from mailer.errors import NotFound
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice, NoticeFact
from mailer.notices.rules import STANDING, NoticeFacts, NoticeState, Via, key_of, reminder_key
from mailer.outbox import audience as audiences
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.queries import in_state
from mailer.outbox.rules import MailingState, MailKind, State
from mailer.policies import queries as policies
from mailer.policies.models import Version, VersionWithdrawal
from mailer.staff.models import Task

# what the links of a notice are signed for: to say yes to its version, and to begin a termination
AGREE, TERMINATE = "agree", "start-termination"


class NoSuchNotice(NotFound):
    """A person who is not told of a version."""


def find(session: Session, version_id: str, contact_id: str) -> Notice | None:
    """One person's notice of one version."""
    return session.scalar(select(Notice).where(Notice.version_id == version_id, Notice.contact_id == contact_id))


def for_message(session: Session, message_row: int) -> Notice | None:
    """The notice that a message carries."""
    return session.scalar(select(Notice).where(Notice.message_row == message_row))


def for_any_message(session: Session, message_row: int) -> Notice | None:
    """The notice that a message carries, carried before another did, or reminded of."""
    of_fact = Notice.version_id == NoticeFact.version_id, Notice.contact_id == NoticeFact.contact_id
    query = (
        select(Notice)
        .join(NoticeFact, and_(*of_fact, NoticeFact.message_row == message_row))
        .join(Message, and_(Message.row == NoticeFact.message_row, Message.contact_id == NoticeFact.contact_id))
    )
    return for_message(session, message_row) or session.scalar(query.limit(1))


def tells_of(mailing: Mailing) -> ColumnElement[bool]:
    """Whether a message tells of the version of this mailing: part of it, or sent after it to a changed address."""
    after = Message.key.startswith(key_of(mailing.subject_id), autoescape=True)
    return (Message.mailing_id == mailing.id) | ((Message.kind == MailKind.NOTICE) & after)


def reached(mailing: Mailing) -> Select[str]:
    """The contacts told of this mailing's version: by a mail that a server took and did not send back, or otherwise."""
    took = Message.state == State.ACCEPTED, Message.bounced_at.is_(None), Message.contact_id.is_not(None)
    by_mail = select(Message.contact_id).where(tells_of(mailing), *took)
    otherwise = Notice.state == NoticeState.ACCEPTED, Notice.via != Via.MAIL
    by_others = select(Notice.contact_id).where(Notice.version_id == mailing.subject_id, *otherwise)
    both = union(by_mail, by_others).subquery()
    return select(both.c[0])


def count_reached(session: Session, mailing: Mailing) -> int:
    """How many people were told of this mailing's version."""
    return session.scalar(select(func.count()).select_from(reached(mailing).subquery())) or 0


def states_of(session: Session, message_rows: Sequence[int]) -> list[Row[Any]]:
    """`id, version_id, contact_id, message_row, state` of the notices that these messages carry."""
    columns = (Notice.id, Notice.version_id, Notice.contact_id, Notice.message_row, Notice.state)
    return list(session.execute(select(*columns).where(Notice.message_row.in_(message_rows))))


def fresh_unreached(session: Session, which: ColumnElement[bool]) -> Sequence[Notice]:
    """The notices of these messages that were withheld before they began, and of which nothing is written yet."""
    query = select(Notice).join(Message, Message.row == Notice.message_row)
    known = exists().where(NoticeFact.contact_id == Notice.contact_id, NoticeFact.version_id == Notice.version_id)
    return session.scalars(query.where(which, Notice.state == NoticeState.UNREACHED, ~known)).all()


def addresses_tried(session: Session, notice: Notice) -> set[str]:
    """The keys of the addresses to which mail with this notice was put."""
    mails = select(Message.to_address).where(Message.contact_id == notice.contact_id, _tells(notice.version_id))
    return {read_address(email).key for email in session.scalars(mails) if email}


def told_of(session: Session, message_rows: Sequence[int]) -> dict[int, tuple[Version, bool]]:
    """The version that each of these messages gives notice of, and whether its reader is a consumer."""
    query = (
        select(Notice.message_row, Version, Contact.is_consumer)
        .join(Version, Version.id == Notice.version_id)
        .join(Contact, Contact.id == Notice.contact_id)
        .where(Notice.message_row.in_(message_rows))
    )
    rows = session.execute(query.options(defer(Version.text)))
    return {row: (version, is_consumer) for row, version, is_consumer in rows if row is not None}


def by_token(session: Session, token: str) -> Notice:
    """The notice whose mail held this link to agree by; BadToken on anything forged.

    A later mail with the same notice does not end the link of an earlier; a merged row's leads to the kept one.
    """
    row = ids.message_row(signing.read(AGREE, token))
    told = for_any_message(session, row) if row is not None else None
    if told is not None:
        person = contacts.kept(session, session.get_one(Contact, told.contact_id))
        notice = find(session, told.version_id, person.id)
        if notice is not None and person.erased_at is None:
            return notice
    raise NoSuchNotice("This link is not one of ours, or it was cut off. Open it again from the mail it came in.")


def carrying(session: Session, message_rows: Sequence[int]) -> set[int]:
    """Those of the messages that carry a notice still: it has not ended, and no other mail carries it now."""
    carried = Notice.message_row.in_(message_rows), Notice.state != NoticeState.ENDED
    return {row for row in session.scalars(select(Notice.message_row).where(*carried)) if row is not None}


def withdrawn_mailings(session: Session, mailing_ids: Collection[str]) -> set[str]:
    """Those of the mailings that tell of a withdrawn version."""
    tells = Mailing.id.in_(mailing_ids), _is_withdrawn(Mailing.subject_id)
    return set(session.scalars(select(Mailing.id).where(*tells)))


def taken_back(session: Session, mailing_ids: Collection[str]) -> dict[str, Version]:
    """The withdrawn versions that these mailings tell of, by mailing."""
    if not mailing_ids:
        return {}
    query = select(Mailing.id, Version).join(Version, Mailing.subject_id == Version.id)
    rows = session.execute(query.where(Mailing.id.in_(mailing_ids), _is_withdrawn(Version.id)))
    return {row[0]: row[1] for row in rows}


def has_newcomers(session: Session, mailing: Mailing) -> bool:
    """Whether somebody is concerned by now who has no message of this mailing."""
    if mailing.state is not MailingState.FANNED_OUT:
        return False
    people = audiences.concerned(mailing.audience, mailing.kind.channel).subquery()
    has_one = exists().where(Message.mailing_id == mailing.id, Message.contact_id == people.c.id)
    return session.scalar(select(people.c.id).where(~has_one).limit(1)) is not None


def moved(
    session: Session, version_id: str, states: Collection[NoticeState], limit: int
) -> list[tuple[Notice, Contact, str]]:
    """Whose notice, in one of these states, never went to the address that is their primary one now; with its id.

    Whom a service's announcement or a letter reached has been told, wherever their mail goes. At most `limit` people.
    """
    tried = aliased(Message)
    sent_there = exists().where(
        tried.contact_id == Notice.contact_id, tried.to_address == Address.email, _tells(version_id, tried)
    )
    query = (
        select(Notice, Contact, Address.id)
        .join(Contact, Contact.id == Notice.contact_id)
        .join(Address, (Address.contact_id == Contact.id) & Address.is_primary)
        .where(
            Notice.version_id == version_id,
            Notice.state.in_(states),
            Notice.via == Via.MAIL,
            ~sent_there,
            Contact.erased_at.is_(None),
            Contact.closed_at.is_(None),
        )
    )
    rows = session.execute(query.order_by(Notice.id).limit(limit))
    return [(notice, contact, address_id) for notice, contact, address_id in rows]


def told_by_mail(version_id: str) -> ColumnElement[bool]:
    """The notices of a version that a mail carries or has carried to their people."""
    return and_(Notice.version_id == version_id, Notice.state.in_(STANDING), Notice.via == Via.MAIL)


def told_elsewhere(session: Session, version_id: str) -> list[tuple[Contact, str]]:
    """Who is told by mail at another address than their primary one, which was tried, and that other address."""
    tried = aliased(Message)
    sent_there = exists().where(
        tried.contact_id == Notice.contact_id, tried.to_address == Address.email, _tells(version_id, tried)
    )
    query = (
        select(Contact, Message.to_address)
        .join(Notice, Notice.contact_id == Contact.id)
        .join(Message, Message.row == Notice.message_row)
        .join(Address, (Address.contact_id == Contact.id) & Address.is_primary)
        .where(told_by_mail(version_id), Message.to_address != Address.email, sent_there)
    )
    return [(contact, email) for contact, email in session.execute(query)]


def has_parcels(session: Session, mailing: Mailing) -> bool:
    """Whether mails of a mailing may wait for their first try: it is being fanned out, or parcels of it are left."""
    parcels = exists().where(Parcel.mailing_id == mailing.id)
    return mailing.state is not MailingState.FANNED_OUT or bool(session.scalar(select(parcels)))


def is_going_out(session: Session, mailing: Mailing) -> bool:
    """Whether mails of a mailing wait for their first try; those put off by their server have had it."""
    if mailing.state is not MailingState.FANNED_OUT:
        return True
    waits = Message.mailing_id == mailing.id, in_state(State.QUEUED), Message.due_at.is_(None)
    return has_parcels(session, mailing) and bool(session.scalar(select(exists().where(*waits))))


def waiting(mailing: Mailing) -> Select[int]:
    """The single mails about a version that wait: those put off, sent after the mailing, or that remind."""
    key = reminder_key(mailing.subject_id)
    reminds = Message.kind == MailKind.REMINDER, Message.key.startswith(key, autoescape=True)
    single = Message.channel == mailing.kind.channel, Message.due_at.is_not(None), in_state(State.QUEUED)
    return select(Message.row).where(*single, or_(tells_of(mailing), and_(*reminds)))


def facts(session: Session, notice: Notice, *, terminated: bool, undecided: bool) -> NoticeFacts:
    """What the rule of deemed agreement needs to know of one person; the two flags come from the terminations."""
    used = select(func.max(ContactUse.used_on)).where(ContactUse.contact_id == notice.contact_id, ~ContactUse.automatic)
    expressed = select(ExpressAgreement).where(
        ExpressAgreement.version_id == notice.version_id, ExpressAgreement.contact_id == notice.contact_id
    )
    return NoticeFacts(
        state=notice.state,
        respond_by_on=notice.respond_by_on,
        binding_on=notice.binding_on,
        terminated=terminated,
        undecided=undecided,
        used_on=session.scalar(used),
        version_withdrawn=policies.is_withdrawn(session, notice.version_id),
        is_consumer=session.get_one(Contact, notice.contact_id).is_consumer,
        agreed_expressly=bool(session.scalar(select(expressed.exists()))),
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


def being_told(session: Session, today: date) -> Sequence[Mailing]:
    """The mailings that give notice of versions pending, or in effect since the last daily job.

    So who joins on the eve of a change is told, however early on its day the job runs.
    """
    versions = [*policies.pending_versions(session, today), *policies.to_take_effect(session, today)]
    told = Mailing.subject_id.in_([one.id for one in versions]), Mailing.kind == MailKind.NOTICE
    return session.scalars(select(Mailing).where(*told).order_by(Mailing.id)).all()


def told_before(session: Session, today: date) -> Sequence[Mailing]:
    """The mailings that gave notice of versions in effect."""
    in_effect = select(Version.id).where(Version.effective_on <= today, ~_is_withdrawn(Version.id))
    told = Mailing.subject_id.in_(in_effect), Mailing.kind == MailKind.NOTICE
    return session.scalars(select(Mailing).where(*told).order_by(Mailing.id)).all()


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


def _tells(version_id: str, message: type[Message] = Message) -> ColumnElement[bool]:
    """Whether a message carries a notice of this version, in its mailing or after it."""
    mailing = select(Mailing.id).where(Mailing.subject_id == version_id).scalar_subquery()
    return (message.mailing_id == mailing) | message.key.startswith(key_of(version_id), autoescape=True)


def _is_withdrawn(version_id: InstrumentedAttribute[str]) -> Exists:
    return exists().where(VersionWithdrawal.version_id == version_id)
