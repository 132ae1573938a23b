"""The links of a draft as its reviewer must see them: which lead elsewhere now, which lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from mailer.policies import text as texts
from mailer.policies.advice.links import ChangedLink
from mailer.policies.linked import Link, linked_slugs, links_of


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link that came, went or leads elsewhere; `weight` says why people depend on it, empty if they do not."""

    label: str
    old: str
    new: str
    weight: str


WEIGHTS = {
    "exercise": "through it people use their rights",
    "recipients": "it says who gets data, or on what terms",
    "transfers": "it says on what terms data leave",
    "purposes": "it says which cookies are used",
}


def link_changes(old: str, new: str) -> list[LinkChange]:
    """What differs between the links of two texts, those that people depend on first."""
    before, after = Counter(links_of(old)), Counter(links_of(new))
    gone, come = list((before - after).elements()), list((after - before).elements())
    found = [_change(link, _taken(gone, link)) for link in come]
    found += [_change(None, link) for link in gone]
    return sorted(found, key=lambda change: not change.weight)


def dead_ends(markdown: str, published: Collection[str], url: str) -> list[str]:
    """Links of a text to policies of ours that nobody can read, and to sections it does not have."""
    ids = set(texts.heading_ids(markdown))
    inside = [link.target for link in links_of(markdown) if link.target.startswith("#") and link.target[1:] not in ids]
    outside = [f"/policies/{slug}" for slug in linked_slugs(markdown, url) if slug not in published]
    return list(dict.fromkeys([*outside, *inside]))


def _taken(gone: list[Link], come: Link) -> Link | None:
    """The link of the same label that is gone, taken off the list."""
    match = next((link for link in gone if link.label == come.label), None)
    if match is not None:
        gone.remove(match)
    return match


def _change(come: Link | None, gone: Link | None) -> LinkChange:
    label = come.label if come else gone.label if gone else ""
    old, new = gone.target if gone else "", come.target if come else ""
    question = ChangedLink(label, old, new, "").question
    return LinkChange(label, old, new, WEIGHTS.get(question or "", ""))
