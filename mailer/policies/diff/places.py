"""Where the blocks of a text stand among its tokens: what opens each, and which row of a table a cell is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.policies.diff.blocks import inline_text, parse


def openers(tokens: Sequence[Token]) -> Iterator[int]:
    """For each block in order the position of the token that opens its element.

    The paragraph of a tight list has no tag of its own, so its item opens it.
    """
    for position, token in enumerate(tokens):
        if token.type in ("fence", "code_block") and token.content.strip():
            yield position
        elif token.type == "inline" and inline_text(token):
            yield position - 2 if tokens[position - 1].hidden else position - 1


def rows(markdown: str) -> dict[int, int]:
    """The row of each block that is a cell, rows counted over the whole text; other blocks are left out."""
    tokens = parse(markdown)
    row = 0
    row_at: list[int] = []
    for token in tokens:
        row += token.type == "tr_open"
        row_at.append(row)
    return {
        number: row_at[position]
        for number, position in enumerate(openers(tokens))
        if tokens[position].type in ("td_open", "th_open")
    }
