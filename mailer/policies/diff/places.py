"""Where the blocks of a text stand among its tokens: what opens each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.policies.diff.blocks import inline_text


def openers(tokens: Sequence[Token]) -> Iterator[int]:
    """For each block in order the position of the token that opens its element.

    The paragraph of a tight list has no tag of its own, so its item opens it.
    """
    for position, token in enumerate(tokens):
        if token.type in ("fence", "code_block") and token.content.strip():
            yield position
        elif token.type == "inline" and (inline_text(token) or tokens[position - 1].type in ("td_open", "th_open")):
            yield position - 2 if tokens[position - 1].hidden else position - 1
