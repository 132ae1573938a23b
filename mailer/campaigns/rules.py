"""The life of a campaign, and what must be mended before it may go out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailer.consent.rules import Channel

SUBJECT_READABLE = 60
CLIPPED_AT = 100_000  # bytes of HTML; large mail services cut off what is longer
_TAG = re.compile(r"</?[a-z][a-z0-9]*[ >/]", re.IGNORECASE)
_LOUD = re.compile(r"!!|\b(?:act now|100 ?% free|click here|klik hier|gratis!|winner|free!)", re.IGNORECASE)
_PROMOTION = re.compile(
    r"\b(?:discounts?|special offer|limited offer|sale ends|buy now|upgrade now)\b"
    r"|\b(?:korting\w*|aanbieding\w*|koop nu|actieprijs)\b|\d ?% (?:off|korting)",
    re.IGNORECASE,
)


class State(StrEnum):
    """A campaign is written, then sent; nothing brings it back."""

    DRAFT = "draft"
    SENT = "sent"


class Tone(StrEnum):
    """How a check came out: in order, worth a look, or in the way of sending."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One line of the list that stands beside the Send button."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class Draft:
    """What the checks look at; `fault` is why the wording cannot become a mail at all."""

    channel: Channel
    subject: str
    text: str
    links: int
    images: int
    images_without_words: int
    html_bytes: int
    people: int
    fault: str | None = None


def checks(draft: Draft) -> list[Check]:
    """Everything worth saying before a sending, worst first."""
    if draft.fault:
        return [Check(Tone.BAD, draft.fault)]
    found = [*_subject(draft), *_text(draft), *_pictures(draft), *_audience(draft)]
    found += _marketing(draft) if draft.channel is Channel.MARKETING else _essential(draft)
    order = list(Tone)
    return sorted(found, key=lambda check: order.index(check.tone), reverse=True)


def may_send(found: list[Check]) -> bool:
    """Whether nothing stands in the way."""
    return all(check.tone is not Tone.BAD for check in found)


def _subject(draft: Draft) -> list[Check]:
    if not draft.subject:
        return [Check(Tone.BAD, "The subject is empty; say in a few words what the mail is about.")]
    if len(draft.subject) > SUBJECT_READABLE:
        length = len(draft.subject)
        return [Check(Tone.WARN, f"The subject has {length} characters; phones show about {SUBJECT_READABLE}.")]
    if draft.subject.isupper():
        return [Check(Tone.WARN, "The subject is all in capitals; spam filters and readers mind that.")]
    return [Check(Tone.GOOD, "The subject has a good length.")]


def _text(draft: Draft) -> list[Check]:
    if not draft.text:
        return [Check(Tone.BAD, "There is no text yet; write what the mail says.")]
    found = [Check(Tone.GOOD, "A plain text part is written from the same words.")]
    if draft.html_bytes > CLIPPED_AT:
        size = draft.html_bytes // 1000
        found.append(Check(Tone.WARN, f"The mail is {size} KB; some readers see it cut off at 100 KB."))
    if _TAG.search(draft.text):
        found.append(Check(Tone.WARN, "HTML is shown as it is written; use Markdown instead."))
    return found


def _pictures(draft: Draft) -> list[Check]:
    if draft.images_without_words:
        return [Check(Tone.WARN, "A picture has no words; write what it shows between the square brackets.")]
    return []


def _audience(draft: Draft) -> list[Check]:
    if draft.people == 0:
        return [Check(Tone.BAD, "Nobody may get this mail now; look at the audience.")]
    return []


def _marketing(draft: Draft) -> list[Check]:
    found = [Check(Tone.GOOD, "Every mail carries one-click unsubscribe and a footer link.")]
    if draft.text and not draft.links:
        found.append(Check(Tone.WARN, "There is no link; readers cannot go on from here."))
    if _LOUD.search(f"{draft.subject}\n{draft.text}"):
        found.append(Check(Tone.WARN, "Some words are what spam filters look for; say it more quietly."))
    return found


def _essential(draft: Draft) -> list[Check]:
    found = [Check(Tone.GOOD, "It goes as essential mail: no unsubscribe header, a footer link to leave newsletters.")]
    if draft.images:
        found.append(Check(Tone.BAD, "Essential mail has no pictures; take them out."))
    promotion = _PROMOTION.search(f"{draft.subject}\n{draft.text}")
    if promotion:
        found.append(Check(Tone.BAD, f"“{promotion[0]}” reads like promotion, which essential mail never carries."))
    return found
