"""`make chaos`: every fault in full, and a table of what was promised and what was found.

    python -m tests.chaos                                    everything; --short: a little of everything, as in CI
    python -m tests.chaos --only kills flushed               some of it; --list says the names
    python -m tests.chaos --json figures.json                the figures as well

Exit 1 if a promise was not kept. Writes nothing but its own folders under the temporary one, which are gone afterwards.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos import scenarios
from tests.chaos.proof import Told
from tests.chaos.scenarios import Size


def main(words: Sequence[str] | None = None) -> int:
    """Play the scenarios one after the other; 0 if every promise was kept."""
    given = _read(words)
    if given.list:
        print(*scenarios.NAMES, sep="\n")
        return 0
    logging.disable(logging.CRITICAL)  # what the parts say stands in their own log
    size = Size.SHORT if given.short else Size.FULL
    played = []
    for name in given.only or scenarios.NAMES:
        why_not = scenarios.why_not(name)
        if why_not:
            print(f"\n{name}: left out, {why_not}", flush=True)
            continue
        begun = time.monotonic()
        told = scenarios.play(name, size)
        played.append(_as_json(name, told, time.monotonic() - begun))
        _print(told, played[-1]["seconds"])
    if given.json:
        given.json.write_text(json.dumps({"machine": _machine(), "size": size, "played": played}, indent=1) + "\n")
    broken = sum(len(one["broken"]) for one in played)
    print(f"\n{len(played)} scenarios, {sum(len(one['claims']) for one in played)} promises, {broken} not kept.")
    return int(broken > 0)


def _print(told: Told, seconds: float) -> None:
    print(f"\n{told.name} ({seconds:.0f} s)")
    for claim in told.claims:
        allowed = (
            f"{claim.least:g} to {claim.most:g}" if claim.least else f"at most {claim.most:g}" if claim.most else "0"
        )
        print(f"  {'ok ' if claim.is_kept else 'NOT'} {claim.found:>10,.6g}  {claim.what} (allowed: {allowed})")
    print("  " + ", ".join(f"{name} {value:g}" for name, value in told.figures.items()), flush=True)


def _as_json(name: str, told: Told, seconds: float) -> dict[str, Any]:
    claims = [asdict(claim) | {"is_kept": claim.is_kept} for claim in told.claims]
    return {
        "scenario": name,
        "told": told.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "claims": claims,
        "broken": told.broken,
        "figures": told.figures,
    }


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}


def _read(words: Sequence[str] | None) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--only", nargs="+", choices=scenarios.NAMES, metavar="NAME", help="of --list")
    reader.add_argument("--short", action="store_true", help="a little of everything, as in CI")
    reader.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    reader.add_argument("--list", action="store_true", help="the names of the scenarios")
    return reader.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
