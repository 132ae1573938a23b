"""A notice that said something wrong goes out once more, put right, and everybody's time starts anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, null, select, update
from sqlalchemy.orm import Session

from mailer import ids
from mailer.errors import Conflict, Invalid, NotFound
from mailer.ledger import actions as ledger
from mailer.notices import clocks, facts, letters, mail, queries, rules
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState, Via
from mailer.outbox import actions as outbox
from mailer.outbox import mailings
from mailer.outbox.models import Message
from mailer.outbox.rules import MailingState, MailKind, State
from mailer.policies import queries as policies
from mailer.policies import written
from mailer.policies.models import Version


class NotCorrectable(Conflict):
    """A version that is in effect or withdrawn, or whose notices are still going out."""


def correct(session: Session, version: Version, words: Mapping[str, str], staff_id: str, at: datetime) -> int:
    """Send the notice of a pending version again with what was wrong in it, by language; how many get it.

    Those whom the first one reached get this one and a clock of its own; what they answered stands. Whoever comes later
    gets only this one. NotCorrectable once the version is in effect, and while notices of it are on their way.
    """
    said = {locale: written.read_words(words.get(locale, ""), f"words_{locale}") for locale in mail.LOCALES}
    for locale, text in said.items():
        if not text:
            raise Invalid(f"words_{locale}: say what was wrong, and what is right.", field=f"words_{locale}")
    mailing = queries.find_mailing(session, version.id)
    if mailing is None or mailing.kind is not MailKind.NOTICE:
        raise NotFound("Nobody is told of this version by a notice.")
    session.refresh(mailing, with_for_update=True)
    if policies.is_withdrawn(session, version.id) or version.effective_on <= clocks.day_of(at):
        raise NotCorrectable("This version is in effect or was withdrawn; release a new one.")
    if mailing.state is not MailingState.FANNED_OUT or mailings.left(session, mailing.id):
        raise NotCorrectable("Notices of this version are still going out; wait for the last, or withdraw the version.")
    mailing.contents = letters.about(session, version, MailKind.NOTICE, at, said)
    key = rules.key_of(version.id, f"{ids.new('cor')}/")
    reached = and_(Notice.version_id == version.id, Notice.state == NoticeState.ACCEPTED, Notice.via == Via.MAIL)
    to = select(Notice.contact_id).where(reached)
    outbox.put_to_many(session, kind=MailKind.NOTICE, to=to, contents=mailing.contents, key=key, at=at)
    count = _plan_again(session, version, key, at)
    ledger.record(session, "notice.corrected", at, version=version.id, count=count, staff=staff_id)
    return count


def _plan_again(session: Session, version: Version, key: str, at: datetime) -> int:
    """The notices of these mails are on their way again; who cannot be mailed any more keeps what they had."""
    waiting = Message.key.startswith(key, autoescape=True), Message.state == State.QUEUED
    mine = Message.contact_id == Notice.contact_id
    which = Notice.version_id == version.id, Notice.contact_id.in_(select(Message.contact_id).where(*waiting))
    row = select(Message.row).where(mine, *waiting).scalar_subquery()
    done = session.execute(
        update(Notice)
        .where(*which)
        .values(
            message_row=row,
            state=NoticeState.PLANNED,
            notified_on=null(),
            respond_by_on=null(),
            binding_on=null(),
            reminded_at=null(),
            computation="",
            updated_at=at,
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    facts.planned_again(session, and_(*which), "correction", at)
    return int(done.rowcount)  # type: ignore[attr-defined]
