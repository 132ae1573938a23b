"""`make bench`, or one figure of it:

    python -m tests.benchmarks.sending [--only NAME …] [--mails N] [--large N] [--rounds N] [--quick] [--out FILE]

A figure that cannot be measured is said so, counts as not met, and does not keep the others from being measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailer.errors import trace
from tests.benchmarks.sending import lanes, report, scale, sinks, speed
from tests.benchmarks.sending.goals import GOALS
from tests.benchmarks.sending.report import Figure
from tests.benchmarks.sending.stage import QUICK, Plan

Bench = Callable[[Plan, Collection[str]], list[Figure]]


def _on_sqlite(plan: Plan, names: Collection[str]) -> list[Figure]:
    return speed.plain("sqlite", plan, names)


def _on_postgresql(plan: Plan, names: Collection[str]) -> list[Figure]:
    return speed.plain("postgresql", plan, names)


BENCHES: dict[Bench, tuple[str, ...]] = {
    _on_sqlite: ("send_vs_smtp_source", "send_vs_pump"),
    _on_postgresql: ("send_vs_smtp_source_postgres",),
    speed.signed: ("send_dkim_vs_sign_and_push",),
    speed.slow_line: ("latency_20ms",),
    lanes.essential: ("essential_p95_busy_vs_idle",),
    lanes.idle: ("idle_cpu",),
    scale.fan_out: ("fanout_1m_vs_insert_select",),
    scale.growth: ("rss_1m_vs_10k", "per_mail_cost_1m_vs_10k"),
}


def measure(plan: Plan, names: Collection[str]) -> Iterator[Figure]:
    """Each wanted figure, as soon as it is there."""
    for bench, gives in BENCHES.items():
        wanted = [name for name in gives if name in names]
        if not wanted:
            continue
        begun = time.monotonic()
        try:
            found = [figure for figure in bench(plan, wanted) if figure.name in wanted]
        except Exception as error:
            print(f"{', '.join(wanted)}: {error}\n{trace(error)}", file=sys.stderr)
            found = [Figure(name, None, "not measured", {"why": str(error)[:500]}) for name in wanted]
        print(f"{', '.join(wanted)}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        yield from found


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if every wanted figure was measured, whether it is good or not."""
    given = _parser().parse_args(arguments)
    plan = _plan(given)
    results: dict[str, dict[str, Any]] = {}
    try:
        for name in ("smtp-sink", "smtp-source"):
            sinks.program(name)
    except sinks.NoPostfix as error:
        print(error, file=sys.stderr)
        return 1
    for figure in measure(plan, given.only or GOALS):
        results[figure.name] = report.as_json(figure, is_quick=given.quick)
        if given.out:
            report.keep(given.out, results)
    in_order = {name: results[name] for name in GOALS if name in results}
    print("\n".join(report.table(in_order)))
    return 0 if all(result["value"] is not None for result in results.values()) else 1


def _plan(given: argparse.Namespace) -> Plan:
    plan = QUICK if given.quick else Plan()
    changed = {name: getattr(given, name) for name in ("large", "rounds") if getattr(given, name)}
    if given.mails:
        few = min(given.mails, plan.mails_slowly)
        changed |= {"mails": given.mails, "mails_signed": few, "mails_slowly": few}
    return replace(plan, **changed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sending", description="The speeds of sending.")
    parser.add_argument("--only", nargs="+", choices=GOALS, metavar="NAME", help=f"of {', '.join(GOALS)}")
    parser.add_argument("--mails", type=int, help="mails of a run, instead of 100,000")
    parser.add_argument("--large", type=int, help="people of the large mailing, instead of a million")
    parser.add_argument("--rounds", type=int, help="runs of each kind, instead of 3")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that all of it works")
    parser.add_argument("--out", type=Path, help="where the results are kept, such as bench.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
