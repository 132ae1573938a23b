"""What servers answered to mails that tell of versions: clocks start, by the batch; a no is seen to one by one."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, String, func, select, type_coerce, update
from sqlalchemy.orm import Session, defer

from mailer import ids
from mailer.contacts.models import Contact
from mailer.ledger import actions as ledger
from mailer.ledger.merkle import merkle_root
from mailer.notices import clocks, facts, queries, rules, unreached, withdrawals
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.rules import FactKind, NoticeState, Via
from mailer.outbox.models import Attempt, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind, Outcome, State
from mailer.policies import queries as policies
from mailer.policies.models import Version

LONG_DEFERRED_HOURS = 24
REFUSED = "the mail server refused the mail"


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail that tells of a version, and what it is now. `at` is when the server answered."""

    mail: Message | Outgoing
    state: State
    at: datetime
    is_deferred: bool = False


def settled(session: Session, answers: Sequence[Answered], at: datetime) -> None:
    """Let notices follow from answers: the clock runs from a server's yes; a no, or a mail not sent, is no notice.

    A bounce that was read before the answer was written down stands: it comes later than what it answers. The yeses of
    a batch cost a few statements, however many they are, and make one ledger entry a version and day.
    """
    _take_back(session, answers)
    about = {one.mail.row: one for one in answers if one.mail.kind is MailKind.NOTICE}
    if not about:
        return
    _take(session, [one for one in about.values() if one.state is State.ACCEPTED], at)
    for one in about.values():
        if one.state in (State.REFUSED, State.WITHHELD):
            _fail(session, one)
    _note_deferred(session, [one for one in about.values() if one.is_deferred])


def _take_back(session: Session, answers: Iterable[Answered]) -> None:
    """An announcement starts no clock; but one that was on the wire when its version was withdrawn is taken back."""
    taken = [one for one in answers if one.mail.kind is MailKind.ANNOUNCEMENT and one.state is State.ACCEPTED]
    versions = queries.taken_back(session, {one.mail.mailing_id for one in taken if one.mail.mailing_id})
    for one in taken:
        version = versions.get(one.mail.mailing_id or "")
        if version is not None and one.mail.contact_id is not None:
            withdrawals.tell(session, version, _only(one.mail.contact_id), one.at)


def _take(session: Session, taken: Sequence[Answered], at: datetime) -> None:
    known = {one.mail.row: one for one in taken}
    rows = queries.states_of(session, list(known)) if known else []
    planned: dict[tuple[str, date], list[int]] = defaultdict(list)
    for row in rows:
        if row.state is NoticeState.PLANNED:
            planned[row.version_id, clocks.day_of(known[row.message_row].at)].append(row.id)
        elif row.state is NoticeState.ENDED and policies.is_withdrawn(session, row.version_id):
            version = session.get_one(Version, row.version_id)  # withdrawn while the mail was on the wire
            withdrawals.tell(session, version, _only(row.contact_id), known[row.message_row].at)
    for (version_id, day), notice_ids in sorted(planned.items()):
        _start_clocks(session, version_id, day, notice_ids, at)


def _start_clocks(session: Session, version_id: str, day: date, notice_ids: Sequence[int], at: datetime) -> None:
    """Those told of one version on one day have the same clock: one statement, one entry, an event each."""
    version = session.get_one(Version, version_id, options=[defer(Version.text)])
    days = clocks.on(version, day).days
    started: dict[str, Any] = {
        "state": NoticeState.ACCEPTED,
        "why": "",
        "computation": clocks.explained(version, days, Via.MAIL),
        "notified_on": days.notified_on,
        "respond_by_on": days.respond_by_on,
        "binding_on": days.binding_on,
        "updated_at": at,
    }
    still = Notice.id.in_(notice_ids), Notice.state == NoticeState.PLANNED
    begun = session.execute(
        update(Notice).where(*still).values(**started).returning(Notice.id, Notice.contact_id, Notice.message_row)
    ).all()
    if not begun:
        return
    in_order = sorted(begun, key=lambda row: row.message_row)
    batch = ids.new("ntb")
    facts.accepted(session, [row.id for row in in_order], days, batch, at)
    leaves = [rules.leaf(version_id, r.contact_id, ids.message_id(r.message_row), days) for r in in_order]
    root = merkle_root(hashlib.sha256(leaf.encode()).hexdigest() for leaf in leaves)
    rows = [in_order[0].message_row, in_order[-1].message_row]
    entry: dict[str, Any] = {"batch": batch, "count": len(in_order), "root": root, "rows": rows}
    said: dict[str, Any] = {"version": version_id} | days.spelled
    ledger.record(session, "notices.accepted", at, **entry, **said)
    told = ((row.contact_id, {"message": ids.message_id(row.message_row)} | said) for row in in_order)
    ledger.tell_many(session, "notice.accepted", at, told)


def _only(contact_id: str) -> Select[Any]:
    return select(Contact.id).where(Contact.id == contact_id)


def _fail(session: Session, one: Answered) -> None:
    notice = queries.for_message(session, one.mail.row)
    if notice is None or notice.state is not NoticeState.PLANNED:
        return
    if one.state is State.REFUSED:
        unreached.mail_failed(session, notice, FactKind.REFUSED, REFUSED, one.at)
        return
    why = session.scalar(select(type_coerce(Message.withheld, String)).where(Message.row == one.mail.row))
    unreached.mail_failed(session, notice, FactKind.WITHHELD, why or "", one.at)


def _note_deferred(session: Session, deferred: Sequence[Answered]) -> None:
    """That a server puts a mail off since long: this person's clock will start later than the others'. Once a mail."""
    when = {one.mail.row: one.at for one in deferred}
    if not when:
        return
    known = select(NoticeFact.message_row).where(
        NoticeFact.message_row == Notice.message_row,
        NoticeFact.contact_id == Notice.contact_id,
        NoticeFact.version_id == Notice.version_id,
        NoticeFact.kind == FactKind.DEFERRED,
    )
    first = (
        select(Attempt.message_row, func.min(Attempt.at).label("at"))
        .where(Attempt.message_row.in_(when), Attempt.outcome == Outcome.DEFERRED)
        .group_by(Attempt.message_row)
        .subquery()
    )
    query = select(Notice, first.c.at).join(first, first.c.message_row == Notice.message_row).where(~known.exists())
    for notice, since in session.execute(query).all():
        at = when[notice.message_row]
        if (at - since).total_seconds() >= LONG_DEFERRED_HOURS * 3600:
            facts.happened(
                session, notice, FactKind.DEFERRED, at, message_row=notice.message_row, since=since.isoformat()
            )
