"""What an advice on a change yields: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Advice(StrEnum):
    """What a change looks like. People decide; `unsure` leaves the whole question to them."""

    MINOR = "minor"
    UNSURE = "unsure"
    MATERIAL = "material"


ADVICE_WORDS: Mapping[Advice, str] = {
    Advice.MINOR: "minor: nothing of weight changed",
    Advice.UNSURE: "like something that only people can judge",
    Advice.MATERIAL: "material: it touches what people live under",
}
"""How an advice ends the sentence “This change looks …”."""


class Cue(StrEnum):
    """What an advice noticed in a change."""

    NEGATION = "negation"
    NUMBER = "number"
    PERIOD = "period"
    MODAL = "modal"
    PURPOSES = "purposes"
    CONTROLLER = "controller"
    EXERCISE = "exercise"
    RECIPIENTS = "recipients"
    TRANSFERS = "transfers"
    RETENTION = "retention"
    DUTIES = "duties"
    LINK = "link"
    CONTACT = "contact"
    WORDING = "wording"
    SIGN = "sign"
    PLACE = "place"
    SPELLING = "spelling"
    DATE = "date"
    NONE = "none"


THEMES = (
    Cue.RETENTION,
    Cue.TRANSFERS,
    Cue.RECIPIENTS,
    Cue.EXERCISE,
    Cue.CONTROLLER,
    Cue.DUTIES,
    Cue.PURPOSES,
)
"""The cues that bear the name of a question of the rules, the more telling first."""

HARMLESS = frozenset({Cue.SPELLING, Cue.DATE, Cue.NONE})
"""Cues of changes that touch nobody."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing noticed: the question it bears on, the very words, where they stand, a sentence for the officer."""

    cue: Cue
    question: str | None
    words: str
    title: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Advised:
    """An advice, with each reason for it in the order of the text."""

    advice: Advice
    reasons: Sequence[Reason]

    def on(self, question: str) -> list[Reason]:
        """The reasons that bear on one of the seven questions."""
        return [reason for reason in self.reasons if reason.question == question]

    def as_json(self) -> dict[str, Any]:
        """The contract of `mailer policy advise --json`."""
        return {"advice": self.advice.value, "reasons": [asdict(reason) for reason in self.reasons]}
