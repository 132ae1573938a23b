"""The languages a policy can be written in, by ISO 639-1 code, each by its own name."""

from __future__ import annotations

from collections.abc import Mapping

from mailer.errors import Invalid

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "nl": "Nederlands",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "pt": "Português",
    "da": "Dansk",
    "sv": "Svenska",
    "fi": "Suomi",
    "et": "Eesti",
    "lv": "Latviešu",
    "lt": "Lietuvių",
    "pl": "Polski",
    "cs": "Čeština",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "ro": "Română",
    "bg": "Български",
    "el": "Ελληνικά",
    "ga": "Gaeilge",
    "mt": "Malti",
    "no": "Norsk",
    "is": "Íslenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "ru": "Русский",
    "ar": "العربية",
    "fa": "فارسی",
    "he": "עברית",
    "ur": "اردو",
    "zh": "中文",
    "ja": "日本語",
    "ko": "한국어",
}
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class UnknownLanguage(Invalid):
    """A language we do not know, or the policy's own as a translation of itself."""

    field = "language"


def is_right_to_left(language: str) -> bool:
    """Whether its script runs from right to left."""
    return language in RIGHT_TO_LEFT


def read_language(code: str) -> str:
    """A language's code as we keep it; UnknownLanguage if we do not know it."""
    language = code.strip().lower()
    if language not in LANGUAGES:
        raise UnknownLanguage(
            f"language: “{code[:20]}” is not a language known here; choose from {', '.join(LANGUAGES)}."
        )
    return language


def check_translation(language: str, own: str) -> None:
    """UnknownLanguage unless a policy written in `own` may have a translation into this language."""
    if read_language(language) == own:
        raise UnknownLanguage(
            f"language: the policy itself is written in {LANGUAGES[own]}; a translation needs another."
        )
