"""`make bench`: its pieces do what they say. Figures are for a machine with nothing else to do, none is judged here."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.benchmarks.sending import people, report, sending, sinks, wire
from tests.benchmarks.sending.goals import GOALS
from tests.benchmarks.sending.house import House, StepFailed, house
from tests.benchmarks.sending.report import Figure
from tests.benchmarks.sending.stage import show
from tests.front.processes import free_port

PEOPLE = 40


@pytest.fixture(scope="module")
def lived_in() -> Iterator[House]:
    """A house with forty people who get mail, ten of them a second kind, and two who left."""
    with house() as made:
        made.do("people", people=PEOPLE, few=10)
        yield made


@pytest.mark.parametrize("is_signed", [False, True])
def test_our_sink_writes_down_what_the_pump_of_prepared_bytes_pushes(tmp_path: Path, is_signed: bool) -> None:
    record, port = tmp_path / "record", free_port()
    with sinks.own_sink(port, record=record):
        assert wire.pump(port, 50, 15_000, sign=is_signed) > 0
    came = sinks.taken(record)
    assert len(came) == 50
    assert {mail.is_signed for mail in came} == {is_signed}
    assert len({mail.sha256 for mail in came}) == 1  # the signature is no part of the digest
    assert all(14_000 < mail.bytes < 16_500 for mail in came)


def test_the_connections_of_a_sink_are_counted() -> None:
    port = free_port()
    with sinks.own_sink(port), ExitStack() as lines:
        for _ in range(3):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert line.recv(4) == b"220 "
        assert sinks.connections(port) == 3


def test_a_mailing_goes_through_the_whole_service_and_arrives_as_the_record_says(lived_in: House) -> None:
    with lived_in.up() as running:
        assert len(running.workers) == 2
        assert 13_000 < show(running, is_signed=False) < 17_000
        with sinks.own_sink(lived_in.marketing_port):
            run = sending.send(running, sending.prepare(lived_in))
        assert run.mails == run.marks[-1][1] == PEOPLE
        assert run.seconds > 0
        assert run.cpu_seconds > 0
        assert run.peak_bytes > 1_000_000
        assert run.connections <= 8


def test_who_looks_at_a_mailing_looks_seldom_at_first_and_never_sleeps_through_its_end() -> None:
    assert sending._until_next_look(0.0, 0.0) == sending.LOOK_SECONDS
    assert sending._until_next_look(1.0, 0.1) == 1.0
    assert sending._until_next_look(6.0, 0.75) == 0.5  # two seconds are left
    assert sending._until_next_look(10.0, 0.999) == sending.LOOK_SECONDS
    assert sending._until_next_look(10.0, 1.0) == sending.LOOK_SECONDS


def test_a_mailing_that_did_not_go_is_no_result(lived_in: House) -> None:
    mailing = sending.prepare(lived_in)
    assert mailing.count == PEOPLE
    with lived_in.look() as connection, pytest.raises(StepFailed, match="Not every one of 40 mails"):
        sending.check(connection, mailing)


def test_the_bare_insert_makes_the_rows_of_a_fan_out(lived_in: House) -> None:
    ours = lived_in.do("campaign")["mailing"]
    made = lived_in.do("fan-out", mailing=ours)
    bare = lived_in.do("campaign")["mailing"]
    copied = lived_in.do("insert-select", mailing=bare, people=PEOPLE)
    assert made["count"] == copied["count"] == PEOPLE
    own = {"id", "mailing_id", "created_at", "content_id"}  # each campaign has wording of its own
    with lived_in.look() as connection:
        query = text("SELECT * FROM messages WHERE mailing_id = :mailing ORDER BY contact_id")
        rows = {
            mailing: [
                {name: value for name, value in row.items() if name not in own}
                for row in connection.execute(query, {"mailing": mailing}).mappings()
            ]
            for mailing in (ours, bare)
        }
    assert rows[ours] == rows[bare]
    assert [row["contact_id"] for row in rows[ours]] == [people.id_of(number) for number in range(1, PEOPLE + 1)]


def test_results_are_kept_beside_those_of_other_figures(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    for name, value in (("idle_cpu", 0.4), ("send_vs_pump", 0.5), ("idle_cpu", None)):
        figure = Figure(name, value, "a run", {"seconds": [1, 2]})
        report.keep(path, {name: report.as_json(figure, is_quick=False)})
    kept = json.loads(path.read_text("utf-8"))
    assert list(kept) == ["send_vs_pump", "idle_cpu"]
    assert [(result["value"], result["met"]) for result in kept.values()] == [(0.5, False), (None, False)]
    assert kept["send_vs_pump"]["goal"] == "≥ 0.75"
    assert kept["send_vs_pump"]["raw"] == {"seconds": [1, 2]}
    assert "| `idle_cpu` | not measured | ≤ 1 | no |" in list(report.table(kept))


@pytest.mark.parametrize(
    ("name", "value", "is_met"),
    [
        ("send_vs_pump", 0.75, True),
        ("send_vs_pump", 0.74, False),
        ("idle_cpu", 1.0, True),
        ("idle_cpu", 1.01, False),
    ],
)
def test_a_goal_is_a_floor_or_a_ceiling(name: str, value: float, is_met: bool) -> None:
    assert GOALS[name].is_met(value) is is_met


def test_several_runs_are_told_by_their_median_and_how_far_they_lie_apart() -> None:
    assert report.spread([90.0, 100.0, 120.0]) == {"median": 100.0, "runs": [90.0, 100.0, 120.0], "spread": 0.3}


def test_without_postfix_one_sentence_says_what_to_install() -> None:
    with pytest.raises(sinks.NoPostfix, match="package postfix"):
        sinks.program("smtp-sink-that-nobody-has")
