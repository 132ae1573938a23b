"""What a short text says: leaves the contract, asks about it, wants its data, leaves the newsletter, or none surely.

A termination is read only where every word agrees; each doubt is named. Languages: en and nl, a little de and fr.
"""

import re
from dataclasses import dataclass

from mailer.inbound import phrases
from mailer.inbound.language import language_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says. `terminates` holds the words that terminate, `doubts` why they may not be meant."""

    terminates: str | None
    doubts: tuple[str, ...]
    about_terminating: bool
    asks: bool
    wants_rights: bool
    leaves_newsletters: bool
    language: str | None


def read(text: str) -> Said:
    """What the sender's own words say; nothing here knows who they are or whether they may."""
    language = language_of(text)
    plain = phrases.DISCLAIMER.sub("", _squeezed(text))
    core = phrases.COURTESY.sub("", phrases.COURTESY.sub("", plain)).strip()
    bare = " ".join(core.strip(" .,!;:-*_\n").split())
    spoken, words = _terminates(plain, bare)
    asks = phrases.QUESTION.search(plain) is not None
    return Said(
        terminates=words,
        doubts=tuple(_doubts(plain, words, {spoken, language}, asks)) if words else (),
        about_terminating=words is not None or phrases.TOPIC.search(plain) is not None,
        asks=asks,
        wants_rights=phrases.RIGHTS.search(plain) is not None,
        leaves_newsletters=_leaves(plain, bare),
        language=language or spoken,
    )


def _squeezed(text: str) -> str:
    lower = text[: phrases.MOST_LETTERS].lower().replace("’", "'").replace("`", "'")
    lines = (" ".join(line.split()) for line in lower.splitlines())
    return phrases.BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _terminates(plain: str, bare: str) -> tuple[str | None, str | None]:
    for language, wholes in phrases.WHOLE.items():
        if bare in wholes:
            return language, bare
    for language, patterns in phrases.STRONG.items():
        for pattern in patterns:
            found = re.search(pattern, plain)
            if found and not phrases.ASKED.match(plain, found.end()):
                return language, " ".join(found[0].split())
    return None, None


def _doubts(plain: str, words: str, languages: set[str | None], asks: bool) -> list[str]:
    doubts = []
    if negated := phrases.NEGATION.search(words):
        doubts.append(f"negated: {negated[0]}")
    rest = phrases.BENIGN.sub(" ", plain)
    if negated := phrases.NEGATION.search(rest):
        doubts.append(f"a negation: {negated[0]}")
    for language in sorted(name for name in languages if name in phrases.DOUBT):
        if doubt := phrases.DOUBT[language].search(rest):
            doubts.append(f"a condition or another turn: {doubt[0]}")
    if asks:
        doubts.append("a question")
    if phrases.QUOTES.search(rest):
        doubts.append("words in quotation marks")
    if len(plain.split()) > phrases.MOST_WORDS or len(plain) > phrases.MOST_LETTERS * 0.9:
        doubts.append(f"longer than {phrases.MOST_WORDS} words")
    return doubts


def _leaves(plain: str, bare: str) -> bool:
    if bare in phrases.LEAVE_WHOLE:
        return True
    short = len(plain.split()) <= 30 and "?" not in plain
    named = phrases.NEWSLETTER.search(plain) is not None and phrases.LEAVE_VERB.search(plain) is not None
    return short and named and phrases.CONTRACT.search(plain) is None


def has_words(text: str) -> bool:
    """Whether there is a letter in it at all."""
    return phrases.LETTER.search(text) is not None
