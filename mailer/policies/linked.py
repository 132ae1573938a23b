"""Documents that a policy links to: annexes, agreements, lists. A change behind a link is a change too (DESIGN §6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it.token import Token

from mailer.policies.diff.blocks import parse

_OF_A_POLICY = re.compile(r"/policies/([a-z0-9]+(?:-[a-z0-9]+)*)(?:[/.]|$)")


@dataclass(frozen=True, slots=True)
class Link:
    """What a text calls a place, and where it is."""

    label: str
    target: str


def links_of(markdown: str) -> list[Link]:
    """Every link of a text, in reading order; addresses that no page would link are none."""
    return [link for token in parse(markdown) for link in _links(token.children or [])]


def linked_slugs(markdown: str, url: str) -> list[str]:
    """The names of our own policies that a text links to, each once, in reading order; `url` is our public address."""
    return list(_slugs(markdown, url))


@lru_cache(maxsize=128)
def _slugs(markdown: str, url: str) -> tuple[str, ...]:
    """Kept, for a public page asks this of every other policy's text, and a version's text never changes."""
    found = (_slug(link.target, url) for link in links_of(markdown))
    return tuple(dict.fromkeys(slug for slug in found if slug))


def _links(tokens: Iterable[Token]) -> Iterable[Link]:
    """The links of one run of text; a link never stands inside another."""
    target: str | None = None
    label: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            target, label = str(token.attrGet("href") or ""), []
        elif token.type == "link_close" and target is not None:
            yield Link(" ".join("".join(label).split()), target)
            target = None
        elif target is not None:
            label.append(" " if token.type in ("softbreak", "hardbreak") else token.content)


def _slug(target: str, url: str) -> str | None:
    """The policy that an address of ours names, whether from our root or in full."""
    place, ours = urlsplit(target), urlsplit(url)
    here = (ours.scheme.lower(), ours.netloc.lower())
    is_ours = (place.scheme.lower() or here[0], place.netloc.lower() or here[1]) == here
    found = _OF_A_POLICY.match(place.path.removeprefix(ours.path.rstrip("/"))) if is_ours else None
    return found[1] if found else None
