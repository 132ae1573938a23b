"""A policy as data for other programs and sites: a shelf in, plain values out. All addresses are full ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from mailer.policies import ownership, rules
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.public import furniture
from mailer.policies.public.addresses import Addresses
from mailer.policies.public.words import Words, words_for
from mailer.policies.queries import Shelf
from mailer.policies.rules import Announce, ChangeClass


def policy(shelf: Shelf, day: date, url: str, language: str) -> dict[str, Any]:
    """One policy with the text in force, in a language if it is there, else its own."""
    to = furniture.addresses(shelf.policy, language, url)
    current = shelf.in_force(day)
    return _summary(shelf, day, to) | {
        "as_of": day.isoformat(),
        "in_force": _version(shelf, current, day, to) | {"text": _shown(current, to).text} if current else None,
        "pending": [_version(shelf, version, day, to) for version in shelf.pending(day)],
        "versions": [_version(shelf, version, day, to) for version in shelf.versions],
    }


def policies(shelves: Sequence[Shelf], day: date, url: str) -> dict[str, Any]:
    """Every published policy: what is in force and what is on its way, without the texts."""
    return {"policies": [_in_brief(shelf, day, furniture.addresses(shelf.policy, site=url)) for shelf in shelves]}


def banner(shelf: Shelf, day: date, url: str, language: str) -> dict[str, Any]:
    """What a site shows on top of its pages; `notices` is empty when there is nothing to say.

    The words are in the language asked for if we speak it, so that a site needs none of its own.
    """
    words = words_for(language, shelf.policy.language)
    to = furniture.addresses(shelf.policy, language, url)
    return {
        "policy": shelf.policy.slug,
        "title": shelf.policy.title,
        "language": words.language,
        "words": {
            "region": words.plain("banner_region"),
            "close": words.plain("banner_close"),
            "see_changes": words.plain("see_changes"),
            "read_new": words.plain("read_new"),
        },
        "notices": [_notice(shelf, version, day, to, words) for version in _on_banner(shelf, day)],
    }


def banner_ended_on(shelf: Shelf, day: date) -> date | None:
    """The last day so far on which a notice left the banner by the mere passing of time."""
    ends = [version.effective_on + timedelta(days=rules.BANNER_DAYS + 1) for version in shelf.versions]
    return max((end for end in ends if end <= day), default=None)


def _on_banner(shelf: Shelf, day: date) -> list[Version]:
    changes = [version for version in shelf.versions if shelf.base_of(version)]
    return [v for v in changes if rules.is_on_banner(v.change_class, shelf.released[v.number], day)]


def _in_brief(shelf: Shelf, day: date, to: Addresses) -> dict[str, Any]:
    current = shelf.in_force(day)
    return _summary(shelf, day, to) | {
        "in_force": _version(shelf, current, day, to) if current else None,
        "pending": [_version(shelf, version, day, to) for version in shelf.pending(day)],
    }


def _summary(shelf: Shelf, day: date, to: Addresses) -> dict[str, Any]:
    leading = shelf.in_force(day) or shelf.latest()
    return {
        "policy": shelf.policy.slug,
        "title": _shown(leading, to).title if leading else shelf.policy.title,
        "concerns": shelf.policy.concerns,
        "authoritative_language": shelf.policy.language,
        "languages": leading.languages if leading else [shelf.policy.language],
        "url": to.policy(),
        "feed": to.feed(),
        "data": to.data(),
    }


def _version(shelf: Shelf, version: Version, day: date, to: Addresses) -> dict[str, Any]:
    base, withdrawal, shown = shelf.base_of(version), shelf.withdrawals.get(version.id), _shown(version, to)
    return {
        "id": version.id,
        "number": version.number,
        "class": version.change_class.value,
        "phase": shelf.phase(version, day).value,
        "effective_on": version.effective_on.isoformat(),
        "released_at": version.released_at.isoformat(),
        "withdrawn_at": withdrawal.at.isoformat() if withdrawal else None,
        "language": shown.language,
        "languages": version.languages,
        "summary": shown.summary,
        "sha256": shown.sha256,
        "url": to.version(version.number),
        "changes_url": to.diff(base.number, version.number) if base else None,
        "ownership": ownership.told(version, shown),
    }


def _notice(shelf: Shelf, version: Version, day: date, to: Addresses, words: Words) -> dict[str, Any]:
    phrase = "banner_begun" if version.effective_on <= day else "banner_pending"
    known = _version(shelf, version, day, to)
    kept = ("number", "class", "phase", "effective_on", "language", "summary", "url", "changes_url", "ownership")
    text = words.plain(phrase, title=_shown(version, to).title, day=words.day(version.effective_on))
    if known["ownership"]:
        text += " " + words.plain("banner_owner", owner=known["ownership"]["owner"])
    return {key: known[key] for key in kept} | {
        "text": text,
        "announced": version.announce is Announce.ANNOUNCEMENT or version.change_class is ChangeClass.MATERIAL,
    }


def _shown(version: Version, to: Addresses) -> Version | VersionTranslation:
    return version.in_language(to.language) or version
