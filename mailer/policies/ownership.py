"""What people are told of a change of ownership: the new owner, the uses of their data, their choices (S7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mailer.policies import rules, written
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.rules import ChangeClass, StillMaterial

OWN = ""  # stands for the policy's own language where a form does not know it
NAMES = ("owner", "uses", "choices")


@dataclass(frozen=True)
class Ownership:
    """In one language: who owns the company from then on, what becomes of the data, what people may choose."""

    owner: str = ""
    uses: str = ""
    choices: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(asdict(self).values())


Kept = dict[str, dict[str, str]]


def read(said: Mapping[str, Ownership] | None, own: str) -> Kept | None:
    """What a draft keeps of it, by language; None where it is about no change of ownership. Read strictly."""
    kept: Kept = {}
    for language, words in (said or {}).items():
        read_words = {name: written.read_words(getattr(words, name), field_of(name, language)) for name in NAMES}
        if any(read_words.values()):
            kept[language or own] = read_words
    return kept or None


def field_of(name: str, language: str) -> str:
    """The form's field of it: `ownership_uses`, `ownership_uses_nl`."""
    return f"ownership_{name}" + (f"_{language}" if language else "")


def check(kept: Kept | None, change_class: ChangeClass, own: str, languages: list[str]) -> None:
    """The mistake that keeps it from review: less than material, or something of it not said in some language."""
    if not kept:
        return
    if change_class is not ChangeClass.MATERIAL:
        raise StillMaterial("change_class: a change of ownership is material: everybody is told by mail.")
    for language in (own, *languages):
        words = kept.get(language, {})
        missing = [name for name in NAMES if not words.get(name)]
        if missing:
            name = field_of(missing[0], "" if language == own else language)
            raise written.BadText(
                f"{name}: say it in {rules.LANGUAGES[language]} too; a notice of a change of ownership names the new "
                "owner, the uses of the data and people's choices.",
                field=name,
            )


def told(version: Version, words: Version | VersionTranslation) -> dict[str, str] | None:
    """What readers of these words are told of the new owner; None if the version is about none."""
    if not version.ownership:
        return None
    return version.ownership.get(words.language) or version.ownership[version.language]
