"""The links of a draft as its reviewer must see them: which lead elsewhere now, which lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mailer.policies.advice.links import ChangedLink
from mailer.policies.diff import anchors
from mailer.policies.linked import Link, linked_slugs, links_of
from mailer.policies.models import Version, VersionTranslation


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link that came, went or leads elsewhere; `weight` says why people depend on it, empty if they do not.

    `language` is that of the text it stands in.
    """

    label: str
    old: str
    new: str
    weight: str
    language: str


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A link that leads nowhere, and the language of the text it stands in."""

    target: str
    language: str


@dataclass(frozen=True)
class Side:
    """A draft's text in one language, with the version's text it follows, if there is one."""

    language: str
    text: str
    before: Version | VersionTranslation | None


WEIGHTS = {
    "exercise": "through it people use their rights",
    "recipients": "it says who gets data, or on what terms",
    "transfers": "it says on what terms data leave",
    "purposes": "it says which cookies are used",
}


def link_changes(sides: Iterable[Side]) -> list[LinkChange]:
    """What differs between the links of a draft and of its base, those that people depend on first."""
    found = (change for side in sides if side.before for change in _changes(side.before.text, side))
    return sorted(found, key=lambda change: not change.weight)


def dead_ends(sides: Iterable[Side], published: Collection[str], url: str) -> list[DeadEnd]:
    """Links of a draft to policies of ours that nobody can read, and to sections that its text does not have."""
    found = (DeadEnd(target, side.language) for side in sides for target in _leading_nowhere(side, published, url))
    return list(dict.fromkeys(found))


def _changes(old: str, side: Side) -> list[LinkChange]:
    before, after = Counter(links_of(old)), Counter(links_of(side.text))
    gone, come = list((before - after).elements()), list((after - before).elements())
    found = [_change(link, _taken(gone, link), side.language) for link in come]
    return found + [_change(None, link, side.language) for link in gone]


def _leading_nowhere(side: Side, published: Collection[str], url: str) -> list[str]:
    ids = _ids(side)
    inside = [link.target for link in links_of(side.text) if link.target.startswith("#") and link.target[1:] not in ids]
    return [f"/policies/{slug}" for slug in linked_slugs(side.text, url) if slug not in published] + inside


def _ids(side: Side) -> set[str]:
    """Where a link within the text may lead once it is released: the ids its headings keep, and those of their words.

    A page turns the latter into the former (`text.with_ids`).
    """
    kept = anchors.carried(side.before.text, side.before.anchors, side.text) if side.before else []
    return {*anchors.fresh(side.text), *kept}


def _taken(gone: list[Link], come: Link) -> Link | None:
    """The link of the same label that is gone, taken off the list."""
    match = next((link for link in gone if link.label == come.label), None)
    if match is not None:
        gone.remove(match)
    return match


def _change(come: Link | None, gone: Link | None, language: str) -> LinkChange:
    label = come.label if come else gone.label if gone else ""
    old, new = gone.target if gone else "", come.target if come else ""
    question = ChangedLink(label, old, new, "").question
    return LinkChange(label, old, new, WEIGHTS.get(question or "", ""), language)
