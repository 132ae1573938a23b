"""What one lane does to the other, and what all of it costs when there is nothing to do."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tests.benchmarks.sending import sending, sinks
from tests.benchmarks.sending.house import StepFailed, house
from tests.benchmarks.sending.report import Figure
from tests.benchmarks.sending.stage import Plan, Stage, stage
from tests.front.processes import free_port, wait_for

WARM = 3
"""The first letters of all find nothing ready; no percentile is about them."""


def essential(plan: Plan, names: Collection[str]) -> list[Figure]:
    """How long an essential letter takes from the asking to the server's yes, idle and beside a large mailing."""
    idle: list[float] = []
    busy: list[float] = []
    with stage("sqlite", plan.mails, plan.shown) as on:
        record = on.house.folder / "letters.jsonl"
        with sinks.smtp_sink(on.port), sinks.own_sink(on.house.essential_port, record=record):
            first = 1
            for _ in range(plan.rounds):
                calm = on.house.do("letters", first=first, count=plan.letters_idle, rate=plan.letters_a_second)
                idle += _seconds(calm["asked"], record)[WARM:]
                first += plan.letters_idle
                asked, run = _beside_a_mailing(on, first, plan)
                busy += _seconds({to: at for to, at in asked.items() if run.begun <= at <= run.ended}, record)
                first += len(asked)
    raw = {
        name: {
            "letters": len(values),
            "p95_ms": round(_p95(values) * 1000, 1),
            "median_ms": round(statistics.median(values) * 1000, 1),
        }
        for name, values in (("idle", idle), ("busy", busy))
    }
    said = f"{plan.letters_a_second} letters a second on sqlite, alone and while {plan.mails} marketing mails run"
    return [Figure("essential_p95_busy_vs_idle", _p95(busy) / _p95(idle), said, raw)]


def idle(plan: Plan, names: Collection[str]) -> list[Figure]:
    """CPU of the whole tree while nobody wants anything; every setting but ports and folder as it comes."""
    changes = {"MAILER_SMTP_ESSENTIAL": None, "MAILER_SMTP_MARKETING": None, "MAILER_SWEEP_SECONDS": None}
    with house(None, None, {**changes, "MAILER_POST_OFFICE_PORT": str(free_port())}) as made, made.up() as running:
        before = running.cpu_seconds()
        time.sleep(plan.idle_seconds)
        spent = running.cpu_seconds() - before
    raw = {"seconds": plan.idle_seconds, "cpu_seconds": round(spent, 3)}
    run = f"`mailer up` on sqlite with the local post office, {plan.idle_seconds} s after it came to rest"
    return [Figure("idle_cpu", spent / plan.idle_seconds * 100, run, raw)]


def _beside_a_mailing(on: Stage, first: int, plan: Plan) -> tuple[dict[str, float], sending.Run]:
    """Letters from number `first` on for as long as a mailing takes: when each was asked for."""
    mailing = sending.prepare(on.house)
    letters = on.house.begin("letters", first=first, count=plan.mails - first, rate=plan.letters_a_second, until_told=1)
    try:
        assert letters.stdout is not None
        letters.stdout.readline()  # it is ready
        run = sending.send(on.running, mailing)
        said, _ = letters.communicate("enough\n", timeout=30)
    finally:
        letters.kill()
        letters.wait()
    return json.loads(said)["asked"], run


def _seconds(asked: Mapping[str, float], record: Path) -> list[float]:
    """From the asking to the server's yes, in the order of asking."""
    if not asked:
        raise StepFailed("No letter was asked for in time; the mailing was too short for it.")

    def came() -> dict[str, float]:
        return {mail.to: mail.at for mail in sinks.taken(record)}

    wait_for(lambda: asked.keys() <= came().keys(), "an essential letter did not arrive")
    at = came()
    return [at[to] - when for to, when in sorted(asked.items(), key=lambda each: each[1])]


def _p95(values: Sequence[float]) -> float:
    """The nearest rank: the value that 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
