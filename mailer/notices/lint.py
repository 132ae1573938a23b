"""Hold a notice to its purpose: no offer, no advertising, no tracking, no link that leads elsewhere (S1, S10).

What the policy's own text says is quoted, not said by us: words that stand in it are let pass.
"""

from __future__ import annotations

import re
from html import unescape

from mailer.delivery import slots
from mailer.errors import Invalid
from mailer.outbox.models import Content

_OFFERS = re.compile(
    r"\b(?:\d{1,3} ?% (?:off|korting)|discount\w*|voucher\w*|coupon\w*|special offer\w*|limited offer\w*|on sale|"
    r"free trial|upgrade now|buy now|order now|refer a friend|follow us|unsubscribe|"
    r"korting\w*|kortingscode\w*|aanbieding\w*|waardebon\w*|actiecode\w*|bestel nu|koop nu|volg ons|uitschrijven)",
    re.IGNORECASE,
)
_ELEMENTS = {
    "an image": re.compile(r"<(?:img|picture|svg|video|audio|object|embed|iframe)\b", re.IGNORECASE),
    "a script": re.compile(r"<script\b|\son[a-z]+\s*=", re.IGNORECASE),
    "a form": re.compile(r"<form\b", re.IGNORECASE),
    "a background that is fetched": re.compile(r"url\s*\(|\sbackground\s*=", re.IGNORECASE),
    "a style that is fetched": re.compile(r"<link\b|@import", re.IGNORECASE),
}
_HREF = re.compile(r'href\s*=\s*"([^"]*)"', re.IGNORECASE)
_TAG = re.compile(r"<style\b.*?</style>|<[^>]+>", re.IGNORECASE | re.DOTALL)
_TRACKED = re.compile(r"[?&](?:utm_\w+|fbclid|gclid|mc_eid|trk)=", re.IGNORECASE)


class NotDevoted(Invalid):
    """A notice that holds something else than the notice."""


def check(content: Content, quoted: str) -> None:
    """NotDevoted with the first fault of this wording; `quoted` is what the versions say themselves."""
    found = faults(content, quoted)
    if found:
        raise NotDevoted(f"The notice holds {found[0]}; a notice of a change holds nothing but the notice.")


def faults(content: Content, quoted: str = "") -> list[str]:
    """What does not belong in a notice, in words; nothing if it is as it must be."""
    found = [name for name, pattern in _ELEMENTS.items() if pattern.search(content.html)]
    found += [f"the link {href}" for href in _HREF.findall(content.html) if not _is_ours(unescape(href), content.url)]
    shown = f"{content.subject}\n{content.text}\n{_TAG.sub(' ', content.html)}"
    known = quoted.casefold()
    said = dict.fromkeys(match[0] for match in _OFFERS.finditer(shown) if match[0].casefold() not in known)
    return found + [f"“{words}”" for words in said]


def _is_ours(href: str, url: str) -> bool:
    """Whether a link leads to our own pages or to a mailbox, and says nothing of who follows it from where."""
    is_slot = href.startswith(slots.OPEN)
    return (is_slot or href.startswith((f"{url}/", "mailto:", "#"))) and not _TRACKED.search(href)
