"""What is asked for each termination is asked of an index, however many messages there are."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer.terminations import queries


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_receipts_of_a_termination_are_found_by_an_index(session: Session) -> None:
    query = queries.receipts("trm_1").compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = [str(row[3]) for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert [step for step in plan if step.startswith("SCAN")] == []
