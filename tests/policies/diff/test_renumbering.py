"""Numbers that only count are told in one remark; numbers that mean something never are."""

import pytest

from mailer.policies.diff import Diff, diff

WORDS = [
    "we keep your name and other things of yours",
    "we keep your address and all that belongs to it",
    "we ask nobody else about you, ever",
]


def remarks(found: Diff) -> list[tuple[str, str]]:
    return [(change.kind, change.title) for change in found.changes]


def numbered(style: str, marks: str, words: list[str]) -> str:
    return "\n\n".join(style.format(mark, text) for mark, text in zip(marks, words, strict=False))


@pytest.mark.parametrize("style", ["({}) {}", "{}. {}", "{}) {}", "Article {} {}", "§ {} {}", "## {}. {}", "### {} {}"])
@pytest.mark.parametrize("marks", ["abcd", "1234"])
def test_a_new_clause_in_front_renumbers_the_rest_in_one_remark(style: str, marks: str) -> None:
    style = style.replace("{}. ", "{}\\. ") if style.startswith("{") else style  # else Markdown makes a list of it
    found = diff(numbered(style, marks, WORDS), numbered(style, marks, ["entirely other matter comes first", *WORDS]))
    assert [kind for kind, _ in remarks(found)] == ["added", "renumbered"]
    assert remarks(found)[1][1] in ("3 clauses renumbered", "3 headings renumbered")
    assert found.exact


def test_the_items_of_a_numbered_list_that_moved_on_are_told_too() -> None:
    old = "# T\n\n1. first of all things\n2. second of all things\n"
    found = diff(old, old.replace("1.", "1. brand new words entirely\n1."))
    assert remarks(found) == [("added", "T"), ("renumbered", "2 clauses renumbered")]
    assert [block.ordinals for block in found.blocks if block.kind == "renumbered"] == [(1, 2), (2, 3)]
    assert found.words.added == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("30 days are left to answer.", "60 days are left to answer."),
        ("## 30 days to answer", "## 60 days to answer"),
        ("- 12 months for bills\n- names", "- 24 months for bills\n- names"),
        ("- 30 days of logs", "- 31 days of logs"),
        ("13 years is the least age", "14 years is the least age"),
        ("## 2024 rates\n\n## 2026 rates", "## 2025 rates\n\n## 2026 rates"),
        ("| a |\n|---|\n| 2 years |", "| a |\n|---|\n| 3 years |"),
        ("A person may object.", "I person may object."),
        ("1. Scope of all of this", "1. Scope of none of this"),
    ],
)
def test_a_number_that_means_something_is_a_change(old: str, new: str) -> None:
    [change] = diff(old, new).changes
    assert change.kind == "changed"


def test_a_clause_that_changed_as_well_is_a_change() -> None:
    old = "(a) we keep your name for ten years\n\n(b) we keep your address for ten years"
    new = "(b) we keep your name for two years\n\n(c) we keep your address for ten years"
    assert [kind for kind, _ in remarks(diff(old, new))] == ["changed", "renumbered"]
