"""What a short text says: leaves the contract, asks about it, wants its data, leaves the newsletter, or none surely.

A termination is read only where a sentence says it and no sentence takes it back; each doubt is named. Languages: en
and nl, de and fr, a little es.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.inbound import claims, doubts, leaving, phrases, sentences
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


@dataclass(frozen=True, slots=True)
class _Found:
    """The words that end a contract: where, in which language, and whether they are all that was said."""

    sentence: int
    start: int
    end: int
    language: str
    words: str


def read(text: str) -> Said:
    """What the sender's own words say; nothing here knows who they are or whether they may."""
    language = language_of(text)
    cased = phrases.DISCLAIMER.sub("", sentences.squeezed(text))
    head, body, tail = sentences.parts(cased)
    opening = sentences.split(head)
    # What stands below the name is read too: "PS: only if the price goes up."
    said = opening + sentences.split(body) + sentences.split(tail)
    plain, lower = cased.lower(), [sentence.lower() for sentence in said]
    bare = _bare(body)
    found = _whole(bare, len(opening)) or _find(said)
    return Said(
        terminates=found.words if found else None,
        doubts=tuple(dict.fromkeys(_doubts(plain, lower, found))) if found else (),
        about_terminating=found is not None or phrases.TOPIC.search(plain) is not None,
        asks=_asks(lower, plain),
        wants_rights=claims.RIGHTS.search(plain) is not None,
        leaves_newsletters=_leaves(plain, bare),
        language=language or (found.language if found else None),
    )


def _bare(body: str) -> str:
    return " ".join(body.lower().strip(" .,!;:-*_\n").split())


def _whole(bare: str, sentence: int) -> _Found | None:
    for language, wholes in leaving.WHOLE.items():
        if bare in wholes:
            return _Found(sentence, 0, len(bare), language, bare)
    return None


def _find(said: Sequence[str]) -> _Found | None:
    for at, sentence in enumerate(said):
        if sentence.endswith("?") and not _is_request(sentence):
            continue
        for language, patterns in leaving.PHRASES.items():
            for pattern in patterns:
                if found := pattern.search(sentence):
                    # Who speaks may stand further off than what is said.
                    core = "core" if "core" in pattern.groupindex else 0
                    return _Found(at, *found.span(core), language, " ".join(found[core].lower().split()))
    return None


def _is_request(sentence: str) -> bool:
    """Whether a question only asks, politely, to do it."""
    return leaving.REQUEST.search(sentence) is not None and doubts.is_mere_request(sentence.lower())


def _doubts(plain: str, lower: Sequence[str], found: _Found) -> list[str]:
    if not lower:
        return []
    at = min(found.sentence, len(lower) - 1)
    named = list(doubts.in_clause(lower[at], found.start, found.end, found.language))
    named += doubts.around(lower, at)
    for place, sentence in enumerate(lower):
        if place != at:
            named += _beside(sentence)
    if phrases.QUOTES.search(plain):
        named.append("words in quotation marks")
    if len(plain.split()) > doubts.MOST_WORDS or len(plain) > sentences.MOST_LETTERS * 0.9:
        named.append(f"longer than {doubts.MOST_WORDS} words")
    return named


def _beside(sentence: str) -> list[str]:
    """What another sentence says that a machine should not pass over: a question, a word about ending."""
    if doubts.CONFIRMATION.search(sentence):
        return []
    if phrases.QUESTION.search(sentence):
        return ["a question"]
    mentioned = phrases.TOPIC.search(sentence)
    if mentioned and not any(pattern.search(sentence) for group in leaving.PHRASES.values() for pattern in group):
        return [f"speaks of ending elsewhere: {mentioned[0]}"]
    return []


def _asks(lower: Sequence[str], plain: str) -> bool:
    """Whether one of the sentences is a question, other than for a confirmation or to end the contract."""
    questions = [sentence for sentence in lower if phrases.QUESTION.search(sentence)]
    return any(not doubts.CONFIRMATION.search(one) and not _is_order(one) for one in questions) or (
        not lower and phrases.QUESTION.search(plain) is not None
    )


def _is_order(sentence: str) -> bool:
    return _is_request(sentence) and any(
        pattern.search(sentence) for group in leaving.PHRASES.values() for pattern in group
    )


def _leaves(plain: str, bare: str) -> bool:
    if " ".join(phrases.POLITE.sub(" ", bare).strip(" .,!").split()) in phrases.LEAVE_WHOLE:
        return True
    asked = "?" in plain and leaving.REQUEST.search(plain) is None
    short = len(plain.split()) <= 30 and not asked
    named = phrases.NEWSLETTER.search(plain) is not None and phrases.LEAVE_VERB.search(plain) is not None
    more = phrases.CONTRACT.search(plain) or phrases.ALSO.search(plain)
    return short and named and more is None


def has_words(text: str) -> bool:
    """Whether there is a letter in it at all."""
    return re.search(r"[^\W\d_]", text) is not None
