"""Our diff on real histories, held to the figures that a reader feels; on the sample company's texts where alone."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

from mailer.demo.company import text_of
from mailer.policies.diff import Diff, diff
from mailer.policies.diff.blocks import blocks, canonical
from tests.benchmarks import engines, figures, moves

CHEAP = 4_000_000
"""Flat difflib is asked only where it needs no more comparisons; `make bench-diff` asks it everywhere."""
OWN = {f"sample {a}..{b}": (text_of(a), text_of(b)) for a, b in ((1, 2), (2, 3), (1, 3), (3, 1))}


@pytest.fixture(scope="module")
def compared(shared_or_none: Path | None) -> dict[str, Diff]:
    """Every pair of the real histories, and our own texts."""
    pairs = dict(OWN)
    if shared_or_none is not None:
        folder = shared_or_none / "data" / "policies"
        for pair in json.loads((folder / "manifest.json").read_text())["pairs"]:
            pairs[pair["id"]] = (read(folder / pair["old"]), read(folder / pair["new"]))
    return {name: diff(old, new) for name, (old, new) in pairs.items()}


def test_both_canonical_texts_come_back_from_every_pair(compared: dict[str, Diff]) -> None:
    for name, found in compared.items():
        assert figures.is_round_trip(found, found.old_text, found.new_text), name


def test_a_pair_without_a_changed_word_shows_none(compared: dict[str, Diff]) -> None:
    for name, found in compared.items():
        if not figures.changed_as_a_bag(found.old_text, found.new_text):
            assert found.words.removed == found.words.added == 0, name


def test_no_cut_is_ever_inside_a_word_number_date_address_or_url(compared: dict[str, Diff]) -> None:
    for name, found in compared.items():
        assert figures.cuts(figures.ops_of(found)) == [], name


def test_small_changes_show_hardly_more_words_than_changed(compared: dict[str, Diff]) -> None:
    bags = {name: figures.changed_as_a_bag(found.old_text, found.new_text) for name, found in compared.items()}
    small = [name for name, bag in bags.items() if bag in figures.SMALL]
    shown = sum(figures.shown(figures.ops_of(compared[name])) for name in small)
    assert shown <= 1.12 * sum(bags[name] for name in small)


def test_it_is_less_torn_than_flat_difflib_and_shows_no_more(compared: dict[str, Diff]) -> None:
    ours, flat, large, large_flat = 0, 0, 0, 0
    for found in compared.values():
        old, new = found.old_text, found.new_text
        if 0 < engines.difflib_cost(old, new) <= CHEAP:
            mine, theirs = figures.ops_of(found), engines.flat_difflib(old, new)
            ours, flat = ours + figures.islands(mine), flat + figures.islands(theirs)
            if figures.changed_as_a_bag(old, new) not in figures.SMALL:
                large, large_flat = large + figures.shown(mine), large_flat + figures.shown(theirs)
    assert flat > 0
    assert ours < flat / 3
    assert large <= 1.03 * large_flat


def test_a_paragraph_moved_away_is_found_with_its_changed_word_inside(shared_or_none: Path | None) -> None:
    files = sorted((shared_or_none / "data" / "policies").rglob("*.md"))[::5] if shared_or_none else []
    found, made = moves.share_found([read(path) for path in files] or [text_of(n) for n in (1, 2, 3)])
    assert made > 3
    assert found >= 0.98 * made


def test_every_text_against_itself_is_empty(shared_or_none: Path | None) -> None:
    files = sorted((shared_or_none / "data" / "policies").rglob("*.md"))[::9] if shared_or_none else []
    for text in [*(read(path) for path in files), *(text_of(n) for n in (1, 2, 3))]:
        found = diff(text, text)
        assert found.is_empty
        assert found.new_text == canonical(blocks(text))


@lru_cache(maxsize=400)
def read(path: Path) -> str:
    return path.read_text("utf-8")
