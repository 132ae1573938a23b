"""The clean view of a comparison: the new text as a reading page, what changed marked lightly at the side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from markdown_it.token import Token
from markupsafe import Markup

from mailer.policies import text as texts
from mailer.policies.diff import Diff, DiffBlock
from mailer.policies.diff.blocks import HEADINGS, Block, blocks, parse
from mailer.policies.diff.places import openers
from mailer.policies.diff.tongues import Tongue

TOP = -1
"""The place of changes before the first heading."""


def to_html(diff: Diff, new_text: str, anchors: Sequence[str], tongue: Tongue, marked_href: str) -> Markup:
    """The new text; a changed paragraph has the class `touched`, a section with changes links to them in words.

    `marked_href` is the address of the page that shows the marked text.
    """
    tokens = texts.with_ids(parse(new_text), anchors)
    touched = {block.to_index for block in diff.blocks if block.kind != "same"}
    for number, position in enumerate(openers(tokens)):
        if number in touched:
            tokens[position].attrSet("class", "touched")
    notes = {
        heading: _note(diff, found, tongue, marked_href)
        for heading, found in _by_section(diff, blocks(new_text)).items()
    }
    return texts.render(list(_with_notes(tokens, notes)))


def _by_section(diff: Diff, new: Sequence[Block]) -> dict[int, list[DiffBlock]]:
    """The listed changes under the number of the heading they stand below; what was removed, where it stood."""
    listed = {change.anchor for change in diff.changes}
    found: dict[int, list[DiffBlock]] = defaultdict(list)
    heading = TOP
    for block in diff.blocks:
        if block.to_index is not None and new[block.to_index].kind in HEADINGS:
            heading = new[block.to_index].heading
        if block.anchor in listed:
            found[heading].append(block)
    return found


def _note(diff: Diff, found: Sequence[DiffBlock], tongue: Tongue, marked_href: str) -> Markup:
    places = {change.anchor: place for place, change in enumerate(diff.changes, start=1)}
    links = Markup(" ").join(
        Markup('<a href="{}#{}">{} ({})</a>').format(
            marked_href,
            block.anchor,
            tongue.change_of.format(n=places[block.anchor], total=len(places)),
            tongue.kinds[block.kind],
        )
        for block in found
    )
    return Markup('<p class="touched-note" lang="{}" dir="ltr">{}</p>').format(tongue.code, links)


def _with_notes(tokens: Sequence[Token], notes: Mapping[int, Markup]) -> Iterator[Token]:
    if TOP in notes:
        yield texts.html_token(notes[TOP])
    heading = TOP
    for token in tokens:
        yield token
        if token.type == "heading_close":
            heading += 1
            if heading in notes:
                yield texts.html_token(notes[heading])
