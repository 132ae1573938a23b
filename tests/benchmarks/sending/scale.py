"""What becomes of time and memory as audiences and tables grow; on both databases, and the worse of them counts."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Any

from tests.benchmarks.sending import people, processes, sending, sinks
from tests.benchmarks.sending.house import House, Running, StepFailed, clone, house
from tests.benchmarks.sending.postgres import Server
from tests.benchmarks.sending.report import Figure, spread
from tests.benchmarks.sending.stage import DATABASES, Plan, server_for, stage

REST_SECONDS = 60.0


def fan_out(plan: Plan, names: Collection[str]) -> list[Figure]:
    """Making the messages of a large audience, beside the same rows inserted with nobody asked about."""
    raw: dict[str, Any] = {}
    ratios = []
    for database in DATABASES:
        with server_for(database) as server, house(server) as template:
            template.do("people", people=plan.large, few=plan.shown)
            seconds: dict[str, list[float]] = {"ours": [], "baseline": []}
            for _ in range(plan.rounds):
                seconds["baseline"].append(_made(template, server, "insert-select", plan))
                seconds["ours"].append(_made(template, server, "fan-out", plan))
        ratios.append(statistics.median(seconds["ours"]) / statistics.median(seconds["baseline"]))
        raw[database] = {"ratio": round(ratios[-1], 3)} | {how: spread(runs) for how, runs in seconds.items()}
    run = f"{plan.large} messages for {plan.large} people and some who left; seconds; the worse database"
    return [Figure("fanout_1m_vs_insert_select", max(ratios), run, raw)]


def growth(plan: Plan, names: Collection[str]) -> list[Figure]:
    """A small mailing in small tables and in large ones, in turns; and the memory that a large mailing leaves."""
    raw = {database: _grown(database, plan) for database in DATABASES}
    rss = {database: found["rss"] for database, found in raw.items()}
    cost = {database: found["cost"] for database, found in raw.items()}
    sizes = f"{plan.small} mails beside {plan.large}"
    return [
        Figure("rss_1m_vs_10k", _worst(rss), f"peak memory (VmHWM) of a marketing worker, {sizes}", rss),
        Figure(
            "per_mail_cost_1m_vs_10k",
            _worst(cost),
            f"{sizes}: the small mailing again, by the clock and by CPU of service and database; and the large itself",
            cost,
        ),
    ]


def _made(template: House, server: Server | None, step: str, plan: Plan) -> float:
    """Seconds that a step takes in a fresh copy."""
    with clone(template, server) as copied:
        campaign = copied.do("campaign")
        made = copied.do(step, mailing=campaign["mailing"], people=plan.large)
    if made["count"] != plan.large:
        raise StepFailed(f"{step} made {made['count']} messages, not {plan.large}.")
    return float(made["seconds"])


def _grown(database: str, plan: Plan) -> dict[str, Any]:
    with ExitStack() as stack:
        server = stack.enter_context(server_for(database))
        low = stack.enter_context(stage(database, plan.small, plan.shown, server=server)).running
        high = stack.enter_context(_large_house(server, plan)).running
        for running in (low, high):
            stack.enter_context(sinks.smtp_sink(running.house.marketing_port))
        small = _sent(low, people.NEWS)
        large = _sent(high, people.NEWS)
        runs: dict[str, list[sending.Run]] = {"small_tables": [], "large_tables": []}
        for _ in range(plan.rounds):
            runs["small_tables"].append(_sent(low, people.NEWS))
            runs["large_tables"].append(_sent(high, people.FEW))
    return {"rss": _memory(small, large), "cost": _cost(runs, large)}


def _large_house(server: Server | None, plan: Plan) -> Any:
    """As many people as the plan has at most; a small mailing's worth of them has a topic of its own."""
    return stage("postgresql" if server else "sqlite", plan.large, plan.small, server=server)


def _sent(running: Running, topic: str) -> sending.Run:
    mailing = sending.prepare(running.house, topic)
    if running.house.postmaster:  # what an earlier mailing left to tidy up is not this one's cost
        processes.wait_until_quiet(running.house.postmaster, REST_SECONDS)
    return sending.send(running, mailing)


def _memory(small: sending.Run, large: sending.Run) -> dict[str, Any]:
    return {
        "ratio": round(large.peak_bytes / small.peak_bytes, 3),
        "small_megabytes": round(small.peak_bytes / 1e6, 1),
        "large_megabytes": round(large.peak_bytes / 1e6, 1),
    }


def _cost(runs: Mapping[str, list[sending.Run]], large: sending.Run) -> dict[str, Any]:
    wall = {name: [run.seconds / run.mails * 1e6 for run in some] for name, some in runs.items()}
    cpu = {name: [run.cpu_seconds / run.mails * 1e6 for run in some] for name, some in runs.items()}
    small = statistics.median(wall["small_tables"])
    ratios = {
        "clock": statistics.median(wall["large_tables"]) / small,
        "cpu": statistics.median(cpu["large_tables"]) / statistics.median(cpu["small_tables"]),
        "large_mailing": large.seconds / large.mails * 1e6 / small,
    }
    return {
        "ratio": round(max(ratios.values()), 3),
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "clock_us_a_mail": {name: spread(values) for name, values in wall.items()},
        "cpu_us_a_mail": {name: spread(values) for name, values in cpu.items()},
        "large_mailing": {"mails_a_second": round(large.rate), "settled": _thinned(large)},
    }


def _thinned(run: sending.Run) -> list[list[float]]:
    """At most 21 marks of a run: seconds and mails settled."""
    step = max(1, len(run.marks) // 20)
    return [[round(at, 1), done] for at, done in run.marks[::step]]


def _worst(found: Mapping[str, Mapping[str, Any]]) -> float:
    return max(float(each["ratio"]) for each in found.values())
