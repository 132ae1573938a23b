"""The words of notices: a version and its changes to the facts of a letter, and a person's dates in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from markupsafe import Markup

from mailer.notices.rules import Clock, Days, Via
from mailer.notices.told import Told, direction
from mailer.policies import ownership
from mailer.policies import text as texts
from mailer.policies.diff.render import Wording
from mailer.policies.models import Version
from mailer.policies.public import furniture
from mailer.policies.rules import NOTICE_DAYS

LOCALES = ("en", "nl")  # the first is for everybody else
WHY = {
    "en": "the text that changes applies to you.",
    "nl": "de tekst die verandert geldt voor u.",
}
SHOWN_CHANGES = 40
SHOWN_LETTERS = 30_000  # mail programs cut a mail at about 100 KB; the page has the rest
_BABEL = {"en": "en_GB", "nl": "nl"}
_TEXT_WIDTH = 72
OPENINGS = {
    Via.MAIL: "Accepted by the mail server on {notified}.",
    Via.ANNOUNCEMENT: "Shown to the person by a service on {notified}.",
    Via.LETTER: "Handed over as a letter on {notified}.",
}
_SENT = {
    "en": "This notice was handed to the mail server on {notified}.",
    "nl": "Dit bericht is op {notified} aan de mailserver gegeven.",
}
_EXPLAINED = {
    "en": (
        " The day itself does not count. {days} days end on {plain}.",
        " That is a day off, so your last day is the next working day, {last}.",
        " Respond by {last}, 24:00 {place} time. Binding from {binding}.",
        " The change applies from {effective}; it does not bind you before your last day is over.",
    ),
    "nl": (
        " Die dag zelf telt niet mee. {days} dagen eindigen op {plain}.",
        " Dat is een vrije dag, dus uw laatste dag is de volgende werkdag, {last}.",
        " Reageer uiterlijk {last}, 24.00 uur ({place}). Bindend vanaf {binding}.",
        " De wijziging geldt vanaf {effective}; zij bindt u niet voordat uw laatste dag voorbij is.",
    ),
}


_GOING_ON = {
    "en": "If you do not terminate, and use our services on or after {day}, that counts as your agreement to the "
    "changed text. It is no consent to anything else, and it signs you up for nothing.",
    "nl": "Zegt u niet op en gebruikt u onze diensten op of na {day}, dan geldt dat als uw instemming met de "
    "gewijzigde tekst. Het is geen toestemming voor iets anders en u wordt nergens voor aangemeld.",
}
_GOING_ON_AS_CONSUMER = {
    "en": "You use our services as a consumer. Going on using them does not count as your agreement to the changed "
    "text: you agree only by saying so on the page below. Until you do, the text as it was applies to you.",
    "nl": "U gebruikt onze diensten als consument. Dat u ze blijft gebruiken geldt niet als uw instemming met de "
    "gewijzigde tekst: u stemt alleen in door dat op de pagina hieronder te zeggen. Tot dan geldt de tekst zoals die "
    "was.",
}


_BINDS_A_CONSUMER = {
    "en": "once you agree, and not before {day}",
    "nl": "zodra u instemt, en niet voor {day}",
}
_EXPLAINED_TO_A_CONSUMER = {
    "en": " You are a consumer, so it binds you only once you agree.",
    "nl": " U bent consument, dus zij bindt u pas als u instemt.",
}


@dataclass(frozen=True)
class Company:
    """What a letter says of the sender, beyond what every mail knows."""

    url: str
    place: str


def say(day: date, locale: str) -> str:
    """A day in words: “Thursday 24 December 2026”, “donderdag 24 december 2026”."""
    return format_date(day, "EEEE d MMMM y", locale=_BABEL[locale])


def say_short(day: date, locale: str) -> str:
    """A day without its weekday: “8 January 2027”, “8 januari 2027”."""
    return format_date(day, "d MMMM y", locale=_BABEL[locale])


def explain(clock: Clock, place: str, locale: str = LOCALES[0], opening: str = OPENINGS[Via.MAIL]) -> str:
    """How a person's dates were computed, in words; `place` is the city of the time zone."""
    told, moved, last, later = _EXPLAINED[locale]
    parts = [opening, told]
    if clock.respond_by_on != clock.plain_end_on:
        parts.append(moved)
    parts.append(last)
    if clock.binding_on > clock.effective_on:
        parts.append(later)
    return "".join(parts).format(
        notified=say(clock.notified_on, locale),
        days=NOTICE_DAYS,
        plain=say(clock.plain_end_on, locale),
        last=say(clock.respond_by_on, locale),
        binding=say(clock.binding_on, locale),
        effective=say(clock.effective_on, locale),
        place=place,
    )


def dates(clock: Clock, place: str, locale: str, *, is_consumer: bool = False) -> dict[str, str]:
    """What a notice's slots hold for one person; line ends suit the text part, and HTML does not show them."""
    computation = explain(clock, place, locale, _SENT[locale])
    binding_on = say(clock.binding_on, locale)
    going_on = _GOING_ON[locale].format(day=binding_on)
    if is_consumer:
        computation += _EXPLAINED_TO_A_CONSUMER[locale]
        binding_on = _BINDS_A_CONSUMER[locale].format(day=binding_on)
        going_on = _GOING_ON_AS_CONSUMER[locale]
    return {
        "notified_on": say(clock.notified_on, locale),
        "respond_by_on": say(clock.respond_by_on, locale),
        "binding_on": binding_on,
        "going_on": _filled(going_on),
        "computation": _filled(computation),
    }


def notice(told: Told, company: Company, others: Sequence[Version] = (), correction: str = "") -> dict[str, Any]:
    """The facts of a notice of a material change; the same for everybody but the slots.

    `others` are the versions that people are told of at the same time, each by a notice with a clock of its own;
    `correction` says what an earlier notice of this version said wrongly.
    """
    shown = _that_fit(told.quoted)
    return _common(told, company) | {
        "wordings": [{"title": w.title, "kind": w.kind, "old": w.old, "new": w.new} for w in shown],
        "more": len(told.quoted) - len(shown),
        "quoted_language": told.quoted_in or told.words.language,
        "quoted_direction": direction(told.quoted_in or told.words.language),
        "is_first": told.base is None,
        "correction": correction,
        "ownership": ownership.told(told.version, told.words),
        "others": [_other(version, told.locale) for version in others],
        "place": company.place,
    }


def announcement(told: Told, company: Company) -> dict[str, Any]:
    """The facts of a plain announcement of an ordinary change: no clock, nothing to answer (S3)."""
    facts = _common(told, company)
    heading, see, new_text = {
        "en": ("{title} changes from {effective_on}", "See what changes", "Read the new text"),
        "nl": ("{title} verandert vanaf {effective_on}", "Bekijk de wijzigingen", "Lees de nieuwe tekst"),
    }[told.locale]
    paragraphs = [part for part in (told.words.summary, told.words.why, told.words.impact) if part]
    links = [(see, facts["diff_url"])] if told.base is not None else []
    links.append((new_text, facts["version_url"]))
    note = [told.note] if told.note else []
    said = Markup('<div lang="{}" dir="{}">{}</div>').format(
        facts["language"], facts["direction"], texts.to_html("\n\n".join(paragraphs))
    )
    around = texts.to_html("\n\n".join([*note, *(f"[{words}]({url})" for words, url in links)]))
    return {
        "subject": heading.format(**facts),
        "preheader": told.words.summary.partition("\n")[0],
        "greets": False,
        "body_html": said + around,
        "body_text": "\n\n".join([*paragraphs, *note, f"{links[0][0]}: {links[0][1]}"]),
    }


def reminder(told: Told, days: Days, company: Company) -> dict[str, Any]:
    """The facts of the letter that reminds of a notice whose last day comes near."""
    said = {name: say(getattr(days, name), told.locale) for name in ("notified_on", "respond_by_on")}
    return _common(told, company) | said | {"place": company.place}


def withdrawal(told: Told, reason: str, company: Company) -> dict[str, Any]:
    """The facts of the letter that takes a notice back."""
    return _common(told, company) | {"withdrawn_because": reason}


def _common(told: Told, company: Company) -> dict[str, Any]:
    version, base, words = told.version, told.base, told.words
    to = furniture.addresses(version.policy, words.language, company.url)
    return {
        "title": words.title,
        "number": version.number,
        "effective_on": say_short(version.effective_on, told.locale),
        "summary": words.summary,
        "reason": words.why,
        "impact": words.impact,
        "language": words.language,
        "direction": direction(words.language),
        "language_note": told.note,
        "policy_page": to.policy(),
        "version_url": to.version(version.number),
        "diff_url": to.diff(base.number, version.number) if base else to.version(version.number),
        "sha256": words.sha256,
    }


def _other(version: Version, locale: str) -> dict[str, Any]:
    title = (version.in_language(locale) or version).title
    return {"title": title, "number": version.number, "effective_on": say_short(version.effective_on, locale)}


def _filled(text: str) -> str:
    return textwrap.fill(text, _TEXT_WIDTH, break_on_hyphens=False)


def _that_fit(wordings: Sequence[Wording]) -> list[Wording]:
    shown: list[Wording] = []
    letters = 0
    for wording in wordings[:SHOWN_CHANGES]:
        letters += len(wording.old) + len(wording.new)
        if letters > SHOWN_LETTERS:
            break
        shown.append(wording)
    return shown
