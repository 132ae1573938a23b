"""Step 2: people come in by CSV."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_two_hundred_people_come_in_and_two_faulty_rows_are_named(telling: Telling) -> None:
    telling.to(2)
