"""What a draft says, in every language: all that an approval approves, and what keeps it from review (DESIGN §6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

from mailer.contacts.rules import read_line
from mailer.errors import Conflict
from mailer.policies import documents, ownership, rules, written
from mailer.policies.models import Draft, DraftTranslation, Version, VersionTranslation
from mailer.policies.ownership import Ownership
from mailer.policies.rules import Announce, ChangeClass

TOLD = ("summary", "why", "impact")
"""What people are told of a change, beside the text itself."""


class OldBase(Conflict):
    """A draft written on another version than the one it would follow, whose words its release would take back."""


@dataclass(frozen=True)
class Translation:
    """The same in another language; the policy's own language counts."""

    title: str
    text: str
    summary: str = ""
    why: str = ""
    impact: str = ""


@dataclass(frozen=True)
class Wording:
    """All that an approval approves: the text, its class, its day, and what people are told of it.

    `ownership` is said by language where the company gets a new owner (S7).
    `translations` are by language; None leaves them as they are, and a new draft starts with those of its base.
    """

    text: str
    change_class: ChangeClass = ChangeClass.MATERIAL
    announce: Announce = Announce.ANNOUNCEMENT
    effective_on: date | None = None
    summary: str = ""
    why: str = ""
    impact: str = ""
    class_reason: str = ""
    answers: Mapping[str, bool] = field(default_factory=dict)
    translations: Mapping[str, Translation] | None = None
    ownership: Mapping[str, Ownership] | None = None


def wording_of(draft: Draft, effective_on: date | None) -> Wording:
    """What a draft says."""
    return Wording(
        text=draft.text,
        change_class=draft.change_class,
        announce=draft.announce,
        effective_on=effective_on,
        summary=draft.summary,
        why=draft.why,
        impact=draft.impact,
        class_reason=draft.class_reason,
        answers=dict(draft.answers),
        translations=translations_of(draft),
        ownership={language: Ownership(**said) for language, said in draft.ownership.items()}
        if draft.ownership
        else None,
    )


def translations_of(draft: Draft) -> dict[str, Translation]:
    """A draft's translations by language."""
    return {
        row.language: Translation(row.title, row.text, row.summary, row.why, row.impact) for row in draft.translations
    }


def carried(base: Version | None) -> dict[str, Translation]:
    """The translations that a new draft starts with: the texts of its base, nothing said of the change yet."""
    return {row.language: Translation(row.title, row.text) for row in base.translations} if base else {}


def write(draft: Draft, wording: Wording) -> None:
    """Put words into a draft, read strictly; BadText and its kin name the field at fault."""
    draft.text = documents.read_document(wording.text)
    draft.change_class, draft.announce = wording.change_class, wording.announce
    draft.effective_on = wording.effective_on
    for name in (*TOLD, "class_reason"):
        setattr(draft, name, written.read_words(getattr(wording, name), name))
    draft.answers = {key: bool(wording.answers[key]) for key in rules.QUESTIONS if key in wording.answers}
    draft.ownership = ownership.read(wording.ownership, draft.policy.language)
    if wording.translations is not None:
        _write_translations(draft, read_translations(wording.translations, draft.policy.language))


def read_translations(translations: Mapping[str, Translation], own: str) -> dict[str, Translation]:
    """Translations of a policy written in `own`, by language, read strictly; a fault names `text_nl`, `title_nl` …"""
    found = {}
    for language, said in sorted(translations.items()):
        rules.check_translation(language, own)
        title = read_line(said.title, f"title_{language}")
        if not title:
            raise written.BadText(
                f"title_{language}: say what people call this policy in {rules.LANGUAGES[language]}.",
                field=f"title_{language}",
            )
        told = {name: written.read_words(getattr(said, name), f"{name}_{language}") for name in TOLD}
        found[language] = Translation(title, documents.read_document(said.text, field=f"text_{language}"), **told)
    return found


def fingerprint(draft: Draft, base: Version | None) -> str:
    """What an approval approves, in every language, with the version it was compared with.

    A form that shows a draft gives this back as `seen`: it differs once the draft or its base has changed.
    """
    answers = json.dumps(dict(draft.answers), sort_keys=True)
    words = (draft.text, draft.summary, draft.why, draft.impact, draft.class_reason, answers)
    said = {language: asdict(translation) for language, translation in translations_of(draft).items()}
    owner = json.dumps(draft.ownership, sort_keys=True) if draft.ownership else ""
    later = (draft.revision, json.dumps(said, sort_keys=True) if said else "", owner)
    return rules.fingerprint(
        *words,
        draft.change_class.value,
        draft.announce.value,
        draft.effective_on,
        number_of(base),
        *filter(None, later),  # approvals older than these stand
    )


def check_words(draft: Draft, base: Version | None) -> None:
    """The mistake that keeps a draft from review and release, if its words have one."""
    written.read_text(draft.text)
    check_base(draft, base)
    if base is not None and not _has_news(draft, base):
        raise rules.NothingChanged(
            f"This text is word for word that of version {base.number}, in every language; there is nothing to release."
        )
    rules.check_class(draft.change_class, draft.class_reason, draft.answers)
    ownership.check(
        draft.ownership, draft.change_class, draft.policy.language, [row.language for row in draft.translations]
    )
    if draft.change_class is ChangeClass.MINOR:
        return
    if not draft.summary:
        raise written.BadText(
            "summary: say in plain words what changes; it is the first thing people read.", field="summary"
        )
    for row in draft.translations:
        if not row.summary:
            name = rules.LANGUAGES[row.language]
            raise written.BadText(
                f"summary_{row.language}: say in {name} too what changes, or leave the translation out.",
                field=f"summary_{row.language}",
            )


def number_of(base: Version | None) -> int:
    """The number of a version that a text builds on, 0 for none."""
    return base.number if base else 0


def check_base(draft: Draft, base: Version | None) -> None:
    """OldBase unless the draft was last written on `base`, the version that it would follow."""
    begun, now = draft.base_number or 0, number_of(base)
    if begun == now:
        return
    written_on = f"on version {begun}" if begun else "before there was a version"
    if base is not None and now > begun:
        raise OldBase(
            f"This text was written {written_on}; version {now} was released since. "
            f"Open it, bring in what version {now} changed, and keep it again."
        )
    raise OldBase(
        f"This text was written {written_on}, which was withdrawn since. "
        f"Open it, take out what version {begun} changed, and keep it again."
    )


def stale_translations(draft: Draft, base: Version | None) -> list[str]:
    """The languages whose text is still that of the base though the authoritative text changed."""
    if base is None or draft.text == base.text:
        return []
    before = {row.language: row.text for row in base.translations}
    return [row.language for row in draft.translations if row.text == before.get(row.language)]


def _has_news(draft: Draft, base: Version) -> bool:
    if draft.ownership:  # the text may be the same; who stands behind it is not
        return True
    return draft.text != base.text or _texts(draft.translations) != _texts(base.translations)


def _texts(rows: list[DraftTranslation] | list[VersionTranslation]) -> dict[str, tuple[str, str]]:
    return {row.language: (row.title, row.text) for row in rows}


def _write_translations(draft: Draft, translations: Mapping[str, Translation]) -> None:
    kept = {row.language: row for row in draft.translations}
    rows = []
    for language, said in translations.items():
        row = kept.get(language) or DraftTranslation(language=language)
        for name, words in asdict(said).items():
            setattr(row, name, words)
        rows.append(row)
    draft.translations = rows
