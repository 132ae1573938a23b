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
from mailer.notices.rules import NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailKind, State
from mailer.policies import queries as policies
from mailer.policies import written
from mailer.policies.models import Version


class NotCorrectable(Conflict):
    """A version in effect or withdrawn, whose notices are still going out, or whose notice says the same already."""


def correct(session: Session, version: Version, words: Mapping[str, str], staff_id: str, at: datetime) -> int:
    """Send the notice of a pending version again with what was wrong in it, by language; how many get it.

    Those whom an earlier one reached, and those for whom one waits at their server or after a correction, get this one
    and a clock of its own, where the earlier one went; what they answered stands. Whoever comes later gets only this
    one. NotCorrectable once the version is in effect, while the mailing makes its first tries, and for the same words.
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
    if queries.is_going_out(session, mailing):
        raise NotCorrectable("Notices of this version are still going out; wait for the last, or withdraw the version.")
    contents = letters.about(session, version, MailKind.NOTICE, at, said)
    if contents == mailing.contents:
        raise NotCorrectable("The notice says just this already; write what else was wrong.")
    mailing.contents = contents
    key = rules.key_of(version.id, f"{ids.new('cor')}/")
    _put(session, version, mailing, key, at)
    count = _plan_again(session, version, key, at)
    _stop_earlier(session, mailing, key, at)
    ledger.record(session, "notice.corrected", at, version=version.id, count=count, staff=staff_id)
    return count


def _put(session: Session, version: Version, mailing: Mailing, key: str, at: datetime) -> None:
    """To the primary address; where that was tried in vain and another reached the person, to that one."""
    kind, contents = MailKind.NOTICE, mailing.contents
    elsewhere = queries.told_elsewhere(session, version.id)
    for contact, email in elsewhere:
        content_id = letters.in_language(contents, contact.locale)
        said = f"{key}{contact.id}"
        outbox.put(session, kind=kind, contact=contact, content_id=content_id, key=said, to_address=email, at=at)
    to = select(Notice.contact_id).where(queries.told_by_mail(version.id))
    outbox.put_to_many(session, kind=kind, to=to, contents=contents, key=key, at=at)


def _stop_earlier(session: Session, mailing: Mailing, key: str, at: datetime) -> None:
    """Let the mails that waited before not go out, where one of this key is on its way to the same person."""
    mine = Message.key.startswith(key, autoescape=True)
    got = select(Message.contact_id).where(mine, Message.state == State.QUEUED)
    earlier = Message.key.is_(None) | ~mine, Message.contact_id.in_(got)
    outbox.cancel(session, queries.waiting(mailing).where(*earlier), at)


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
