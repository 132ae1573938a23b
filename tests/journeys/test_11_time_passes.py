"""Step 11: the day comes."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_only_who_was_told_and_used_the_service_is_deemed_to_agree(telling: Telling) -> None:
    telling.to(11)
