"""The mail that a draft would send, as a sample person sees it, made by the code that makes the real one."""

from __future__ import annotations

import hashlib

from mailer import settings
from mailer.delivery import compose, content
from mailer.delivery.compose import Rendered
from mailer.notices import actions, mail, rules
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.policies.diff.render import wordings
from mailer.policies.models import Version
from mailer.policies.review import Review
from mailer.policies.rules import ChangeClass, holidays_of


def clock_today(seen: Review) -> rules.Clock:
    """The dates of somebody whose notice is accepted today."""
    effective_on = seen.effective_on or seen.earliest
    return rules.clock_of(seen.today, effective_on, holidays_of(settings.current().country))


def of_draft(seen: Review, locale: str) -> Rendered | None:
    """The rendered mail; None if the release would send none."""
    if not seen.is_mailed:
        return None
    version, ours = _as_released(seen), actions.company()
    if seen.draft.change_class is ChangeClass.MATERIAL:
        kind, facts = MailKind.NOTICE, mail.notice(version, seen.base, wordings(seen.found), ours, locale)
    else:
        kind, facts = MailKind.ANNOUNCEMENT, mail.announcement(version, seen.base, ours, locale)
    words = content.render(kind, locale, facts, why=mail.WHY[locale])
    frozen = Content(kind=kind, locale=locale, subject=words.subject, text=words.text, html=words.html)
    return compose.preview(frozen, mail.dates(clock_today(seen), ours.place, locale))


def _as_released(seen: Review) -> Version:
    """The version that the draft would become; it is never kept."""
    draft = seen.draft
    return Version(
        policy=draft.policy,
        number=seen.number,
        effective_on=seen.effective_on or seen.earliest,
        summary=draft.summary,
        why=draft.why,
        impact=draft.impact,
        sha256=hashlib.sha256(draft.text.encode()).hexdigest(),
    )
