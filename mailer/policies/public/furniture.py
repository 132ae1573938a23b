"""What every public page carries around its text: its words, its addresses, its canonical link, its languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mailer.policies.languages import LANGUAGES, is_right_to_left
from mailer.policies.models import Policy, Version, VersionTranslation
from mailer.policies.public.addresses import Addresses
from mailer.policies.public.words import WORDS, Words, words_for

Where = Callable[[Addresses], str]
"""A page's address among a policy's addresses."""


def addresses(policy: Policy, language: str = "", site: str = "") -> Addresses:
    """The addresses of a policy, in its own language unless another is named."""
    return Addresses(policy.slug, policy.language, language or policy.language, site)


def around(
    policy: Policy, asked: str, url: str, here: Where, available: Sequence[str], canonical: Where | None = None
) -> dict[str, Any]:
    """What the templates of a policy's pages need; `available` are the languages the page can be read in.

    The canonical page of a text asked for in a language it does not have is the authoritative one.
    """
    words = words_for(asked)
    to = addresses(policy, asked)
    public = addresses(policy, asked if asked in available else policy.language, url)
    canonical = canonical or here
    switch = [_choice(code, here(to.read_in(code)), asked) for code in available]
    return {
        "lang": words.language,
        "w": words,
        "to": to,
        "canonical": canonical(public),
        "alternates": [(code, canonical(public.read_in(code))) for code in available] if len(available) > 1 else [],
        "default_alternate": canonical(public.read_in(policy.language)),
        "switch": switch if len(available) > 1 else [],
    }


def around_all(words: Words, url: str) -> dict[str, Any]:
    """What the template of the list of policies needs; it can be read in every language of our own words."""

    def here(code: str) -> str:
        return "/policies" if code == words_for().language else f"/policies?lang={code}"

    return {
        "lang": words.language,
        "w": words,
        "canonical": url + here(words.language),
        "alternates": [(code, url + here(code)) for code in WORDS],
        "default_alternate": url + here(words_for().language),
        "switch": [_choice(code, here(code), words.language) for code in WORDS],
    }


def of_text(version: Version, asked: str) -> dict[str, Any]:
    """The words a reader gets of a version: in the language asked for if there are such, else the authoritative."""
    shown = version.in_language(asked) or version
    own = version.policy.language
    return {
        "shown": shown,
        "text_lang": shown.language,
        "text_dir": direction(shown),
        "own_language": own,
        "is_translation": shown.language != own,
        "is_missing": shown.language != asked,
        "asked": asked,
    }


def direction(shown: Version | VersionTranslation) -> str:
    """Which way a text runs, for `dir`."""
    return "rtl" if is_right_to_left(shown.language) else "ltr"


def _choice(code: str, href: str, current: str) -> dict[str, Any]:
    return {"code": code, "name": LANGUAGES[code], "href": href, "is_current": code == current}
