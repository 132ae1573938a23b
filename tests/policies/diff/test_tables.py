"""Tables are compared by rows and columns, as they are read."""

from __future__ import annotations

import re

import pytest

from mailer.policies.diff import Diff, diff
from mailer.policies.diff.blocks import blocks
from mailer.policies.diff.render import Wording, to_html, to_text, wordings

TABLE = """# Cookies

| Name | Kept | Shared |
|---|---|---|
| session | until you leave | no |
| login | 90 days | no |
| choice | 1 year | yes |
"""


def lines(found: Diff) -> list[tuple[str, str]]:
    return [(change.kind, change.title) for change in found.changes]


def cells(found: Diff) -> list[tuple[str, str, str]]:
    return [(block.kind, block.old, block.new) for block in found.blocks if block.kind != "same"]


def test_cells_know_their_row_and_the_title_of_their_column() -> None:
    text = "Before.\n\n| a | b |\n|---|---|\n| c | |\n\nBetween.\n\n| d |\n|---|\n| e |\n"
    assert [(block.row, block.column, block.text) for block in blocks(text)] == [
        (None, "", "Before."),
        (0, "", "a"),
        (0, "", "b"),
        (1, "a", "c"),
        (1, "b", ""),
        (None, "", "Between."),
        (2, "", "d"),
        (3, "d", "e"),
    ]


def test_a_changed_cell_says_whose_it_is_and_is_shown_in_its_row() -> None:
    found = diff(TABLE, TABLE.replace("90 days", "180 days"))
    assert lines(found) == [("changed", "login › Kept")]
    assert wordings(found) == [Wording("login › Kept", "changed", "login | 90 days | no", "login | 180 days | no")]
    assert "Old: login | 90 days | no\nNew: login | 180 days | no" in to_text(found)
    html = to_html(found)
    table = re.search(r'id="change-1".*?</table>', html, re.DOTALL)
    assert table is not None
    assert re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", table[0]) == ["Name", "Kept", "Shared"]
    assert table[0].count("<tr>") == 2
    assert ">login</td>" in table[0]


def test_a_value_that_changes_its_column_is_a_change() -> None:
    found = diff(
        TABLE.replace("| choice | 1 year | yes |", "| choice | yes | |"), TABLE.replace("1 year | yes", " | yes")
    )
    assert lines(found) == [("changed", "choice")]
    assert cells(found) == [("changed", "yes", ""), ("changed", "", "yes")]
    assert found.exact


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (TABLE, TABLE + "| theme | 1 day | no |\n", [("added", "theme")]),
        (TABLE + "| theme | 1 day | no |\n", TABLE, [("removed", "theme")]),
        (TABLE.replace("| login | 90 days | no |\n", ""), TABLE, [("added", "login")]),
    ],
)
def test_a_row_that_comes_or_goes_is_one_change(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    assert lines(diff(old, new)) == expected


def test_a_row_that_moved_is_one_move_linked_both_ways() -> None:
    row = "| session | until you leave | no |\n"
    found = diff(TABLE, TABLE.replace(row, "") + row)
    assert lines(found) == [("moved", "session")]
    html = to_html(found)
    assert html.count('-from"') == 2
    assert 'href="#change-1-from"' in html


def test_titles_that_change_places_over_the_same_values_turn_every_row() -> None:
    old = "| N | Buy | Sell |\n|---|---|---|\n| a | yes | no |\n| b | yes | no |\n"
    found = diff(old, old.replace("Buy | Sell", "Sell | Buy"))
    assert [title for _, title in lines(found)] == ["N", "a", "b"]
    assert ("changed", "no", "yes") in cells(found)
    assert ("moved", "yes", "no") in cells(found)


def test_a_new_column_leaves_the_others_alone() -> None:
    old = "| N | Buy |\n|---|---|\n| a | yes |\n| b | no |\n"
    new = "| N | Rent | Buy |\n|---|---|---|\n| a | maybe | yes |\n| b | never | no |\n"
    assert cells(diff(old, new)) == [("added", "", "Rent"), ("added", "", "maybe"), ("added", "", "never")]
    assert cells(diff(new, old)) == [("removed", "Rent", ""), ("removed", "maybe", ""), ("removed", "never", "")]
    assert lines(diff(new, old)) == [("changed", "N"), ("changed", "a › Rent"), ("changed", "b › Rent")]


def test_a_table_that_became_a_list_is_told_and_recovered() -> None:
    found = diff(TABLE, "# Cookies\n\n- session until you leave\n- login 90 days\n- choice 1 year\n")
    assert found.exact
    assert {block.kind for block in found.blocks if block.block == "td"} == {"removed"}


def test_columns_that_changed_places_in_one_table_do_not_in_the_next() -> None:
    first = "| N | Buy | Sell |\n|---|---|---|\n| a | yes | no |\n"
    second = "| M | Rent | Lend |\n|---|---|---|\n| b | seven | eight |\n"
    other = "| Wholly | Other | Heads |\n|---|---|---|\n| b | seven | eight |\n"
    old, new = f"{first}\nWords.\n\n{second}", f"{first.replace('Buy | Sell', 'Sell | Buy')}\nWords.\n\n{other}"
    found = diff(old, new)
    assert found.exact
    assert {block.kind for block in found.blocks if block.new in ("b", "seven", "eight")} == {"same"}
