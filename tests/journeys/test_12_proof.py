"""Step 12: the proof holds."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_the_ledger_is_whole_the_evidence_checks_itself_and_a_changed_byte_is_found(telling: Telling) -> None:
    telling.to(12)
