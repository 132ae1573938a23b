"""Tell people of versions, and take back what bounced or was withdrawn (S2; invariant 7).

What servers answer is in `settling`, ways back to the unreached in `unreached`, agreement in `agreement`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, case, exists, func, literal, select, type_coerce
from sqlalchemy.orm import Session, defer

from mailer import db, signing
from mailer.ledger import actions as ledger
from mailer.notices import clocks, facts, letters, mail, queries, rules, unreached, withdrawals
from mailer.notices.models import Notice
from mailer.notices.rules import FactKind, NoticeState, Via
from mailer.outbox import actions as outbox
from mailer.outbox import audience as audiences
from mailer.outbox import queries as outbox_queries
from mailer.outbox.models import Mailing, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind, State
from mailer.policies import actions as policies
from mailer.policies.models import Version

MOVED_AT_ONCE = 500
_NOT_TOLD = (NoticeState.UNREACHED,)
_TOLD_OR_NOT = (NoticeState.ACCEPTED, NoticeState.UNREACHED)


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
    version = session.get_one(Version, mailing.subject_id, options=[defer(Version.text)])
    known = exists().where(Notice.version_id == version.id, Notice.contact_id == Message.contact_id)
    withheld = type_coerce(Message.withheld, String)
    of_mailing = Message.mailing_id == mailing.id
    if rows is not None:
        of_mailing = outbox_queries.of_rows(mailing.id, rows.start, rows.stop - 1)
    told = select(
        literal(version.id),
        Message.contact_id,
        Message.row,
        literal(letters.notice_kind(version), Notice.kind.type),
        _state_of_message(),
        func.coalesce(withheld, literal("")),
        literal(at, Notice.updated_at.type),
    ).where(of_mailing, ~known)
    names = ["version_id", "contact_id", "message_row", "kind", "state", "why", "updated_at"]
    insert = db.insert(session, Notice).from_select(names, told).on_conflict_do_nothing()
    made = session.execute(insert.execution_options(preserve_rowcount=True))
    for notice in queries.fresh_unreached(session, of_mailing):
        unreached.tell(session, notice, at)
    facts.planned(session, of_mailing, at)
    return int(made.rowcount)  # type: ignore[attr-defined]


def fill_in(session: Session, letters_in_hand: Sequence[Outgoing]) -> None:
    """Each person's dates and link as text, were the mail accepted on its day; its bytes follow from them."""
    rows = [letter.row for letter in letters_in_hand if letter.kind is MailKind.NOTICE]
    told = queries.told_of(session, rows) if rows else {}
    reckoned: dict[tuple[str, bool, str, datetime], dict[str, str]] = {}
    for letter in letters_in_hand:
        if letter.row not in told:
            continue
        version, is_consumer = told[letter.row]
        locale = letter.content.locale
        said = version.id, is_consumer, locale, letter.dated_at
        if said not in reckoned:
            mine = clocks.on(version, clocks.day_of(letter.dated_at))
            reckoned[said] = mail.dates(mine, letters.company().place, locale, is_consumer=is_consumer)
        letter.facts = reckoned[said] | _links(letter)


def _links(letter: Outgoing) -> dict[str, str]:
    """What a reader may press in a notice; a link says the message that it came in."""
    paths = {"agree_url": ("agreements", queries.AGREE), "terminate_url": ("terminations/start", queries.TERMINATE)}
    return {
        name: f"{letter.content.url}/{path}/{signing.sign(purpose, letter.id, letter.key_id)}"
        for name, (path, purpose) in paths.items()
    }


def ended(session: Session, letters_in_hand: Sequence[Outgoing]) -> set[int]:
    """Those of the mails that are not to reach the wire any more, by row.

    Their version was withdrawn, their person merged into another, or another mail carries their notice by now.
    """
    notices = {letter.row for letter in letters_in_hand if letter.kind is MailKind.NOTICE and letter.contact_id}
    announcing = {one.mailing_id for one in letters_in_hand if one.kind is MailKind.ANNOUNCEMENT and one.mailing_id}
    withdrawn = queries.withdrawn_mailings(session, announcing) if announcing else set()
    over = {one.row for one in letters_in_hand if one.kind is MailKind.ANNOUNCEMENT and one.mailing_id in withdrawn}
    return over | (notices - queries.carrying(session, list(notices)) if notices else set())


def bounced(session: Session, message: Message, at: datetime, why: str) -> None:
    """A notice that came back is no notice: its clock is void and the person counts as unreached (S2)."""
    notice = queries.for_message(session, message.row)
    if notice is None or notice.state not in rules.STANDING or notice.via is not Via.MAIL:
        return
    before = facts.standing(session, notice.version_id, notice.contact_id)
    said: dict[str, Any] = {"version": notice.version_id, "message": message.id} | (
        before.days.spelled if before.days else {}
    )
    ledger.record(session, "notice.voided", at, contact_id=notice.contact_id, **said)
    unreached.mail_failed(session, notice, FactKind.BOUNCED, rules.without_addresses(why, message.to_address), at)


def withdraw(session: Session, version: Version, staff_id: str, reason: str, at: datetime) -> int:
    """Withdraw a pending version and tell those already told, in one transaction; how many are told."""
    policies.withdraw(session, version, staff_id, reason, at)
    mailing = queries.find_mailing(session, version.id)
    return withdrawals.take_back(session, version, mailing, at) if mailing is not None else 0


def catch_up(session: Session, at: datetime) -> int:
    """Tell those who joined, or whose primary address changed, while a version is pending; how many moved.

    Each gets a clock of their own (DESIGN §5). New people come with the fan-out, which the sweep rings for. To be done
    before the day's versions take effect, and `tell_moved` until nobody is left.
    """
    for mailing in queries.being_told(session, clocks.day_of(at)):
        if queries.has_newcomers(session, mailing):
            outbox.again(mailing)
    return tell_moved(session, at)


def tell_moved(session: Session, at: datetime, limit: int = MOVED_AT_ONCE) -> int:
    """Tell at their new primary address: of what is pending everybody, of what is in effect whom no notice reached.

    At most `limit` people a version; how many were.
    """
    today = clocks.day_of(at)
    pending = queries.being_told(session, today)
    in_effect = [one for one in queries.told_before(session, today) if one not in pending]
    count = sum(_tell_moved(session, one, _TOLD_OR_NOT, at, limit) for one in pending)
    return count + sum(_tell_moved(session, one, _NOT_TOLD, at, limit) for one in in_effect)


def _tell_moved(session: Session, mailing: Mailing, states: Collection[NoticeState], at: datetime, limit: int) -> int:
    version_id = mailing.subject_id
    if not queries.moved(session, version_id, states, 1):
        return 0
    session.refresh(mailing, with_for_update=True)  # after whoever corrects the notice or withdraws the version
    count = 0
    for notice, contact, address_id in queries.moved(session, version_id, states, limit):
        content_id = letters.in_language(mailing.contents, contact.locale)
        key = rules.key_of(version_id, address_id)
        message = outbox.put(session, kind=MailKind.NOTICE, contact=contact, content_id=content_id, key=key, at=at)
        if message.state is State.QUEUED and message.row != notice.message_row:
            unreached.plan_again(session, notice, message, "primary address changed", at)
            count += notice.state is NoticeState.PLANNED
    return count


def _state_of_message() -> Any:
    unreached = literal(NoticeState.UNREACHED.value)
    return case((Message.state == State.WITHHELD, unreached), else_=literal(NoticeState.PLANNED.value))
