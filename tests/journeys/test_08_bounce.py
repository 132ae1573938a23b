"""Step 8: a notice comes back."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_a_bounced_notice_is_no_notice(telling: Telling) -> None:
    telling.to(8)
