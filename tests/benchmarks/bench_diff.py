"""`make bench-diff [DIR=folder]`: our diff beside flat `difflib`, `redlines` and `diff-match-patch`, in one run.

A folder holds versions of one text in the order of their names, or folders of such; every two neighbours are a pair.
Without one, the real histories beside the project are taken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from mailer.policies.diff import diff
from mailer.policies.documents import read_document
from tests.benchmarks import engines, figures, moves

TEXTS = frozenset({".md", ".markdown", ".txt", ".html", ".htm", ".docx"})
OTHERS = {
    "difflib": engines.flat_difflib,
    "redlines": engines.redlines,
    "diff-match-patch": engines.diff_match_patch,
}
MOST_WORDS_SQUARED = 10**9
"""Pairs that would take flat difflib minutes are measured with ours alone, and counted."""
LARGE_LETTERS = 300_000


@dataclass(frozen=True)
class Row:
    """One engine on one pair: words and seconds."""

    pair: str
    engine: str
    bag: int
    shown: int
    islands: int
    cuts: int
    seconds: float
    is_exact: bool


def pairs_in(folder: Path) -> list[tuple[Path, Path]]:
    """Every two neighbouring versions in the folder and the folders below it."""
    folders = sorted({path.parent for path in folder.rglob("*") if path.suffix.lower() in TEXTS})
    found = []
    for each in folders:
        files = sorted(path for path in each.iterdir() if path.suffix.lower() in TEXTS)
        found += list(pairwise(files))
    return found


def measure(pair: tuple[Path, Path]) -> list[Row]:
    """All engines on one pair, the others on the canonical texts of ours."""
    name = f"{pair[0].parent.name}/{pair[0].stem}..{pair[1].stem}"
    old, new = (read_document(path.read_bytes(), path.name) for path in pair)
    begun = time.perf_counter()
    found = diff(old, new)
    seconds = time.perf_counter() - begun
    texts = found.old_text, found.new_text
    exact = figures.is_round_trip(found, *texts) and diff(new, new).is_empty
    rows = [_row(name, "ours", texts, figures.ops_of(found), seconds, exact)]
    if engines.difflib_cost(*texts) > MOST_WORDS_SQUARED:
        return rows
    for engine, compare in OTHERS.items():
        begun = time.perf_counter()
        ops = compare(*texts)
        rows.append(_row(name, engine, texts, ops, time.perf_counter() - begun, _joins_to(ops, *texts)))
    return rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The figures of each engine over the pairs that all of them did."""
    done = {row.pair for row in rows if row.engine == "difflib"}
    flat = _of("difflib", rows, done)
    yield f"{len({row.pair for row in rows})} pairs, {len(done)} with all engines\n"
    yield f"{'':18}{'shown ÷ bag':>12}{'shown ÷ flat':>13}{'islands':>9}{'÷ flat':>8}{'cuts':>7}{'exact':>7}{'time':>9}"
    yield f"{'':18}{'small':>12}{'large':>13}"
    for engine in ("ours", *OTHERS):
        mine = _of(engine, rows, done)
        yield (
            f"{engine:18}{_ratio(mine, 'shown', mine, 'bag', small=True):12.3f}"
            f"{_ratio(mine, 'shown', flat, 'shown', small=False):13.3f}{_sum(mine, 'islands'):9}"
            f"{_sum(mine, 'islands') / max(1, _sum(flat, 'islands')):8.3f}{_sum(mine, 'cuts'):7}"
            f"{sum(row.is_exact for row in mine):7}{sum(row.seconds for row in mine):8.1f}s"
        )
    ours = [row for row in rows if row.engine == "ours"]
    torn = [row.pair for row in ours if row.bag == 0 and row.shown]
    yield f"\nours alone on all pairs: exact {sum(r.is_exact for r in ours)} of {len(ours)}, cuts {_sum(ours, 'cuts')}"
    yield f"pairs with no changed word that show one: {len(torn)} {' '.join(torn)}"
    yield f"slowest: {max(row.seconds for row in ours):.2f} s"


def large(texts: Sequence[str]) -> Iterator[str]:
    """How long our diff takes on 300 KB, on texts that are next to each other and on texts that are not."""
    stream = "\n\n".join(text for text in texts if len(text) > 10_000)
    if len(stream) < 2 * LARGE_LETTERS:
        return
    old, other = stream[:LARGE_LETTERS], stream[-LARGE_LETTERS:]
    cases = {
        "every 40th word changed": (old, _with_changes(old)),
        "another text": (old, other),
        "one paragraph of it all": (" ".join(old.split()), " ".join(_with_changes(old).split())),
    }
    for name, (mine, theirs) in cases.items():
        begun = time.perf_counter()
        found = diff(mine, theirs)
        yield f"300 KB, {name}: {time.perf_counter() - begun:.2f} s, exact {found.exact}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if nothing was there to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="a folder of versions, or of folders of versions")
    parser.add_argument("--json", dest="out", help="also write every row to this file")
    asked = parser.parse_args(arguments)
    folder = Path(asked.folder) if asked.folder else _histories()
    pairs = pairs_in(folder)
    if not pairs:
        print(f"DIR: there are no two versions next to each other in {folder}.", file=sys.stderr)
        return 1
    with ProcessPoolExecutor() as pool:
        rows = [row for found in pool.map(measure, pairs) for row in found]
    print("\n".join(table(rows)))
    texts = [read_document(path.read_bytes(), path.name) for path in sorted({path for pair in pairs for path in pair})]
    found_moves, made = moves.share_found(texts)
    print(f"synthetic moves found: {found_moves} of {made}")
    print("\n".join(large(texts)))
    if asked.out:
        Path(asked.out).write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return 0


def _histories() -> Path:
    return Path(os.environ.get("MAILER_SHARED") or Path(__file__).parents[3] / "shared") / "data" / "policies"


def _row(name: str, engine: str, texts: tuple[str, str], ops: engines.Ops, seconds: float, is_exact: bool) -> Row:
    return Row(
        name,
        engine,
        figures.changed_as_a_bag(*texts),
        figures.shown(ops),
        figures.islands(ops),
        len(figures.cuts(ops)),
        seconds,
        is_exact,
    )


def _joins_to(ops: engines.Ops, old: str, new: str) -> bool:
    return all("".join(t for op, t in ops if op in ("=", side)) == text for side, text in (("-", old), ("+", new)))


def _of(engine: str, rows: Sequence[Row], done: set[str]) -> list[Row]:
    return [row for row in rows if row.engine == engine and row.pair in done]


def _sum(rows: Sequence[Row], name: str) -> Any:
    return sum(getattr(row, name) for row in rows)


def _ratio(mine: Sequence[Row], name: str, base: Sequence[Row], of: str, *, small: bool) -> float:
    sizes = {row.pair for row in mine if (row.bag in figures.SMALL if small else row.bag > max(figures.SMALL))}
    below = _sum([row for row in base if row.pair in sizes], of)
    return float(_sum([row for row in mine if row.pair in sizes], name) / below) if below else 0.0


def _with_changes(text: str) -> str:
    words = text.split(" ")
    return " ".join(f"{word}{at}" if at % 40 == 7 and word.isalpha() else word for at, word in enumerate(words))


if __name__ == "__main__":
    sys.exit(main())
