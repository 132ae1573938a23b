"""The story on a running service, once on SQLite and once on PostgreSQL; a journey asks for it up to its own step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from mailer import db
from mailer.demo import story
from mailer.demo.stage import Stage
from mailer.demo.world import World


class Telling:
    """The story as far as it was told; each step is told once."""

    def __init__(self, stage: Stage, said: list[str]) -> None:
        self.stage = stage
        self.said = said
        self._told = 0

    def to(self, number: int) -> Stage:
        """Tell on up to and including step `number`; the first that is not as said raises."""
        while self._told < number:
            story.STEPS[self._told].happen(self.stage)
            self._told += 1
        return self.stage


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each journey on both databases; those of one database share a service."""
    if "telling" in metafunc.fixturenames:
        metafunc.parametrize("telling", ["sqlite", "postgresql"], indirect=True, scope="package")


@pytest.fixture(scope="package")
def telling(request: pytest.FixtureRequest) -> Iterator[Telling]:
    """The story on a service of its own."""
    url = request.getfixturevalue("journey_postgresql") if request.param == "postgresql" else ""
    with fresh_telling(url) as made:
        yield made


@pytest.fixture(scope="session")
def journey_postgresql(postgresql_server: str) -> str:
    """An empty database of its own on the test server."""
    engine = db.make_engine(postgresql_server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE journey")
    engine.dispose()
    return make_url(postgresql_server).set(database="journey").render_as_string(hide_password=False)


@contextmanager
def fresh_telling(database_url: str = "") -> Iterator[Telling]:
    """A story that has not begun, on a fresh folder and an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-journey-"))  # short, for a socket lies in it
    said: list[str] = []
    world = World.make(folder)
    for name in [name for name in world.environment if name.startswith("MAILER_") and name in os.environ]:
        if name in {"MAILER_DATABASE_URL", "MAILER_REDIS_URL", "MAILER_SECRET_KEYS"}:
            del world.environment[name]
    if database_url:
        world.environment["MAILER_DATABASE_URL"] = database_url
    with story.staged(world, said.append) as stage:
        yield Telling(stage, said)
    shutil.rmtree(folder, ignore_errors=True)
