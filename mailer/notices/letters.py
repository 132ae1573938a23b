"""Which mail tells of a version, and its wording frozen in every language (S2, S3, S6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.delivery import content
from mailer.notices import lint, mail, told
from mailer.notices.rules import Days, NoticeKind
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.policies.rules import Announce, ChangeClass

Facts = dict[str, Any]


def company() -> mail.Company:
    """What letters say of us."""
    config = settings.current()
    return mail.Company(config.url, config.time_zone.rpartition("/")[2].replace("_", " "))


def in_language(contents: Mapping[str, str], locale: str) -> str:
    """The content for a reader of this language; where none is in it, the first one."""
    return contents.get(locale) or next(iter(contents.values()))


def kind_of(version: Version) -> MailKind | None:
    """The mail that tells of a version; None where no mail is due."""
    match version.change_class, version.announce:
        case ChangeClass.MATERIAL, _:
            return MailKind.NOTICE
        case ChangeClass.ORDINARY, Announce.EMAIL:
            return MailKind.ANNOUNCEMENT
        case _:
            return None


def notice_kind(version: Version) -> NoticeKind:
    """What a notice of this version is about (S2, S7)."""
    return NoticeKind.OWNERSHIP if version.ownership else NoticeKind.MATERIAL


def facts(
    version: Version, base: Version | None, locale: str, others: Sequence[Version] = (), correction: str = ""
) -> Facts:
    """What the mail about a version says to readers of one language, beside notices of `others`."""
    said = told.told_in_full(version, base, locale)
    if version.change_class is ChangeClass.MATERIAL:
        return mail.notice(said, company(), others, correction)
    return mail.announcement(said, company())


def about(
    session: Session, version: Version, kind: MailKind, at: datetime, corrections: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The frozen contents of the mail about a version, by language; `corrections` puts an earlier one right."""
    right = corrections or {}
    base = policies.shelf(session, version.policy).base_of(version)
    today = clock.local_day(at, settings.current().zone)
    pending = policies.pending_versions(session, today) if kind is MailKind.NOTICE else ()
    others = [one for one in pending if one.change_class is ChangeClass.MATERIAL and one.id != version.id]
    return _freeze(
        session,
        kind,
        lambda locale: facts(version, base, locale, others, right.get(locale, "")),
        at,
        _texts(version, base),
    )


def reminder(session: Session, version: Version, days: Days, at: datetime) -> dict[str, str]:
    """The frozen contents of the letter that reminds all whose clock has these days, by language."""
    base = policies.shelf(session, version.policy).base_of(version)

    def said(locale: str) -> Facts:
        return mail.reminder(told.told(version, base, locale), days, company())

    return _freeze(session, MailKind.REMINDER, said, at)


def withdrawal(session: Session, version: Version, at: datetime) -> dict[str, str]:
    """The frozen contents of the letter that takes it back, by language."""
    shelf = policies.shelf(session, version.policy)
    base, reason = shelf.base_of(version), shelf.withdrawals[version.id].reason

    def said(locale: str) -> Facts:
        return mail.withdrawal(told.told(version, base, locale), reason, company())

    return _freeze(session, MailKind.WITHDRAWAL, said, at)


def _freeze(
    session: Session, kind: MailKind, said: Callable[[str], Facts], at: datetime, quoted: str = ""
) -> dict[str, str]:
    """Wording frozen in every language; what gives notice is held to that (`lint`), but for what is `quoted` in it."""
    frozen = {}
    for locale in mail.LOCALES:
        frozen[locale] = content.freeze(session, kind, locale, said(locale), at, why=mail.WHY[locale])
        if kind is not MailKind.ANNOUNCEMENT:
            lint.check(session.get_one(Content, frozen[locale]), quoted)
    return frozen


def _texts(version: Version, base: Version | None) -> str:
    """What two versions say themselves, in every language: a notice quotes it."""
    texts = [
        text
        for one in (version, base)
        if one is not None
        for text in (one.text, *(translation.text for translation in one.translations))
    ]
    return "\n".join(texts)
