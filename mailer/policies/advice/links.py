"""What it means that a link leads elsewhere: judged by its label, its target and the sentence it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mailer.policies.advice.sentences import Sentence, is_address, spelled
from mailer.policies.diff.model import Op
from mailer.policies.diff.tokens import Token

LABEL_WORDS = 6

_RIGHTS = re.compile(
    r"\brights?\b|complain|dispute|supervisory|authorit|ombuds|\bopt[- _]?(?:out|in)\b|unsubscribe|do[- _]not[- _]sell"
    r"|\bdp[oa]@|\bdpo\b|\bprivacy@|\bgdpr@|\bavg@|\bdatenschutz@|data[- _]?protection[- _]?(?:officer|authority|board)"
    r"|(?:data|access|erasure|deletion|privacy)[- _]request|edpb|\bcnil\b|\bico\.org|portab"
    r"|\brechten\b|klacht|toezichthoud|autoriteit|bezwaar|afmeld|functionaris"
    r"|\brechte\b|beschwerde|aufsicht|datenschutzbeauftrag|widerspr|widerruf",
    re.IGNORECASE,
)
_RECIPIENTS = re.compile(
    r"processors?\b|third[- _]part|vendors?\b|partners?\b|providers?\b|recipients?\b"
    r"|\bdpa\b|data[- _]?processing|addend|annex|appendix"
    r"|verwerker|ontvanger|leverancier|dienstverlener|bijlage|auftragsverarbeit|empfänger|dienstleister|\banlage|anhang",
    re.IGNORECASE,
)
_TRANSFERS = re.compile(
    r"contractual[- _]?clauses|privacy[- _]?shield|\bsccs?\b|standardvertrag|contractbepaling", re.IGNORECASE
)
WEIGHTY: Mapping[str, re.Pattern[str]] = {
    "exercise": _RIGHTS,
    "recipients": _RECIPIENTS,
    "transfers": _TRANSFERS,
    "purposes": re.compile(r"cookie", re.IGNORECASE),
}
"""A link through which a right is used or a promise is kept, by the question it bears on."""

_POLICY = re.compile(
    r"privacy|polic(?:y|ies)|terms|agreement|statement|beleid|voorwaarden|verklaring|datenschutz|\bagb|bedingungen",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ChangedLink:
    """One link of which the target changed, came or went (empty then)."""

    label: str
    old: str
    new: str
    context: str

    @property
    def question(self) -> str | None:
        """The question that this link bears on, if it is one that people or promises depend on."""
        if self.is_within_page:
            return None
        near = f"{self.label} {self.old} {self.new}".replace("_", " ")
        places = (near, self.context)
        return next((key for text in places for key, pattern in WEIGHTY.items() if pattern.search(text)), None)

    @property
    def is_harmless(self) -> bool:
        """The same page by another address, or another page of the same site that is no policy."""
        if self.old and self.new and not self.is_within_page:
            return _is_same_page(self.old, self.new) or (
                _is_same_site(self.old, self.new) and not any(map(_POLICY.search, (self.old, self.new)))
            )
        return self.is_within_page

    @property
    def is_within_page(self) -> bool:
        """It leads, and led, to another place of this very text."""
        return all(target.startswith("#") for target in (self.old, self.new) if target)


def changed_links(sentence: Sentence) -> list[ChangedLink]:
    """The links of a sentence that lead elsewhere from now on, a removed target paired with the one that follows it."""
    pairs = list(_pairs(sentence))
    context = spelled(token for op, token in sentence.runs if op != "-" and not is_address(token))
    return [ChangedLink(label, old, new, context) for label, old, new in pairs if old != new]


def _pairs(sentence: Sentence) -> Iterator[tuple[str, str, str]]:
    waiting: dict[Op, list[tuple[str, str]]] = {"-": [], "+": []}
    words: list[Token] = []
    for op, token in sentence.runs:
        if is_address(token):
            if op != "=":
                waiting[op].append((_label(words), token.text.strip("⟨⟩")))
        elif token.is_word and op != "-":
            words.append(token)
    gone, come = waiting["-"], waiting["+"]
    for at in range(max(len(gone), len(come))):
        label, old = gone[at] if at < len(gone) else ("", "")
        later_label, new = come[at] if at < len(come) else ("", "")
        yield later_label or label, old, new


def _label(words: Iterable[Token]) -> str:
    return spelled(list(words)[-LABEL_WORDS:])


def _is_same_page(old: str, new: str) -> bool:
    before, after = _place(old), _place(new)
    if before[1] != after[1] or not before[1]:
        return False
    return before[0] == after[0] or "" in (before[0], after[0])


def _is_same_site(old: str, new: str) -> bool:
    return _place(old)[0] == _place(new)[0]


def _place(url: str) -> tuple[str, str]:
    """The site, empty for our own, and the name of the page, which outlives a move of its folder."""
    if "@" in url and "/" not in url:
        return url.removeprefix("mailto:"), ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, ""
    path = re.sub(r"/(?:index\.\w+)?$|\.(?:html?|md|php|aspx)$", "", parts.path)
    return parts.netloc.lower().removeprefix("www."), path.rsplit("/", 1)[-1].lower() or parts.fragment
