"""`make bench-mail [DIR=folder]`: what our reader makes of real mail, beside the libraries; tables in Markdown.

A folder holds mails, with a `manifest.json` in each collection that says what is to be found, or none. Without a
folder, the collections beside the project are taken, and our own replies.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailer.inbound.verdicts import classify_files
from tests.benchmarks.mail import bounces, replies, terminations
from tests.benchmarks.mail.samples import Sample, samples_in

SHARED = Path(os.environ.get("MAILER_SHARED") or Path(__file__).parents[4] / "shared") / "data" / "mail"
EXPECTED_CLASS = {
    "auto-reply": "auto_reply",
    "arf": "complaint",
    "bounce": "bounce",
    "unsubscribe-request": "leave_newsletters",
}


def classes(samples: Sequence[Sample]) -> Iterator[str]:
    """How each collection is sorted: a kind that its source names, found, taken for another, or left to a person."""
    yield "| collection | kind | mails | found | wrong | unsure | unreadable | crashed |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    begun = time.perf_counter()
    verdicts = list(classify_files(sample.path for sample in samples))
    seconds = time.perf_counter() - begun
    groups: dict[tuple[str, str], Counter[str]] = {}
    for sample, verdict in zip(samples, verdicts, strict=True):
        groups.setdefault((sample.collection, sample.kind), Counter())[_outcome(sample, verdict["class"])] += 1
        groups[sample.collection, sample.kind]["crashed"] += "broke its reader" in (verdict["error"] or "")
    for (collection, kind), tally in groups.items():
        total = sum(tally[name] for name in ("found", "wrong", "unsure", "unreadable"))
        cells = [tally[name] for name in ("found", "wrong", "unsure", "unreadable", "crashed")]
        yield f"| {collection} | {kind} | {total} | {' | '.join(map(str, cells))} |"
    yield f"\n{len(samples)} mails in one call, {len(samples) / seconds:.0f} a second, starting the readers included."


def _outcome(sample: Sample, found: str) -> str:
    wanted = EXPECTED_CLASS.get(sample.kind)
    if found == "unreadable":
        return "unreadable"
    if wanted is None:
        # A person's mail, or one that says nothing of its kind: wrong is only to take it for a machine's.
        is_machine = found in ("auto_reply", "bounce", "complaint")
        return "wrong" if is_machine and sample.kind in ("reply", "not-a-bounce") else "found"
    return "found" if found == wanted else "unsure" if found == "unsure" else "wrong"


def reply_table(samples: Sequence[Sample]) -> Iterator[str]:
    """Visible text: ours beside the libraries."""
    yield "| engine | stated expectations met | of them whole texts, exact | empty | said to be unsure |"
    yield "|---|--:|--:|--:|--:|"
    for name, score in replies.measure(samples).items():
        unsure = str(score.unsure) if name == "ours" else ""
        yield f"| {name} | {score.met} of {score.stated} | {score.exact} of {score.texts} | {score.empty} | {unsure} |"


def bounce_table(samples: Sequence[Sample]) -> Iterator[str]:
    """Bounces: ours beside `flufl.bounce`."""
    yield "| engine | recipients found | hard | of them wrong | soft | unsure |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, score in bounces.measure(samples).items():
        cells = (f"{score.found} of {score.stated}", score.hard, score.wrong_hard, score.soft, score.unsure)
        yield f"| {name} | {' | '.join(map(str, cells))} |"


def termination_table() -> Iterator[str]:
    """Our own replies, those the rules were tuned on and those they never saw."""
    yield "| replies | found | wrong | unsure | terminations recorded | recorded wrongly | a person's, discarded |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name in ("tune", "final"):
        score = terminations.measure(terminations.rows(name))
        recorded = f"{score.recorded} of {score.terminations} ({score.recall:.0%})"
        cells = (score.found, score.wrong, score.unsure, recorded, score.recorded_wrongly, score.discarded)
        yield f"| {name}, {score.stated} | {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if nothing was there to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of mails; the collections beside the project")
    parser.add_argument("--misread", action="store_true", help="also list our own replies that were read otherwise")
    options = parser.parse_args(arguments)
    folder: Path = options.folder or SHARED
    samples = samples_in(folder) if folder.is_dir() else []
    if not options.folder:
        _print("Our own replies", termination_table())
    if samples:
        _print("Classes", classes(samples))
        stated = [sample for sample in samples if sample.kind == "reply"]
        if stated:
            _print("Visible text", reply_table(stated))
        bounced = [sample for sample in samples if sample.expected.get("union_permanent") is not None]
        if bounced:
            _print("Bounces", bounce_table(bounced))
    if options.misread:
        _print(
            "Read otherwise",
            (line for name in ("tune", "final") for line in terminations.misread(terminations.rows(name))),
        )
    if not samples:
        print(f"There is no mail in {folder}.", file=sys.stderr)
    return 0 if samples else 1


def _print(title: str, lines: Iterator[str]) -> None:
    print(f"### {title}\n")
    for line in lines:
        print(line)
    print()


if __name__ == "__main__":
    sys.exit(main())
