"""A little of `make chaos`: every promise of docs/reliability.md, on mails by the hundred."""

from __future__ import annotations

import pytest

from tests.chaos import scenarios
from tests.chaos.scenarios import Size


@pytest.mark.parametrize("name", scenarios.NAMES)
def test_what_is_promised_is_kept(name: str) -> None:
    if why_not := scenarios.why_not(name):
        pytest.skip(why_not)
    assert scenarios.play(name, Size.SHORT).broken == []
