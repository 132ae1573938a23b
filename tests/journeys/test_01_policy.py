"""Step 1: a policy is imported and public."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_the_company_has_a_privacy_statement_in_force(telling: Telling) -> None:
    telling.to(1)
