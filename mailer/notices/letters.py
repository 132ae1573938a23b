"""Which mail tells of a version, and its wording frozen in every language (S2, S3, S6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer import settings
from mailer.delivery import content
from mailer.notices import mail, told
from mailer.outbox.rules import MailKind
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.policies.rules import Announce, ChangeClass

Facts = dict[str, Any]


def company() -> mail.Company:
    """What letters say of us."""
    config = settings.current()
    return mail.Company(config.url, config.time_zone.rpartition("/")[2].replace("_", " "))


def kind_of(version: Version) -> MailKind | None:
    """The mail that tells of a version; None where no mail is due."""
    match version.change_class, version.announce:
        case ChangeClass.MATERIAL, _:
            return MailKind.NOTICE
        case ChangeClass.ORDINARY, Announce.EMAIL:
            return MailKind.ANNOUNCEMENT
        case _:
            return None


def facts(version: Version, base: Version | None, locale: str) -> Facts:
    """What the mail about a version says to readers of one language."""
    said = told.told_in_full(version, base, locale)
    if version.change_class is ChangeClass.MATERIAL:
        return mail.notice(said, company())
    return mail.announcement(said, company())


def about(session: Session, version: Version, kind: MailKind, at: datetime) -> dict[str, str]:
    """The frozen contents of the mail about a version, by language."""
    base = policies.shelf(session, version.policy).base_of(version)
    return _freeze(session, kind, lambda locale: facts(version, base, locale), at)


def withdrawal(session: Session, version: Version, at: datetime) -> dict[str, str]:
    """The frozen contents of the letter that takes it back, by language."""
    shelf = policies.shelf(session, version.policy)
    base, reason = shelf.base_of(version), shelf.withdrawals[version.id].reason

    def said(locale: str) -> Facts:
        return mail.withdrawal(told.told(version, base, locale), reason, company())

    return _freeze(session, MailKind.WITHDRAWAL, said, at)


def _freeze(session: Session, kind: MailKind, said: Callable[[str], Facts], at: datetime) -> dict[str, str]:
    return {
        locale: content.freeze(session, kind, locale, said(locale), at, why=mail.WHY[locale]) for locale in mail.LOCALES
    }
