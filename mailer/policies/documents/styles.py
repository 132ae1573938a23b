"""Which of a Word document's styles make a heading, a list or hidden text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailer.policies.documents.xml import child, children, number_of, value_of

TITLE = 0
"""The level of the document's title, above all headings."""
_HEADING = re.compile(r"heading ([1-6])$", re.I)
_CONTENTS = re.compile(r"(?:toc|table of figures)\b", re.I)
_OFF = frozenset({"0", "false", "off", "none"})


@dataclass(frozen=True)
class Look:
    """What matters of how a paragraph or run looks; `list_id` is "0" where a list is switched off."""

    heading: int | None = None
    list_id: str = ""
    list_level: int = 0
    is_hidden: bool = False
    is_contents: bool = False
    is_bold: bool = False
    is_italic: bool = False

    def with_properties(self, paragraph: Any | None, run: Any | None) -> Look:
        """This look, changed by properties of its own."""
        look, numbers = self, child(paragraph, "numPr")
        if numbers is not None:
            list_id = value_of(child(numbers, "numId"), "val") or look.list_id
            level = child(numbers, "ilvl")
            look = replace(
                look, list_id=list_id, list_level=look.list_level if level is None else number_of(level, "val")
            )
        outline = child(paragraph, "outlineLvl")
        if outline is not None:
            level_number = number_of(outline, "val")
            look = replace(look, heading=level_number + 1 if level_number < 6 else None)
        return replace(
            look,
            is_hidden=is_on(run, "vanish", look.is_hidden),
            is_bold=is_on(run, "b", look.is_bold),
            is_italic=is_on(run, "i", look.is_italic),
        )


def is_on(properties: Any | None, name: str, otherwise: bool = False) -> bool:
    """Whether a property that is there or not is there, and not switched off."""
    found = child(properties, name)
    return otherwise if found is None else value_of(found, "val").lower() not in _OFF


@dataclass(frozen=True)
class Styles:
    """Every style of a document by its id."""

    by_id: Mapping[str, Any]

    def look(self, style_id: str) -> Look:
        """How this style looks, with all that it is based on."""
        chain: list[Any] = []
        while style_id in self.by_id and self.by_id[style_id] not in chain:
            chain.append(self.by_id[style_id])
            style_id = value_of(child(chain[-1], "basedOn"), "val")
        look = Look()
        for style in reversed(chain):
            look = _named(look, value_of(child(style, "name"), "val"))
            look = look.with_properties(child(style, "pPr"), child(style, "rPr"))
        return look if look.heading is None else replace(look, is_bold=False, is_italic=False)


def read(root: Any | None) -> Styles:
    """What `styles.xml` says."""
    return Styles({value_of(style, "styleId"): style for style in children(root, "style")})


def _named(look: Look, name: str) -> Look:
    heading = _HEADING.match(name)
    if heading:
        return replace(look, heading=int(heading[1]))
    if name.lower() == "title":
        return replace(look, heading=TITLE)
    return replace(look, is_contents=True) if _CONTENTS.match(name) else look
