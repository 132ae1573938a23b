"""What the public pages, feeds and banners say around the texts, in each language of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel import Locale
from babel.dates import format_date
from markupsafe import Markup

from mailer.policies.diff.tongues import Tongue, tongue_of
from mailer.policies.public.words_dutch import DUTCH
from mailer.policies.public.words_english import ENGLISH

WORDS: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "nl": DUTCH}
"""A phrase for a number has two forms, the singular first, with “|” between them."""

LANGUAGES = tuple(WORDS)


@dataclass(frozen=True)
class Words:
    """The phrases of one language: `words("in_force", n=2, day=…)`."""

    language: str

    def __call__(self, phrase: str, **values: object) -> Markup:
        """A phrase for a page; what is filled in is escaped unless it is markup already."""
        return Markup(self._form(phrase, values)).format(**values)  # noqa: S704 - our own phrase

    def plain(self, phrase: str, **values: object) -> str:
        """A phrase for data and feeds, as plain text."""
        return self._form(phrase, values).format(**values)

    @property
    def tongue(self) -> Tongue:
        """What a marked text says beside its words."""
        return tongue_of(self.language)

    def day(self, day: date) -> str:
        """A legal day in full: “Tuesday 24 November 2026”."""
        return format_date(day, "EEEE d MMMM y", locale=self.language)

    def name_of(self, language: str) -> str:
        """What this language calls another: “Dutch”."""
        return str(Locale(self.language).languages.get(language, language))

    def _form(self, phrase: str, values: Mapping[str, object]) -> str:
        forms = WORDS[self.language][phrase].split("|")
        return forms[0] if len(forms) == 1 or values.get("n") == 1 else forms[1]


def words_for(*languages: str) -> Words:
    """The phrases of the first of these languages that we have, else English."""
    return Words(next((language for language in languages if language in WORDS), "en"))
