import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.policies.diff import Diff, DiffBlock, diff
from mailer.policies.diff.blocks import blocks, canonical
from mailer.policies.diff.render import to_html, to_text
from mailer.policies.diff.tokens import tokens

PIECES = [
    "# Privacy", "## Cookies", "## 1. Scope", "## 2. Scope", "We keep logs for 30 days.", "We keep logs for 60 days.",
    "We never sell the personal data of our users to anyone.", "We sell the personal data of our users to anyone.",
    "- one\n- two\n  - three", "1. first\n2. second", "| a | b |\n|---|---|\n| yes | no |",
    "```\ncode  here\n\n x\n```",
    "See [the terms](https://example.com/t).", "See [the terms](https://example.org/t).", "> quoted words",
    "<b>bold</b>",
    "You may leave. We will then erase what we hold of you, but for invoices.", "You may leave.",
    "We will then erase what we hold of you, but for invoices.", "Wij verkopen niets.", "نحن لا نبيع بياناتك", "",
]  # fmt: skip
documents = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=60)), max_size=9).map("\n\n".join)


def recovered(blocks: tuple[DiffBlock, ...], side: str) -> str:
    """The rule of `Diff`'s docstring, written again from the JSON's fields alone."""
    index, op = ("from_index", "-") if side == "old" else ("to_index", "+")
    texts: dict[int, str] = {}
    for block in blocks:
        at = getattr(block, index)
        if at is not None:
            texts[at] = texts.get(at, "") + "".join(text for mark, text in block.ops if mark in ("=", op))
    return "\n\n".join(texts[at] for at in sorted(texts))


def shown(found: Diff) -> list[tuple[str, str]]:
    return [(op, text.strip()) for block in found.blocks for op, text in block.ops if op != "=" and text.strip()]


def kinds(found: Diff) -> list[str]:
    return [change.kind for change in found.changes]


@settings(max_examples=150, deadline=None)
@given(documents, documents)
def test_both_texts_come_back_exactly(old: str, new: str) -> None:
    found = diff(old, new)
    assert found.exact
    assert recovered(found.blocks, "old") == canonical(blocks(old))
    assert recovered(found.blocks, "new") == canonical(blocks(new))
    assert {b.to_index for b in found.blocks if b.to_index is not None} == set(range(len(blocks(new))))
    assert {b.from_index for b in found.blocks if b.from_index is not None} == set(range(len(blocks(old))))


@settings(max_examples=60, deadline=None)
@given(documents)
def test_a_text_against_itself_is_an_empty_diff(text: str) -> None:
    found = diff(text, text)
    assert found.is_empty
    assert found.exact
    assert found.words.removed == found.words.added == 0


@settings(max_examples=60, deadline=None)
@given(st.permutations(PIECES[:9]), st.permutations(PIECES[:9]))
def test_moved_blocks_come_back_in_their_order(old: list[str], new: list[str]) -> None:
    assert diff("\n\n".join(old), "\n\n".join(new)).exact


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("We keep it for 30 days.", "We keep it for 60 days.", [("-", "30"), ("+", "60")]),
        ("We never sell it.", "We sell it.", [("-", "never")]),
        ("You may leave.", "You must leave.", [("-", "may"), ("+", "must")]),
        ("It costs € 9,50 a month.", "It costs € 9,75 a month.", [("-", "€ 9,50"), ("+", "€ 9,75")]),
        ("From 1 May 2024 on.", "From 2 May 2024 on.", [("-", "1 May 2024"), ("+", "2 May 2024")]),
        ("Mail a@b.example now.", "Mail a@c.example now.", [("-", "a@b.example"), ("+", "a@c.example")]),
        ("See https://a.example/x/y.", "See https://a.example/x/z.",
         [("-", "https://a.example/x/y"), ("+", "https://a.example/x/z")]),
        ("See [terms](/a).", "See [terms](/b).", [("-", "⟨/a⟩"), ("+", "⟨/b⟩")]),
        ("*Plain* words", "Plain **words**", []),
        ("one\ntwo", "one two  ", []),
        ("# Plain", "## Plain", []),
        ("We sell.<!-- note -->", "We sell.", []),
        ("---\ntitle: a\n---\nWe sell.", "---\ntitle: b\n---\nWe sell.", []),
        ("---\nImportant: we sell.\n---\n", "---\nImportant: we buy.\n---\n", [("-", "sell"), ("+", "buy")]),
        ("It costs 100€ a month.", "It costs 100$ a month.", [("-", "100€"), ("+", "100$")]),
        ("A credit of -5 euro.", "A credit of 5 euro.", [("-", "-5"), ("+", "5")]),
        ("For people of 16+ years.", "For people of 16 years.", [("-", "16+"), ("+", "16")]),
        ("30日間保存します", "60日間保存します", [("-", "30"), ("+", "60")]),
        ("", "New text.", [("+", "New text.")]),
        ("Old text.", "", [("-", "Old text.")]),
        ("", "", []),
    ],
)  # fmt: skip
def test_whole_words_that_changed_are_shown(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    found = diff(old, new)
    assert shown(found) == expected
    assert found.is_empty is (expected == [])


@pytest.mark.parametrize("kept", ["not", "never", "30", "must", "niet", "geen", "nicht", "2024-05-01"])
def test_clean_up_never_swallows_what_weighs(kept: str) -> None:
    frame = "Of the data that we receive from you in the course of our service we shall {} and so it remains."
    old = frame.format(f"alpha beta gamma {kept} delta epsilon zeta")
    new = frame.format(f"one two three {kept} four five six")
    assert {"alpha beta gamma", "four five six"} <= {text for _, text in shown(diff(old, new))}
    assert all(kept not in [token.text for token in tokens(text)] for _, text in shown(diff(old, new)))


def test_stop_words_between_changes_are_swallowed_into_a_phrase() -> None:
    found = diff("We send the invoice to the customer by post.", "We send a receipt to our client by post.")
    assert shown(found) == [("-", "the invoice to the customer"), ("+", "a receipt to our client")]


def test_a_pure_insertion_never_looks_like_a_removal() -> None:
    found = diff("We share the data and logs.", "We share all the personal data and logs.")
    assert {op for op, _ in shown(found)} == {"+"}


FILLER = [f"Paragraph number {n} tells about matter {n * 7} at some length and then stops." for n in range(12)]


def test_a_moved_paragraph_is_shown_at_its_new_place_with_the_changed_word_inside() -> None:
    moving = "Cookies that we set in your browser last until you close the session and are read by nobody else."
    reworded = moving.replace("browser", "device")
    found = diff("\n\n".join([moving, *FILLER]), "\n\n".join([*FILLER[:8], reworded, *FILLER[8:]]))
    [block] = [block for block in found.blocks if block.kind != "same"]
    assert (block.kind, block.from_index, block.to_index) == ("moved", 0, 8)
    assert shown(found) == [("-", "browser"), ("+", "device")]


def test_added_and_removed_blocks_stand_in_their_place() -> None:
    found = diff(
        "\n\n".join([*FILLER[:3], "Gone for good.", *FILLER[3:6]]), "\n\n".join([*FILLER[:6], "Something else."])
    )
    assert [(block.kind, block.from_index, block.to_index) for block in found.blocks if block.kind != "same"] == [
        ("removed", 3, None),
        ("added", None, 6),
    ]


def test_a_removed_repetition_is_named() -> None:
    repeated = "We take all reasonable measures to protect what you entrust to us."
    assert kinds(diff("\n\n".join([repeated, *FILLER, repeated]), "\n\n".join([repeated, *FILLER]))) == [
        "duplicate_removed"
    ]


def test_a_split_and_a_merged_paragraph_show_no_rewriting() -> None:
    first = "You may leave whenever you want, without giving any reason at all."
    second = "We will then erase what we hold of you within thirty days of your letter."
    split = diff(f"{first} {second}", f"{first}\n\n{second}")
    merge = diff(f"{first}\n\n{second}", f"{first} {second}")
    assert (kinds(split), shown(split), split.exact) == (["split"], [], True)
    assert (kinds(merge), shown(merge), merge.exact) == (["merged"], [], True)


def test_renumbered_headings_make_one_remark() -> None:
    old = "\n\n".join(f"## {n}. Part {'abc'[n - 1]}\n\n{FILLER[n]}" for n in (1, 2, 3))
    new = "\n\n".join(f"## {n + 1}. Part {'abc'[n - 1]}\n\n{FILLER[n]}" for n in (1, 2, 3))
    found = diff(old, new)
    assert [(change.kind, change.title) for change in found.changes] == [("renumbered", "3 headings renumbered")]


def test_lists_tables_and_code_are_compared_by_item_cell_and_line() -> None:
    table = "| what | kept |\n|---|---|\n| logs | 30 days |"
    old = f"# T\n\n- names\n- mails\n  - old ones\n\n{table}\n\n```\na  = 1\nb = 2\n```"
    new = old.replace("mails", "numbers").replace("30 days", "60 days").replace("b = 2", "b = 3")
    changed = [(block.block, block.path) for block in diff(old, new).blocks if block.kind == "changed"]
    assert changed == [("li", ("T",)), ("td", ("T",)), ("code", ("T",))]


def test_the_json_keeps_its_contract() -> None:
    found = diff("# Cookies\n\nKept for 30 days.", "# Cookies\n\nKept for 60 days.")
    assert json.loads(json.dumps(found.as_json())) == {
        "blocks": [
            {"kind": "same", "path": [], "block": "h1", "ops": [["=", "Cookies"]], "from": 0, "to": 0},
            {
                "kind": "changed",
                "path": ["Cookies"],
                "block": "p",
                "ops": [["=", "Kept for "], ["-", "30"], ["+", "60"], ["=", " days."]],
                "from": 1,
                "to": 1,
            },
        ],
        "changes": [{"title": "Cookies", "kind": "changed", "anchor": "change-1"}],
        "words": {"removed": 1, "added": 1, "old": 5, "new": 5},
        "exact": True,
        "rewritten": False,
        "canonical": 2,
    }


def test_hostile_repetition_falls_back_instead_of_growing() -> None:
    found = diff("x y " * 5000, "x z " * 5000)
    assert found.exact


def test_words_that_stand_under_another_beginning_are_a_change_though_no_word_is() -> None:
    old = "1. We never:\n   - sell your data\n   - rent your data\n2. We ask.\n"
    found = diff(old, old.replace("   - rent", "2. rent"))
    [block] = [block for block in found.blocks if block.kind == "changed"]
    assert (block.new, block.levels) == ("rent your data", (2, 1))
    assert found.words.removed == found.words.added == 0
    assert "they stood at level 2 of a list, now they stand at level 1 of a list" in to_text(found)
    assert "they stood at level 2" in to_html(found)
