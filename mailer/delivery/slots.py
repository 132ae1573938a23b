"""Slots: the places in frozen wording where one recipient's values go. Nothing else differs between two recipients.

In kept wording a slot is its name between two private-use characters, which no text of ours may hold;
while a template is rendered it is a plain word, for CSS inliners and Markdown leave words alone.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from mailer.errors import Invalid

OPEN, CLOSE = "\ue000", "\ue001"
BASE = frozenset({"greeting", "first_name", "name", "company", "email", "leave_url", "preferences_url"})
_EDGE = f"x{secrets.token_hex(8)}x"  # drawn for each process: no text from elsewhere can hold it
_WORD = re.compile(f"{_EDGE}([a-z][a-z0-9_]*?){_EDGE}")
_KEPT = re.compile(f"{OPEN}([a-z][a-z0-9_]*){CLOSE}")
_PRIVATE = re.compile(f"[{OPEN}{CLOSE}]")


class MissingSlot(Invalid):
    """Wording asks for a value that the message does not have."""


class Slots:
    """What templates see as `slots`: every attribute prints as its mark."""

    def __getattr__(self, name: str) -> Markup:
        if name.startswith("_"):
            raise AttributeError(name)
        return word(name)


def word(name: str) -> Markup:
    """The mark of a slot while a template or a prepared text is rendered."""
    return Markup(f"{_EDGE}{name}{_EDGE}")  # noqa: S704 - letters only


def clean(text: str) -> str:
    """`text` without the private characters that mark slots."""
    return _PRIVATE.sub("", text)


def marks(rendered: str) -> Counter[str]:
    """How often the word of each slot stands in a rendered text."""
    return Counter(_WORD.findall(rendered))


def keep(rendered: str) -> str:
    """Rendered text with its words turned into kept marks, and its line ends into line feeds."""
    return _WORD.sub(lambda found: f"{OPEN}{found[1]}{CLOSE}", unix(_PRIVATE.sub("", rendered)))


def unix(text: str) -> str:
    """`text` with line feeds for every kind of line end that mail knows."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def names(kept: str) -> set[str]:
    """The slots that kept wording asks for."""
    return set(_KEPT.findall(kept))


def split(kept: str) -> tuple[list[str], list[str]]:
    """Kept wording as its literals and the slots between them: one literal more than slots, some of them empty."""
    pieces = _KEPT.split(kept)
    return pieces[::2], pieces[1::2]


@dataclass(frozen=True, slots=True)
class Cut:
    """Kept wording cut at its slots, for texts that are filled as they are."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> str:
        """`fill` for a text that is no HTML."""
        pieces = [self.literals[0]]
        for number, name in enumerate(self.names, 1):
            pieces += (value(values, name), self.literals[number])
        return "".join(pieces)


def cut(kept: str) -> Cut:
    """Kept wording, cut once for many."""
    literals, names = split(kept)
    return Cut(tuple(literals), tuple(names))


def value(values: Mapping[str, str], name: str) -> str:
    """What goes into a slot; MissingSlot if the message does not have it."""
    found = values.get(name)
    if found is None:
        raise MissingSlot(f"{name}: this mail asks for a value that the message does not have.", field=name)
    return found


def in_html(text: str) -> str:
    """A value as HTML shows it."""
    return escape(text)


def fill(kept: str, values: Mapping[str, str], *, html: bool) -> str:
    """Kept wording with one recipient's values in their places."""

    def filled(found: re.Match[str]) -> str:
        bare = value(values, found[1])
        return in_html(bare) if html else bare

    return _KEPT.sub(filled, kept)
