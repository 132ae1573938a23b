"""How a worker sets its process up for a life of millions of mails."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from mailer import worker
from mailer.worker import Lane


@pytest.fixture
def collector() -> Iterator[None]:
    """Python's garbage collector, which is as it was after the test."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_a_worker_has_loaded_is_not_collected_again_and_circles_are_looked_for_seldom(
    collector: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[Lane, int]] = []
    asked = iter([False, True, True])
    monkeypatch.setattr(worker, "_look", lambda lane: looks.append((lane, gc.get_freeze_count())))
    monkeypatch.setattr(worker, "stopping", SimpleNamespace(listen=lambda: None, is_asked=lambda: next(asked)))
    worker.serve(Lane.MARKETING)
    assert looks == [(Lane.MARKETING, 0)], "what the first look loads is kept, too"
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == worker.COLLECTS_AFTER
    assert gc.isenabled(), "a circle is found in the end"
