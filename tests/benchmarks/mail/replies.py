"""Visible text: ours beside three libraries, each on the same bodies, judged by what the collections state."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import quotequail
from email_reply_parser import EmailReplyParser
from mailparser_reply import EmailReplyParser as MailParserReply

from mailer.inbound.visible import CERTAIN, separate, visible_text
from tests.benchmarks.mail.samples import Sample

LANGUAGES = ("en", "nl", "de", "fr", "es", "da", "sv", "pl", "ja", "it", "cs")


def _mail_parser_reply(text: str) -> str:
    replies = MailParserReply(languages=list(LANGUAGES)).read(text).replies
    return replies[0].body if replies else ""


def _mail_parser_reply_whole(text: str) -> str:
    return MailParserReply(languages=list(LANGUAGES)).parse_reply(text) or ""


def _quotequail(text: str) -> str:
    return "\n".join(part for is_shown, part in quotequail.quote(text) if is_shown)


ENGINES: dict[str, Callable[[str], str]] = {
    "ours": visible_text,
    "mail-parser-reply, body": _mail_parser_reply,
    "mail-parser-reply, parse_reply": _mail_parser_reply_whole,
    "email-reply-parser": lambda text: str(EmailReplyParser.parse_reply(text)),
    "quotequail": _quotequail,
}


@dataclass
class Score:
    """What one engine made of one collection."""

    stated: int = 0
    met: int = 0
    texts: int = 0
    exact: int = 0
    unsure: int = 0
    empty: int = 0


def is_met(own: str, expected: dict[str, object]) -> bool:
    """Whether the text is what the source states: the whole of it, parts of it, its beginning."""
    own = own.strip()
    checks = {
        "visible": lambda stated: own == str(stated).strip(),
        "contains": lambda parts: all(_plain(part) in own for part in parts),
        "not_contains": lambda parts: not any(_plain(part) in own for part in parts),
        "signature_contains": lambda parts: not any(_plain(part) in own for part in parts),
        "first_fragment_matches": lambda patterns: all(re.search(pattern, own) for pattern in patterns),
        "first_fragment_equals": lambda start: own.startswith(str(start).strip()),
    }
    return all(check(expected[name]) for name, check in checks.items() if name in expected)


STATED = frozenset(
    {"visible", "contains", "not_contains", "signature_contains", "first_fragment_matches", "first_fragment_equals"}
)


def _plain(part: str) -> str:
    return part.replace("\\n", "\n")


def measure(samples: Sequence[Sample]) -> dict[str, Score]:
    """Each engine over these replies."""
    scores = {name: Score() for name in ENGINES}
    for sample in samples:
        text = sample.text()
        for name, engine in ENGINES.items():
            try:
                own = engine(text)
            except Exception:
                own = ""
            _count(scores[name], own, sample, text)
    for sample in samples:
        scores["ours"].unsure += separate(sample.text()).shape not in CERTAIN
    return scores


def _count(score: Score, own: str, sample: Sample, text: str) -> None:
    score.empty += bool(text.strip()) and not own.strip()
    if STATED.intersection(sample.expected):
        score.stated += 1
        score.met += is_met(own, sample.expected)
    if "visible" in sample.expected:
        score.texts += 1
        score.exact += own.strip() == str(sample.expected["visible"]).strip()
