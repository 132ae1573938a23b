"""What readers of one language are told of a version: its words in their language, else those that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale

from mailer.policies.diff.render import Wording, wordings
from mailer.policies.languages import is_right_to_left
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.public import comparison

_NOTES = {
    "en": (
        "There is no English translation of this text; it is given in {own}.",
        "You read a translation. The text in {own} is the one that counts.",
        "The changes are quoted from the text in {own}.",
    ),
    "nl": (
        "Van deze tekst is er geen Nederlandse vertaling; hij staat hier in het {own}.",
        "U leest een vertaling. De tekst in het {own} is bindend.",
        "De wijzigingen zijn aangehaald uit de tekst in het {own}.",
    ),
}


@dataclass(frozen=True)
class Told:
    """A version and the one before it, in the words that readers of `locale` get."""

    version: Version
    base: Version | None
    locale: str
    words: Version | VersionTranslation
    quoted: Sequence[Wording] = ()
    quoted_in: str = ""

    @property
    def note(self) -> str:
        """Which language this is, and which counts; empty where readers have the authoritative text."""
        own = self.version.language
        if own == self.locale:
            return ""
        missing, translated, quoted = _NOTES[self.locale]
        parts = [missing if self.words.language == own else translated]
        if self.quoted and self.quoted_in != self.words.language:
            parts.append(quoted)
        return " ".join(parts).format(own=Locale.parse(self.locale).languages[own])


def told(version: Version, base: Version | None, locale: str) -> Told:
    """The words about a version in a language; nothing is quoted of the change."""
    return Told(version, base, locale, version.in_language(locale) or version)


def told_in_full(version: Version, base: Version | None, locale: str) -> Told:
    """The same with the old and the new wording of each change, in that language if both versions have it.

    A translation in which no word changed hides nothing: the authoritative wordings are quoted then.
    """
    words = version.in_language(locale) or version
    if base is None:
        return Told(version, base, locale, words)
    compared = comparison.of(base, version, locale)
    quoted, quoted_in = wordings(compared.found), compared.language
    if not quoted and quoted_in != version.language:
        quoted, quoted_in = wordings(comparison.compare(base.text, version.text)), version.language
    return Told(version, base, locale, words, quoted, quoted_in)


def direction(language: str) -> str:
    """Which way a language runs, for `dir`."""
    return "rtl" if is_right_to_left(language) else "ltr"
