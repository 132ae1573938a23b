"""What a marked text says beside the text itself, in each language of our pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailer.policies.diff.model import Change, Diff, Kind, Op
from mailer.policies.diff.speech import REMARKS, spoken


@dataclass(frozen=True, slots=True)
class Tongue:
    """The words around a diff in one language; a pair is singular and plural, braces take what is named."""

    code: str
    inserted: str
    end_of_insertion: str
    removed: str
    end_of_removal: str
    link_to: str
    no_target: str
    moved_here: str
    moved_away: str
    remarks: Mapping[Kind, str]
    kinds: Mapping[Kind, str]
    unchanged: tuple[str, str]
    change_of: str
    previous: str
    following: str
    to_list: str
    wording: str
    until_now: str
    from_now_on: str
    nothing_changed: str
    changes: tuple[str, str]
    no_words: str
    words: tuple[str, str]
    rewritten: str
    other_level: str
    list_level: str
    outside_lists: str
    headings: tuple[str, str]
    clauses: tuple[str, str]
    both: str
    renumbered: str
    ordinal: str

    def level_change(self, levels: tuple[int, int]) -> str:
        """That the same words stand deeper or less deep in a list: under another beginning they say another thing."""
        places = [self.list_level.format(level) if level else self.outside_lists for level in levels]
        return self.other_level.format(*places)

    def speak(self, op: Op, text: str) -> str:
        """One operation's text for readers, a changed link target said in words."""
        return spoken(op, text, self.link_to, self.no_target)

    def title(self, change: Change) -> str:
        """What a line of the list of changes says; many renumberings are one line that counts them."""
        if change.headings + change.items < 2:
            return change.title
        kinds = ((self.headings, change.headings), (self.clauses, change.items))
        told = [counted(forms, n) for forms, n in kinds if n]
        return self.renumbered.format(self.both.format(*told) if len(told) == 2 else told[0])

    def sentence(self, diff: Diff) -> str:
        """The whole diff in a sentence: "3 changes: 12 words removed, 18 added."."""
        if diff.is_empty:
            return self.nothing_changed
        changes = counted(self.changes, len(diff.changes))
        removed, added = diff.words.removed, diff.words.added
        if diff.is_rewritten:
            return self.rewritten.format(old=diff.words.old, new=diff.words.new)
        if not removed and not added:
            return self.no_words.format(changes=changes)
        return f"{changes}: {counted(self.words, removed, added=added)}"


def counted(forms: tuple[str, str], n: int, **more: object) -> str:
    """The singular or the plural form with its number."""
    return forms[n != 1].format(n=n, **more)


ENGLISH = Tongue(
    code="en",
    inserted="inserted: ",
    end_of_insertion=" end of insertion ",
    removed="removed: ",
    end_of_removal=" end of removal ",
    link_to="link to {}",
    no_target="nothing",
    moved_here="Moved from its old place",
    moved_away="Moved to its new place",
    remarks=REMARKS,
    kinds={kind: kind.replace("_", " ") for kind in REMARKS},
    unchanged=("{n} paragraph unchanged", "{n} paragraphs unchanged"),
    change_of="Change {n} of {total}",
    previous="Previous change",
    following="Next change",
    to_list="List of changes",
    wording="Old and new wording",
    until_now="Until now",
    from_now_on="From now on",
    nothing_changed="No words changed.",
    changes=("{n} change", "{n} changes"),
    no_words="{changes}, no words removed or added.",
    words=("{n} word removed, {added} added.", "{n} words removed, {added} added."),
    rewritten="The text was rewritten: {old} words until now, {new} words from now on.",
    headings=("{n} heading", "{n} headings"),
    clauses=("{n} clause", "{n} clauses"),
    both="{} and {}",
    renumbered="{} renumbered",
    ordinal="number {old} is now number {new}",
    other_level="The same words; they stood {}, now they stand {}.",
    list_level="at level {} of a list",
    outside_lists="outside any list",
)

DUTCH = Tongue(
    code="nl",
    inserted="ingevoegd: ",
    end_of_insertion=" einde invoeging ",
    removed="verwijderd: ",
    end_of_removal=" einde verwijdering ",
    link_to="link naar {}",
    no_target="niets",
    moved_here="Verplaatst van zijn oude plek",
    moved_away="Verplaatst naar zijn nieuwe plek",
    remarks={
        "same": "Ongewijzigd",
        "changed": "Gewijzigd",
        "added": "Toegevoegd",
        "removed": "Verwijderd",
        "moved": "Verplaatst",
        "split": "In meerdere gesplitst",
        "merged": "Uit meerdere samengevoegd",
        "duplicate_removed": "Herhaling verwijderd; dezelfde woorden staan elders",
        "renumbered": "Hernummerd",
    },
    kinds={
        "same": "ongewijzigd",
        "changed": "gewijzigd",
        "added": "toegevoegd",
        "removed": "verwijderd",
        "moved": "verplaatst",
        "split": "gesplitst",
        "merged": "samengevoegd",
        "duplicate_removed": "herhaling weg",
        "renumbered": "hernummerd",
    },
    unchanged=("{n} alinea ongewijzigd", "{n} alinea’s ongewijzigd"),
    change_of="Wijziging {n} van {total}",
    previous="Vorige wijziging",
    following="Volgende wijziging",
    to_list="Lijst van wijzigingen",
    wording="Oude en nieuwe tekst",
    until_now="Tot nu toe",
    from_now_on="Voortaan",
    nothing_changed="Er is geen woord gewijzigd.",
    changes=("{n} wijziging", "{n} wijzigingen"),
    no_words="{changes}, geen woorden verwijderd of toegevoegd.",
    words=("{n} woord verwijderd, {added} toegevoegd.", "{n} woorden verwijderd, {added} toegevoegd."),
    rewritten="De tekst is herschreven: {old} woorden tot nu toe, {new} woorden voortaan.",
    headings=("{n} kop", "{n} koppen"),
    clauses=("{n} bepaling", "{n} bepalingen"),
    both="{} en {}",
    renumbered="{} hernummerd",
    ordinal="nummer {old} is nu nummer {new}",
    other_level="Dezelfde woorden; ze stonden {}, nu staan ze {}.",
    list_level="op niveau {} van een lijst",
    outside_lists="buiten een lijst",
)

TONGUES: Mapping[str, Tongue] = {"en": ENGLISH, "nl": DUTCH}


def tongue_of(language: str) -> Tongue:
    """The words of a language, English where we have none."""
    return TONGUES.get(language, ENGLISH)
