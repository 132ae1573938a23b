"""Databases as earlier releases left them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from mailer import db


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if request.param == "sqlite":
        engine = db.make_engine(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    server = db.make_engine(request.getfixturevalue("postgresql_server"))
    url = make_url(request.getfixturevalue("postgresql_server")).set(database="old_release")
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE old_release")
        engine = db.make_engine(url.render_as_string(hide_password=False))
        yield engine
        engine.dispose()
        connection.exec_driver_sql("DROP DATABASE old_release WITH (FORCE)")
    server.dispose()
