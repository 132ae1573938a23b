"""How fast mail goes: beside a C program, beside prepared bytes, signed, and over a slow line."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tests.benchmarks.sending import sending, sinks, wire
from tests.benchmarks.sending.house import CONNECTIONS, WORKERS, Lines, StepFailed
from tests.benchmarks.sending.report import Figure, spread
from tests.benchmarks.sending.stage import Plan, Stage, stage

DELAY = 0.020
ROUND_TRIPS = 2
SLOW_CONNECTIONS = 64
_WAY = "`mailer up` with 2 marketing workers of 4 connections"


def plain(database: str, plan: Plan, names: Collection[str]) -> list[Figure]:
    """Our mails a second, row and record and all, between runs of what only pushes bytes into the same sink."""
    suffix = "" if database == "sqlite" else "_postgres"
    wanted = {f"send_vs_smtp_source{suffix}": wire.smtp_source, f"send_vs_pump{suffix}": wire.pump}
    against = {name: push for name, push in wanted.items() if name in names}
    with stage(database, plan.mails, plan.shown) as on, sinks.smtp_sink(on.port):
        raw = _interleaved(on, plan.mails, plan.rounds, against)
    run = f"{plan.mails} mails on {database}, {_WAY}, into smtp-sink; the baseline with 8 connections"
    return [_ratio(name, run, raw) for name in against]


def signed(plan: Plan, names: Collection[str]) -> list[Figure]:
    """The same with RSA-2048, beside two processes that only sign a prepared body and push it."""

    def push(port: int, mails: int, size: int) -> float:
        return wire.pump(port, mails, size, sign=True)

    name = "send_dkim_vs_sign_and_push"
    with stage("sqlite", plan.mails_signed, plan.shown, Lines(dkim=True)) as on, sinks.smtp_sink(on.port):
        raw = _interleaved(on, plan.mails_signed, plan.rounds, {name: push})
    run = f"{plan.mails_signed} mails on sqlite, {_WAY}, each signed with RSA-2048; the baseline as many"
    return [_ratio(name, run, raw)]


def slow_line(plan: Plan, names: Collection[str]) -> list[Figure]:
    """Over a line of 20 ms, connections are all that counts: how much of their time they are at work."""
    lines = Lines(connections=SLOW_CONNECTIONS // WORKERS)
    possible = SLOW_CONNECTIONS / (ROUND_TRIPS * DELAY)
    with stage("sqlite", plan.mails_slowly, plan.shown, lines) as on, sinks.own_sink(on.port, delay=DELAY):
        runs = [sending.send(on.running, sending.prepare(on.house)) for _ in range(plan.rounds)]
    rates = [run.rate for run in runs]
    said = f"{plan.mails_slowly} mails on sqlite, 2 marketing workers of {lines.connections} connections, 20 ms a reply"
    raw = _ours(runs, SLOW_CONNECTIONS) | {"possible": possible, "mail_bytes": on.mail_bytes}
    return [Figure("latency_20ms", statistics.median(rates) / possible, said, raw)]


def _interleaved(
    on: Stage, mails: int, rounds: int, against: Mapping[str, Callable[[int, int, int], float]]
) -> dict[str, Any]:
    rates: dict[str, list[float]] = {name: [] for name in against}
    runs = []
    for _ in range(rounds):
        mailing = sending.prepare(on.house)
        for name, push in against.items():
            rates[name].append(push(on.port, mails, on.mail_bytes))
        runs.append(sending.send(on.running, mailing))
    baselines = {f"baseline {name}": spread(values) for name, values in rates.items()}
    return _ours(runs, WORKERS * CONNECTIONS) | baselines | {"mail_bytes": on.mail_bytes}


def _ours(runs: Sequence[sending.Run], allowed: int) -> dict[str, Any]:
    """Our runs as figures; StepFailed if they had more connections than they are compared for."""
    most = max(run.connections for run in runs)
    if most > allowed:
        raise StepFailed(f"{most} connections were open; with {allowed} allowed the figure would say nothing.")
    return {
        "ours": spread([run.rate for run in runs]),
        "cpu_us_a_mail": spread([run.cpu_seconds / run.mails * 1e6 for run in runs]),
        "connections": most,
    }


def _ratio(name: str, run: str, raw: Mapping[str, Any]) -> Figure:
    baseline = raw[f"baseline {name}"]
    shown = {"ours": raw["ours"], "baseline": baseline}
    shown |= {key: raw[key] for key in ("cpu_us_a_mail", "connections", "mail_bytes")}
    return Figure(name, raw["ours"]["median"] / baseline["median"], f"{run}; mails a second", shown)
