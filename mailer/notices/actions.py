"""Tell people of versions, run each person's clock, and derive who is deemed to agree (S2, S4, S5; invariant 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, String, case, exists, func, literal, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.contacts.models import ContactUse
from mailer.ledger import actions as ledger
from mailer.notices import letters, mail, queries, rules, withdrawals
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.rules import NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox import audience as audiences
from mailer.outbox import queries as outbox_queries
from mailer.outbox.models import Mailing, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind, State
from mailer.policies import actions as policies
from mailer.policies import queries as policy_queries
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of
from mailer.staff import tasks


def plan(session: Session, version: Version, at: datetime) -> Mailing | None:
    """The mailing that tells of a version, its wording frozen in every language; None where no mail is due (S3, S6).

    To be called in the transaction of the release: nobody lives under a version that is not on its way to them.
    """
    kind = letters.kind_of(version)
    if kind is None:
        return None
    contents = letters.about(session, version, kind, at)
    audience = audiences.of_origins(version.policy.concerns)
    return outbox.create_mailing(session, kind=kind, subject_id=version.id, contents=contents, audience=audience, at=at)


def adopt(session: Session, mailing: Mailing, at: datetime, rows: range | None = None) -> int:
    """A notice for every message of this mailing (or of `rows` of it) whose person has none yet; how many.

    Part of the fan-out's transaction and safe to run twice. Whoever cannot be mailed is unreached, with a task.
    """
    if mailing.kind is not MailKind.NOTICE:
        return 0
    known = exists().where(Notice.version_id == mailing.subject_id, Notice.contact_id == Message.contact_id)
    withheld = type_coerce(Message.withheld, String)
    of_mailing = Message.mailing_id == mailing.id
    if rows is not None:
        of_mailing = outbox_queries.of_rows(mailing.id, rows.start, rows.stop - 1)
    told = select(
        literal(mailing.subject_id),
        Message.contact_id,
        Message.row,
        _state_of_message(),
        func.coalesce(withheld, literal("")),
        literal(at, Notice.updated_at.type),
    ).where(of_mailing, ~known)
    names = ["version_id", "contact_id", "message_row", "state", "why", "updated_at"]
    insert = _insert(session)(Notice).from_select(names, told).on_conflict_do_nothing()
    made = session.scalars(insert.returning(Notice)).all()
    for notice in made:
        if notice.state is NoticeState.UNREACHED:
            _tell_unreached(session, notice, at)
    return len(made)


def fill_in(session: Session, letters_in_hand: Sequence[Outgoing]) -> None:
    """Each person's dates as text, were the mail accepted on its day; its bytes follow from them."""
    rows = [letter.row for letter in letters_in_hand if letter.kind is MailKind.NOTICE]
    versions = queries.versions_of(session, rows) if rows else {}
    reckoned: dict[tuple[str, str, datetime], dict[str, str]] = {}
    for letter in letters_in_hand:
        version = versions.get(letter.row)
        if version is None:
            continue
        locale = letter.content.locale
        said = version.id, locale, letter.dated_at
        if said not in reckoned:
            reckoned[said] = mail.dates(_clock(version, letter.dated_at), letters.company().place, locale)
        letter.facts = reckoned[said]


def ended(session: Session, letters_in_hand: Sequence[Outgoing]) -> set[int]:
    """Those of the mails whose version was withdrawn while they were on their way to the wire, by row."""
    notices = [letter.row for letter in letters_in_hand if letter.kind is MailKind.NOTICE]
    announcing = {one.mailing_id for one in letters_in_hand if one.kind is MailKind.ANNOUNCEMENT and one.mailing_id}
    withdrawn = queries.withdrawn_mailings(session, announcing) if announcing else set()
    over = {one.row for one in letters_in_hand if one.kind is MailKind.ANNOUNCEMENT and one.mailing_id in withdrawn}
    return over | (queries.ended_rows(session, notices) if notices else set())


def settled(session: Session, message: Message | Outgoing, state: State, at: datetime) -> None:
    """After a server's answer: the clock runs from its yes; a no, or a mail not sent, leaves the person unreached.

    A bounce that was read before the answer was written down stands: it comes later than what it answers.
    """
    if message.kind is not MailKind.NOTICE:
        _announced(session, message, state, at)
        return
    notice = queries.for_message(session, message.row)
    if notice is None:
        return
    if notice.state is NoticeState.ENDED and state is State.ACCEPTED:  # withdrawn while the mail was on the wire
        withdrawals.tell(session, session.get_one(Version, notice.version_id), [notice.contact_id], at)
    if notice.state is not NoticeState.PLANNED:
        return
    match state:
        case State.ACCEPTED:
            _start_clock(session, notice, message, at)
        case State.REFUSED:
            _make_unreached(session, notice, "the mail server refused the mail", at)
        case State.WITHHELD:
            why = session.scalar(select(type_coerce(Message.withheld, String)).where(Message.row == message.row))
            _make_unreached(session, notice, why or "", at)


def bounced(session: Session, message: Message, at: datetime, why: str) -> None:
    """A notice that came back is no notice: its clock is void and the person counts as unreached (S2)."""
    notice = queries.for_message(session, message.row)
    if notice is None or notice.state not in rules.STANDING:
        return
    ledger.record(
        session,
        "notice.voided",
        at,
        contact_id=notice.contact_id,
        version=notice.version_id,
        message=message.id,
        **_spelled(notice),
    )
    _make_unreached(session, notice, rules.without_addresses(why), at)


def withdraw(session: Session, version: Version, staff_id: str, reason: str, at: datetime) -> int:
    """Withdraw a pending version and tell those already told, in one transaction; how many are told."""
    policies.withdraw(session, version, staff_id, reason, at)
    mailing = queries.find_mailing(session, version.id)
    return withdrawals.take_back(session, version, mailing, at) if mailing is not None else 0


def catch_up(session: Session, at: datetime) -> int:
    """Tell those who joined, or whose primary address changed, while a version is pending; how many moved.

    Each gets a clock of their own (DESIGN §5). New people come with the fan-out, which the sweep rings for.
    """
    today = clock.local_day(at, settings.current().zone)
    moved = 0
    for version, mailing in queries.pending_material(session, today):
        if queries.has_newcomers(session, mailing):
            outbox.again(mailing)
        for notice, contact, address_id in queries.moved(session, version.id):
            content_id = mailing.contents.get(contact.locale) or next(iter(mailing.contents.values()))
            key = rules.key_of(version.id, address_id)
            message = outbox.put(session, kind=MailKind.NOTICE, contact=contact, content_id=content_id, key=key, at=at)
            if message.state is State.QUEUED and message.row != notice.message_row:
                _plan_again(session, notice, message, at)
                moved += 1
    return moved


def deem(
    session: Session,
    version: Version,
    today: date,
    at: datetime,
    *,
    terminated: Select[Any],
    undecided: Select[Any],
) -> int:
    """Derive, in one INSERT … SELECT, who is deemed to agree with a version by now; how many are new (S5).

    The SQL of `rules.why_not_agreed`; a property test holds the two together. Safe to run twice.
    """
    if policy_queries.is_withdrawn(session, version.id):
        return 0
    first_use = (
        select(func.min(ContactUse.used_on))
        .where(
            ContactUse.contact_id == Notice.contact_id, ~ContactUse.automatic, ContactUse.used_on >= Notice.binding_on
        )
        .scalar_subquery()
    )
    known = exists().where(
        DeemedAgreement.version_id == Notice.version_id, DeemedAgreement.contact_id == Notice.contact_id
    )
    rows = select(
        Notice.version_id,
        Notice.contact_id,
        Notice.notified_on,
        Notice.binding_on,
        first_use,
        literal(at, DeemedAgreement.at.type),
    ).where(
        Notice.version_id == version.id,
        Notice.state == NoticeState.ACCEPTED,
        Notice.respond_by_on < today,
        Notice.binding_on <= today,
        first_use.is_not(None),
        Notice.contact_id.not_in(terminated),
        Notice.contact_id.not_in(undecided),
        ~known,
    )
    names = ["version_id", "contact_id", "notified_on", "binding_on", "used_on", "at"]
    insert = _insert(session)(DeemedAgreement).from_select(names, rows).on_conflict_do_nothing()
    made = session.scalars(insert.returning(DeemedAgreement)).all()
    if made:
        _tell_deemed(session, version, made, at)
    return len(made)


def _announced(session: Session, message: Message | Outgoing, state: State, at: datetime) -> None:
    """An announcement starts no clock; but one that was on the wire when its version was withdrawn is taken back."""
    version = queries.taken_back(session, message) if state is State.ACCEPTED else None
    if version is not None and message.contact_id is not None:
        withdrawals.tell(session, version, [message.contact_id], at)


def _state_of_message() -> Any:
    unreached = literal(NoticeState.UNREACHED.value)
    return case((Message.state == State.WITHHELD, unreached), else_=literal(NoticeState.PLANNED.value))


def _clock(version: Version, at: datetime) -> rules.Clock:
    config = settings.current()
    return rules.clock_of(clock.local_day(at, config.zone), version.effective_on, holidays_of(config.country))


def _start_clock(session: Session, notice: Notice, message: Message | Outgoing, at: datetime) -> None:
    mine = _clock(session.get_one(Version, notice.version_id), at)
    notice.state, notice.why, notice.updated_at = NoticeState.ACCEPTED, "", at
    notice.notified_on, notice.respond_by_on, notice.binding_on = mine.notified_on, mine.respond_by_on, mine.binding_on
    notice.computation = mail.explain(mine, letters.company().place)
    said = {"version": notice.version_id, "message": message.id, **_spelled(notice)}
    ledger.record(session, "notice.accepted", at, contact_id=notice.contact_id, **said)
    ledger.tell(session, "notice.accepted", at, contact_id=notice.contact_id, **said)


def _make_unreached(session: Session, notice: Notice, why: str, at: datetime) -> None:
    notice.state, notice.why, notice.computation, notice.updated_at = NoticeState.UNREACHED, why, "", at
    notice.notified_on = notice.respond_by_on = notice.binding_on = None
    _tell_unreached(session, notice, at)


def _tell_unreached(session: Session, notice: Notice, at: datetime) -> None:
    version = session.get_one(Version, notice.version_id)
    ledger.record(session, "notice.unreached", at, contact_id=notice.contact_id, version=version.id)
    ledger.tell(session, "notice.unreached", at, contact_id=notice.contact_id, version=version.id)
    tasks.open_task(
        session,
        key=f"unreached/{notice.message_row}",
        kind="unreached",
        text=f"A notice of “{version.policy.title}”, version {version.number}, did not reach this person. "
        f"Find an address that works; until then the change does not bind them.",
        subject_id=version.id,
        contact_id=notice.contact_id,
        due_on=version.effective_on,
        at=at,
    )


def _tell_deemed(session: Session, version: Version, made: Sequence[DeemedAgreement], at: datetime) -> None:
    """One entry for the batch, with a digest of the facts it rests on; one event for each person."""
    lines = sorted(f"{a.contact_id} {a.notified_on} {a.binding_on} {a.used_on}" for a in made)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    ledger.record(session, "agreement.deemed", at, version=version.id, count=len(made), digest=digest)
    for agreement in made:
        ledger.tell(session, "agreement.deemed", at, contact_id=agreement.contact_id, version=version.id)


def _plan_again(session: Session, notice: Notice, message: Message, at: datetime) -> None:
    ledger.record(
        session,
        "notice.planned_again",
        at,
        contact_id=notice.contact_id,
        version=notice.version_id,
        message=message.id,
        **_spelled(notice),
    )
    notice.message_row, notice.state, notice.why, notice.updated_at = message.row, NoticeState.PLANNED, "", at
    notice.notified_on = notice.respond_by_on = notice.binding_on = None
    notice.computation = ""
    session.flush()


def _spelled(notice: Notice) -> dict[str, Any]:
    days = {
        "notified_on": notice.notified_on,
        "respond_by_on": notice.respond_by_on,
        "binding_on": notice.binding_on,
    }
    return {name: day.isoformat() for name, day in days.items() if day is not None}


def _insert(session: Session) -> Any:
    """This dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
