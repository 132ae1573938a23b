"""The ids of a text's headings that last over its versions: a section keeps its id when its heading is reworded."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.policies.diff.align import align
from mailer.policies.diff.blocks import HEADINGS, RESERVED, Block, blocks, parse, section_anchor, sections


def fresh(text: str) -> list[str]:
    """The ids of the headings of a first version, in order: made of their titles, each once."""
    return [section.anchor for section in sections(parse(text))]


def carried(old_text: str, old_anchors: Sequence[str], new_text: str) -> list[str]:
    """The ids of the new text's headings, in order: a section found again keeps the id it had in the old text.

    A section that is new gets an id made of its title that no section of either text has, so that a link to a section
    that went away never leads to another one. `old_anchors` may be empty: the old text's fresh ids are meant then.
    """
    known = list(old_anchors) or fresh(old_text)
    old, new = blocks(old_text), blocks(new_text)
    aligned = align(old, new)
    partner = {j: i for i, j in [*aligned.pairs, *aligned.moves]}
    heading_of_old = _numbers(old)
    heading_of_new = {number: at for at, number in _numbers(new).items()}
    titles = sections(parse(new_text))
    kept = {
        number: known[heading_of_old[i]]
        for number in range(len(titles))
        if (i := partner.get(heading_of_new.get(number, -1), -1)) in heading_of_old
    }
    taken = dict.fromkeys([*RESERVED, *known, *kept.values()], 0)
    return [kept.get(number) or section_anchor(section.title, taken) for number, section in enumerate(titles)]


def _numbers(found: Sequence[Block]) -> dict[int, int]:
    """Which of the text's headings, counted from 0, each heading block is; a heading without words has no block."""
    return {at: block.heading for at, block in enumerate(found) if block.kind in HEADINGS}
