"""Two versions side by side in one language, as the page of their difference shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from mailer.policies import text as texts
from mailer.policies.diff import Diff, diff
from mailer.policies.diff.marked import to_html
from mailer.policies.diff.tongues import Tongue
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.public import clean

compare = lru_cache(maxsize=64)(diff)


class View(StrEnum):
    """The ways to read a comparison."""

    SUMMARY = "summary"
    MARKED = "marked"
    CLEAN = "clean"


@dataclass(frozen=True)
class Comparison:
    """The texts of two versions in the language asked for, or the authoritative ones if either lacks it."""

    old: Version | VersionTranslation
    new: Version | VersionTranslation
    found: Diff

    @property
    def language(self) -> str:
        return self.new.language


def of(old: Version, new: Version, language: str) -> Comparison:
    """Compare two versions of one policy."""
    sides = old.in_language(language), new.in_language(language)
    before, after = (sides[0] or old, sides[1] or new) if all(sides) else (old, new)
    return Comparison(before, after, compare(before.text, after.text))


def languages_of(old: Version, new: Version) -> list[str]:
    """The languages that both versions have, the authoritative first."""
    return [language for language in old.languages if language in new.languages]


def read_view(text: str) -> View:
    """The view of this name; the summary for any other."""
    return View(text) if text in list(View) else View.SUMMARY


def page(compared: Comparison, view: View, tongue: Tongue, marked_href: str) -> dict[str, Any]:
    """What the page shows in this view; `marked_href` is where the clean view's links lead."""
    found = compared.found
    if found.is_rewritten:
        view = View.SUMMARY
    return {
        "view": view.value,
        "found": found,
        "sentence": tongue.sentence(found),
        "tongue": tongue,
        "body": "" if found.is_rewritten else _body(compared, view, tongue, marked_href),
        "old_whole": _whole(compared.old, "old") if found.is_rewritten else "",
        "new_whole": _whole(compared.new, "new") if found.is_rewritten else "",
    }


def _body(compared: Comparison, view: View, tongue: Tongue, marked_href: str) -> Markup:
    if view is View.CLEAN:
        new = compared.new
        return clean.to_html(compared.found, new.text, new.anchors, tongue, marked_href)
    return to_html(
        compared.found,
        tongue,
        is_folded=view is View.SUMMARY,
        language=compared.language,
    )


def _whole(shown: Version | VersionTranslation, side: str) -> Markup:
    """A whole text on a page that holds two: its headings' ids say of which text they are."""
    ids = texts.heading_ids(shown.text, shown.anchors)
    return texts.to_html(shown.text, [f"{side}-{id_}" for id_ in ids])
