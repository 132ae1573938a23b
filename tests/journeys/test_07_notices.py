"""Step 7: notices go out."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_everyone_concerned_is_told_by_essential_mail(telling: Telling) -> None:
    telling.to(7)
