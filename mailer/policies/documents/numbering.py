"""The numbers that Word writes before paragraphs but does not keep in their text: “3.”, “7.2”, “(a)”."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailer.policies.documents.xml import child, children, local, number_of, value_of

BULLET = "bullet"
DEEPEST = 8  # ECMA-376 §17.9.3: levels are 0 to 8
_PART = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True)
class Level:
    """How one level of a list is numbered; `text` has `%1` for the number of the first level."""

    shape: str
    text: str
    start: int


@dataclass(frozen=True)
class Label:
    """What stands before a paragraph: its level from 0, its number, and the label as it is printed."""

    level: int
    number: int
    printed: str
    is_bullet: bool

    @property
    def is_plain(self) -> bool:
        """Whether Markdown's own numbers say the same: “3.” or “3)”."""
        return self.is_bullet or self.printed in (f"{self.number}.", f"{self.number})")


@dataclass
class Numbering:
    """The lists of a document, and how far each has counted."""

    levels: Mapping[str, Mapping[int, Level]]
    lists: Mapping[str, tuple[str, Mapping[int, int]]]
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    def next(self, list_id: str, level: int) -> Label | None:
        """The label of the next paragraph of a list; None if the document does not describe the list."""
        kind, starts = self.lists.get(list_id, ("", {}))
        shapes = self.levels.get(kind, {})
        if level not in shapes:
            return None
        counts = self._counts.setdefault(kind, {})
        if list_id not in self._begun:
            self._begun.add(list_id)
            for again in starts:  # this list does not go on where the last of its kind ended
                counts.pop(again, None)
        for above in shapes:
            if above < level:
                counts.setdefault(above, starts.get(above, shapes[above].start))
        counts[level] = counts[level] + 1 if level in counts else starts.get(level, shapes[level].start)
        for below in [one for one in counts if one > level]:
            del counts[below]
        return Label(level, counts[level], _printed(shapes, level, counts), shapes[level].shape == BULLET)


def read(root: Any | None) -> Numbering:
    """What `numbering.xml` says; a document without it has no lists."""
    if root is None:
        return Numbering({}, {})
    kinds = {
        value_of(each, "abstractNumId"): {
            number_of(level, "ilvl"): _level(level)
            for level in children(each, "lvl")
            if number_of(level, "ilvl") <= DEEPEST
        }
        for each in children(root, "abstractNum")
    }
    lists = {}
    for each in children(root, "num"):
        starts = {
            number_of(override, "ilvl"): number_of(child(override, "startOverride"), "val")
            for override in children(each, "lvlOverride")
            if child(override, "startOverride") is not None
        }
        lists[value_of(each, "numId")] = (value_of(child(each, "abstractNumId"), "val"), starts)
    return Numbering(kinds, lists)


def _level(element: Any) -> Level:
    found = {local(each): value_of(each, "val") for each in element}
    start = number_of(child(element, "start"), "val", otherwise=1)
    return Level(found.get("numFmt", "decimal"), found.get("lvlText", ""), start)


def _printed(shapes: Mapping[int, Level], level: int, counts: Mapping[int, int]) -> str:
    def number(found: re.Match[str]) -> str:
        which = int(found[1]) - 1
        shape = shapes[which].shape if which in shapes else "decimal"
        return _spelled(counts.get(which, 1), shape)

    return _PART.sub(number, shapes[level].text).strip()


def _spelled(number: int, shape: str) -> str:
    match shape:
        case "lowerLetter" | "upperLetter":
            letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 % 20 + 1)
            return letter.upper() if shape == "upperLetter" else letter
        case "lowerRoman" | "upperRoman" if 0 < number < 4000:
            roman = ""
            for worth, letters in (*_ROMAN, *_ROMAN_SMALL):
                while number >= worth:
                    roman, number = roman + letters, number - worth
            return roman.upper() if shape == "upperRoman" else roman
        case "none":
            return ""
        case "decimalZero":
            return f"{number:02}"
        case _:
            return str(number)
