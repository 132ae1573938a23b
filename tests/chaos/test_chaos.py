"""A little of `make chaos`: every promise of docs/reliability.md, on mails by the hundred."""

from __future__ import annotations

import pytest

from tests.chaos import scenarios
from tests.chaos.scenarios import Size


@pytest.mark.parametrize("name", [name for name in scenarios.NAMES if name not in scenarios.IN_ONE_HOUSE])
def test_what_is_promised_is_kept(name: str) -> None:
    if why_not := scenarios.why_not(name):
        pytest.skip(why_not)
    assert scenarios.play(name, Size.SHORT).broken == []


def test_what_is_promised_is_kept_one_after_the_other() -> None:
    played = scenarios.play_in_one_house()
    assert [(told.name, told.broken) for told in played if told.broken] == []
    assert len(played) == len(scenarios.IN_ONE_HOUSE)
