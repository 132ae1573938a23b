"""`docs/webhooks.md` says what is so: its examples are sent, its signature is made with its own code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mailer.services import calls
from mailer.services.actions import Call
from mailer.services.rules import EventIn, EventOut
from tests import factories
from tests.services.conftest import Trac

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
PART_IN, PART_OUT = TEXT.split("## Events in")[1].split("## Events out")
EXAMPLES = re.findall(r"^### `([a-z.]+)`\n(?:.*?)^```json\n(.*?)^```", PART_IN, re.MULTILINE | re.DOTALL)


@pytest.fixture
def signed() -> Callable[[str, str, bytes], dict[str, str]]:
    """The function that the page shows."""
    found = re.search(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    known: dict[str, Any] = {}
    exec(found[1], known)
    made: Callable[[str, str, bytes], dict[str, str]] = known["signed"]
    return made


def test_every_documented_example_is_taken(trac: Trac, session: Session, signed: Any) -> None:
    factories.topic(session)
    session.commit()
    assert [kind for kind, _ in EXAMPLES if kind not in EventIn.__members__.values()] == []
    assert {kind for kind, _ in EXAMPLES} == {kind.value for kind in EventIn}
    for number, (kind, example) in enumerate(EXAMPLES):
        body = example.encode()
        assert json.loads(body)["type"] == kind
        answer = trac.client.post("/webhooks/trac", data=body, headers=signed(trac.secret, f"doc-{number}", body))
        assert answer.status_code == 202, (kind, answer.text)


def test_every_event_out_is_documented() -> None:
    for kind in EventOut:
        assert f"`{kind.value}`" in PART_OUT, kind


def test_the_documented_event_out_has_the_shape_that_is_sent() -> None:
    found = re.search(r"^```json\n(.*?)^```", PART_OUT, re.MULTILINE | re.DOTALL)
    assert found
    example = json.loads(found[1])
    at = datetime.fromisoformat(example["timestamp"])
    sent = calls.spell(Call(1, 1, 1, "", "", example["type"], at, example["data"]))
    assert json.loads(sent) == example
