"""Step 4: marketing sends."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_a_campaign_reaches_those_who_may_get_it_and_nobody_else(telling: Telling) -> None:
    telling.to(4)
