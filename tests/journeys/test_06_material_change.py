"""Step 6: a version is released."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_a_material_change_needs_notice_and_two_people(telling: Telling) -> None:
    telling.to(6)
