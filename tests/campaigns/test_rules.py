"""What the rules of campaigns decide, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailer.campaigns import rules
from mailer.campaigns.rules import Draft, Tone
from mailer.consent.rules import Channel

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
GOOD = Draft(
    channel=Channel.MARKETING,
    subject="What is new in November",
    text="Search is faster.",
    links=1,
    images=0,
    images_without_words=0,
    html_bytes=2_000,
    people=143,
)
ESSENTIAL = replace(GOOD, channel=Channel.ESSENTIAL)


@pytest.mark.parametrize("draft", [GOOD, ESSENTIAL])
def test_a_good_draft_has_nothing_in_its_way(draft: Draft) -> None:
    found = rules.checks(draft)
    assert {check.tone for check in found} == {Tone.GOOD}
    assert rules.may_send(found)


@pytest.mark.parametrize(
    ("draft", "change", "tone", "words"),
    [
        (GOOD, {"fault": "body: a fault"}, Tone.BAD, "body: a fault"),
        (GOOD, {"subject": ""}, Tone.BAD, "subject is empty"),
        (GOOD, {"subject": "long " * 20}, Tone.WARN, "100 characters"),
        (GOOD, {"subject": "READ THIS"}, Tone.WARN, "capitals"),
        (GOOD, {"text": ""}, Tone.BAD, "no text yet"),
        (GOOD, {"links": 0}, Tone.WARN, "no link"),
        (GOOD, {"html_bytes": 150_000}, Tone.WARN, "150 KB"),
        (GOOD, {"text": "<b>bold</b>"}, Tone.WARN, "Markdown"),
        (GOOD, {"images": 1, "images_without_words": 1}, Tone.WARN, "picture has no words"),
        (GOOD, {"people": 0}, Tone.BAD, "Nobody"),
        (GOOD, {"text": "Act now"}, Tone.WARN, "spam"),
        (ESSENTIAL, {"images": 1}, Tone.BAD, "no pictures"),
        (ESSENTIAL, {"text": "Now with 20% off"}, Tone.BAD, "promotion"),
        (ESSENTIAL, {"text": "Nu met kortingscode"}, Tone.BAD, "promotion"),
        (ESSENTIAL, {"links": 0}, Tone.GOOD, "essential"),
    ],
)
def test_what_is_said_of_a_draft(draft: Draft, change: dict[str, Any], tone: Tone, words: str) -> None:
    found = rules.checks(replace(draft, **change))
    assert [check for check in found if check.tone is tone and words in check.text], found
    assert rules.may_send(found) is (tone is not Tone.BAD)


def test_the_worst_is_said_first() -> None:
    tones = [check.tone for check in rules.checks(replace(GOOD, people=0, links=0))]
    assert tones == sorted(tones, key=list(Tone).index, reverse=True)
