"""The reader in its child process: late and dead children are outcomes, and the next mail is read."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.inbound import child
from mailer.inbound.rules import Kind
from mailer.inbound.verdicts import classify_files

from .letters import letter

LONG = letter("Ik zeg op.\n" * 800_000)  # takes a reader half a second


@pytest.fixture(autouse=True, scope="module")
def _no_child_left() -> Iterator[None]:
    yield
    child.stop()


def test_the_child_reads_as_the_parent_would() -> None:
    raw = letter("Ik zeg op")
    assert child.read(raw) == child.read_here(raw)


def test_a_late_child_is_replaced_and_the_next_mail_is_read() -> None:
    late = child.read(LONG, timeout=0.0)
    assert late.kind is Kind.UNREADABLE
    assert "longer than 0 seconds" in late.reasons[0]
    assert child.read(letter("Ik zeg op")).kind is Kind.TERMINATION


def test_a_killed_child_is_replaced() -> None:
    assert child.read(letter("Dag")).kind is Kind.UNSURE
    kept = child._KEPT.child
    assert kept is not None
    assert kept.process.pid is not None
    os.kill(kept.process.pid, signal.SIGKILL)
    assert child.read(letter("Ik zeg op")).kind is Kind.TERMINATION


def test_a_mail_that_kills_two_children_is_unreadable() -> None:
    child.stop()  # a child that has yet to start is slower than its killer
    over = threading.Event()
    killer = threading.Thread(target=kill_every_reader, args=(over,))
    killer.start()
    try:
        reading = child.read(letter("Dag"))
    finally:
        over.set()
        killer.join()
    assert (reading.kind, "broke its reader" in reading.reasons[0]) == (Kind.UNREADABLE, True)
    assert child.read(letter("Ik zeg op")).kind is Kind.TERMINATION


def kill_every_reader(over: threading.Event) -> None:
    while not over.wait(0.005):
        for reader in multiprocessing.active_children():
            if reader.name == "mail reader":
                reader.kill()


def test_an_oversized_mail_does_not_reach_the_child() -> None:
    assert child.read(b"x" * (11 * 1024 * 1024)).kind is Kind.UNREADABLE


def test_many_files_are_read_in_their_order() -> None:
    texts = ["Ik zeg op", "Hoe kan ik opzeggen?", "unsubscribe"] * 40
    raws = [letter(text) for text in texts]
    kinds = [reading.kind for reading in child.read_all(raws)]
    assert kinds == [Kind.TERMINATION, Kind.QUESTION, Kind.LEAVE_NEWSLETTERS] * 40


def test_a_late_file_keeps_none_back_and_is_named_so() -> None:
    late = list(child.read_all([LONG] * 3, timeout=0.001))
    assert [(reading.kind, "longer than" in reading.reasons[0]) for reading in late] == [(Kind.UNREADABLE, True)] * 3


def test_files_are_classified_one_json_object_each(tmp_path: Path) -> None:
    good, odd = tmp_path / "good.eml", tmp_path / "odd.eml"
    good.write_bytes(letter("Ik zeg op"))
    odd.write_bytes(b"A: " + b"x" * 110_000)
    lines = [json.loads(json.dumps(line)) for line in classify_files([good, odd, tmp_path / "missing.eml"])]
    assert [line["class"] for line in lines] == ["termination", "unreadable", "unreadable"]
    assert set(lines[0]) == {
        "file", "class", "confidence", "reasons", "visible_text", "language", "bounce", "auto", "error",
    }  # fmt: skip
    assert lines[0]["visible_text"] == "Ik zeg op"
    assert lines[0]["error"] is None
    assert "cannot be opened" in lines[2]["error"]
