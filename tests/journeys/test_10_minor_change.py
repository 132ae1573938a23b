"""Step 10: a minor version."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_a_typo_is_corrected_without_a_mail(telling: Telling) -> None:
    telling.to(10)
