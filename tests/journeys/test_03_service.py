"""Step 3: signed webhooks in."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_another_service_is_heard_once_and_only_with_the_right_signature(telling: Telling) -> None:
    telling.to(3)
