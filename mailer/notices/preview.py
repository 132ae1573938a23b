"""The mail that a draft would send, as a sample person sees it, made by the code that makes the real one."""

from __future__ import annotations

from mailer import settings
from mailer.delivery import compose, content
from mailer.delivery.compose import Rendered
from mailer.notices import letters, mail, rules
from mailer.outbox.models import Content
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.review import Review
from mailer.policies.rules import holidays_of
from mailer.policies.versions import digest
from mailer.policies.wording import TOLD


def clock_today(seen: Review) -> rules.Clock:
    """The dates of somebody whose notice is accepted today."""
    effective_on = seen.effective_on or seen.earliest
    return rules.clock_of(seen.today, effective_on, holidays_of(settings.current().country))


def of_draft(seen: Review, locale: str) -> Rendered | None:
    """The rendered mail; None if the release would send none."""
    version = _as_released(seen)
    kind = letters.kind_of(version)
    if kind is None:
        return None
    facts = letters.facts(version, seen.base, locale)
    words = content.render(kind, locale, facts, why=mail.WHY[locale])
    frozen = Content(kind=kind, locale=locale, subject=words.subject, text=words.text, html=words.html)
    url = settings.current().url
    lead_nowhere = {"agree_url": f"{url}/agreements/preview", "terminate_url": f"{url}/terminations/start/preview"}
    return compose.preview(frozen, mail.dates(clock_today(seen), letters.company().place, locale) | lead_nowhere)


def _as_released(seen: Review) -> Version:
    """The version that the draft would become; it is never kept."""
    draft = seen.draft
    return Version(
        policy=draft.policy,
        number=seen.number,
        change_class=draft.change_class,
        ownership=draft.ownership,
        announce=draft.announce,
        effective_on=seen.effective_on or seen.earliest,
        text=draft.text,
        sha256=digest(draft.text),
        translations=[
            VersionTranslation(
                language=row.language,
                title=row.title,
                text=row.text,
                sha256=digest(row.text),
                **{name: getattr(row, name) for name in TOLD},
            )
            for row in draft.translations
        ],
        **{name: getattr(draft, name) for name in TOLD},
    )
