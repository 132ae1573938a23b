import pytest

from mailer.policies.diff.chain import heaviest_chain
from mailer.policies.diff.compare import cut_ops
from mailer.policies.diff.cues import MODALS, NEGATIONS, STOP_WORDS
from mailer.policies.diff.tokens import tokens
from mailer.policies.diff.words import Budget, word_ops


@pytest.mark.parametrize(
    "whole",
    ["1 May 2024", "May 1st, 2024", "€ 12.50", "12,5%", "2024-05-01", "a.b@c.example", "https://x.example/a?b=c#d",
     "third-party", "don't", "and/or", "30-day", "3.5x", "क्षमा", "⟨https://x.example/a b⟩", "U.S"],
)  # fmt: skip
def test_what_belongs_together_is_one_token(whole: str) -> None:
    assert [token.text for token in tokens(f"so {whole}, then")] == ["so", whole, ",", "then"]


def test_no_stop_word_is_a_negation_or_modal_verb() -> None:
    assert not STOP_WORDS & (NEGATIONS | MODALS)


def test_the_heaviest_chain_keeps_the_order_of_both_sides() -> None:
    assert heaviest_chain([(0, 5, 3.0), (1, 0, 1.0), (2, 1, 1.0), (2, 6, 2.0), (3, 2, 1.0)]) == [(0, 5), (2, 6)]
    assert heaviest_chain([]) == []


def test_a_comparison_beyond_its_budget_still_finds_unique_words() -> None:
    budget = Budget()
    budget.left = 0
    ops = word_ops("one two three one", "one two four one", budget)
    assert ops == (("=", "one two "), ("-", "three"), ("+", "four"), ("=", " one"))


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("a b. c d.", ["a b.", "c d."]),
        ("a b.c d.", ["a b.", "c d."]),
        ("x c d.", ["a b.", "c d."]),
        ("a", ["a", "b", "c"]),
    ],
)
def test_cut_operations_rebuild_the_whole_and_each_part(whole: str, parts: list[str]) -> None:
    cuts = cut_ops(word_ops(whole, " ".join(parts), Budget()), parts, "-")
    assert "".join(text for cut in cuts for op, text in cut if op != "+") == whole
    assert ["".join(text for op, text in cut if op != "-") for cut in cuts] == parts
