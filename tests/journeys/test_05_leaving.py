"""Step 5: a reader leaves."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_one_click_unsubscribes_and_a_scanner_does_not(telling: Telling) -> None:
    telling.to(5)
