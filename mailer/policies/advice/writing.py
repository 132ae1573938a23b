"""Whether two wordings are the same words written otherwise: case, marks, contractions, spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from spellchecker import SpellChecker

from mailer.policies.advice import lexicon
from mailer.policies.diff.cues import STOP_WORDS
from mailer.policies.diff.tokens import Token

DICTIONARIES = ("en", "nl", "de")
SHORTEST = 4
"""Letters that a word must have before a letter more or less is thought a slip."""

IN_DATE = "·"
"""Stands between the parts of a date, which is one word: its May is no verb."""

_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_CONTRACTIONS = (
    (re.compile(r"^(ca)n't$"), "can not"),
    (re.compile(r"^(wo)n't$"), "will not"),
    (re.compile(r"^(\w+)n't$"), r"\1 not"),
    (re.compile(r"^(\w+)'ll$"), r"\1 will"),
    (re.compile(r"^(\w+)'re$"), r"\1 are"),
    (re.compile(r"^(\w+)'ve$"), r"\1 have"),
    (re.compile(r"^(it|that|there)'s$"), r"\1 is"),
    (re.compile(r"^cannot$"), "can not"),
    (re.compile(r"^&$"), "and"),
)
_VARIANTS = (
    (re.compile(r"(?<=\w{3})is(?=(?:e|es|ed|er|ers|ing|ation|ations)$)"), "iz"),
    (re.compile(r"(?<=\w{2})ys(?=(?:e|es|ed|ing)$)"), "yz"),
    (re.compile(r"(?<=\w{3})our(?=s?$|ed$|ing$|able$|ite)"), "or"),
    (re.compile(r"(?<=\w{4})ll(?=(?:ed|ing|er|ers|ation)$)"), "l"),
    (re.compile(r"(?<=\w{3})tre(?=s?$)"), "ter"),
    (re.compile(r"(?<=\w{4})nce(?=s?$)"), "nse"),
    (re.compile(r"gramme(?=s?$)"), "gram"),
    (re.compile(r"(?<=dg)e(?=ment)"), ""),
    (re.compile("ß"), "ss"),
)


def normal_words(tokens: Sequence[Token]) -> list[str]:
    """The words as they count: small letters, no marks, no hyphens, contractions written out.

    An abbreviation that small letters would make another word keeps its own: “US” is not “us”.
    """
    is_shouted = all(token.text.isupper() for token in tokens if token.text.isalpha())
    found: list[str] = []
    for token in tokens:
        if token.text.isupper() and token.text.lower() in STOP_WORDS and len(token.text) > 1 and not is_shouted:
            found.append(token.text)
        elif token.is_word or token.text == "&":
            found += _normal(token.text).split()
    return found


def names_in(tokens: Sequence[Token]) -> frozenset[str]:
    """The words with a capital that no sentence's beginning explains."""
    words = [token.text for token in tokens if token.is_word]
    return frozenset(_normal(word) for word in words[1:] if word[0].isupper())


def is_same_word(old: str, new: str, *, is_name: bool = False) -> bool:
    """A slip put right, or another spelling of the word; never a word that weighs, another word, another name."""
    if not (old.isalpha() and new.isalpha()):
        return False
    if any(lexicon.is_negation(word) or lexicon.is_modal(word) for word in (old, new)):
        return False
    if spelled_as_one(old) == spelled_as_one(new):
        return True
    is_long_enough = min(len(old), len(new)) >= SHORTEST
    return is_long_enough and not is_name and _is_one_slip(old, new) and not _is_known(old) and _is_known(new)


def spelled_as_one(word: str) -> str:
    """One spelling for the British and the American form, and for ß and ss."""
    for variant, one in _VARIANTS:
        word = variant.sub(one, word)
    return word


def _normal(token: str) -> str:
    """One token's words in small letters; an amount or a date is one word, a hyphen between letters goes."""
    plain = token.lower().replace("’", "'").replace("‘", "'")
    if token[0] in "€$£" or token[-1] == "%":
        return plain.replace(" ", "")
    if token[:1].isdigit() or token[-1:].isdigit():
        return plain.replace(" ", IN_DATE)
    return _HYPHEN.sub("", _written_out(plain))


def _written_out(word: str) -> str:
    for short, long in _CONTRACTIONS:
        if short.search(word):
            return short.sub(long, word)
    return word


def _is_one_slip(old: str, new: str) -> bool:
    """One letter more, less, other, or two that changed places."""
    if abs(len(old) - len(new)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest_old, rest_new = old[start:], new[start:]
    if len(old) == len(new):
        swapped = rest_old[1:2] + rest_old[:1] + rest_old[2:]
        return rest_old[1:] == rest_new[1:] or swapped == rest_new
    return rest_old[1:] == rest_new or rest_old == rest_new[1:]


def _is_known(word: str) -> bool:
    return any(_dictionary(language).known([word]) for language in DICTIONARIES)


@lru_cache
def _dictionary(language: str) -> SpellChecker:
    """A language's words; large, so read once and only when a slip is suspected."""
    return SpellChecker(language=language, distance=1)
