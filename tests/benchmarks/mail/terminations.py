"""Our own replies: what a machine may record, what waits for a person, and that nobody's words are thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailer.inbound.child import read_here
from mailer.inbound.rules import MACHINE, Kind

FOLDER = Path(__file__).parents[2] / "corpus" / "terminations"
KINDS = {
    "termination": {Kind.TERMINATION},
    "question": {Kind.QUESTION},
    "rights": {Kind.RIGHTS_REQUEST},
    "leave": {Kind.LEAVE_NEWSLETTERS},
    "auto": {Kind.AUTO_REPLY},
    # What waits for a person may be sorted among the questions, or be plainly something else.
    "unsure": {Kind.UNSURE, Kind.QUESTION},
    "other": {Kind.UNSURE},
}


@dataclass
class Score:
    """Mails of one file. `discarded`: a person's reply that a machine would take for a machine's."""

    stated: int = 0
    found: int = 0
    wrong: int = 0
    unsure: int = 0
    terminations: int = 0
    recorded: int = 0
    recorded_wrongly: int = 0
    discarded: int = 0

    @property
    def recall(self) -> float:
        """How many of the terminations are recorded by themselves, 0 to 1."""
        return self.recorded / self.terminations if self.terminations else 1.0


def rows(name: str) -> list[dict[str, Any]]:
    """The replies of `tune` or `final`."""
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]


def as_mail(row: dict[str, Any]) -> bytes:
    """The bytes of one reply, as its writer's client would have sent it."""
    kind = "html" if "html" in row else "plain"
    headers = [
        "From: Jan <jan@example.nl>",
        "To: reply+abc@mail.example.com",
        f"Subject: {row['subject']}",
        f"Content-Type: text/{kind}; charset=utf-8",
        *row.get("headers", []),
    ]
    body = row.get("html") or row.get("text", "")
    return "\r\n".join([*headers, "", body.replace("\n", "\r\n")]).encode()


def measure(replies: Sequence[dict[str, Any]]) -> Score:
    """What our reader makes of these replies."""
    score = Score()
    for row in replies:
        _count(score, row["expected"], read_here(as_mail(row)).kind)
    return score


def _count(score: Score, expected: str, kind: Kind) -> None:
    score.stated += 1
    is_found = kind in KINDS[expected]
    score.found += is_found
    score.unsure += not is_found and kind is Kind.UNSURE
    score.wrong += not is_found and kind is not Kind.UNSURE
    score.terminations += expected == "termination"
    score.recorded += expected == "termination" and kind is Kind.TERMINATION
    score.recorded_wrongly += expected != "termination" and kind is Kind.TERMINATION
    score.discarded += expected != "auto" and kind in MACHINE


def misread(replies: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One line for each reply that was read otherwise than expected."""
    for row in replies:
        reading = read_here(as_mail(row))
        if reading.kind not in KINDS[row["expected"]]:
            yield f"{row['id']}: {row['expected']}, read as {reading.kind} ({'; '.join(reading.reasons)})"
