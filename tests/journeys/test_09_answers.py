"""Step 9: people answer."""

from __future__ import annotations

from tests.journeys.conftest import Telling


def test_a_termination_is_recorded_a_machine_ignored_a_question_kept(telling: Telling) -> None:
    telling.to(9)
