"""Every block of a text is found again among the tokens that its page is made of."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.policies.diff.blocks import blocks, parse
from mailer.policies.diff.places import openers

TABLE = "| h | i |\n|---|---|\n| j | |\n\n"
PIECES = (
    *("# A\n\n", "a\n\n", "- b\n", "- b\n\n  c\n", "1. d\n", "> e\n\n", "```\nf\n```\n", "    g\n"),
    *(TABLE, "<b>k</b>\n\n", "<div>\n\nl\n\n</div>\n\n", "![m](n)\n\n", "---\n\n", "\n", "* \n", "# \n"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_every_block_has_its_opener(text: str) -> None:
    tokens = parse(text)
    found = [tokens[position] for position in openers(tokens)]
    assert len(found) == len(blocks(text))
    assert not [token.type for token in found if token.hidden]
