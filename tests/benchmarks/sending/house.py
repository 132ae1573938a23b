"""The service as a stranger runs it: a folder, a database, `mailer up`, and all its settings in the environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection

from mailer import db
from mailer.errors import MailerError
from tests.benchmarks.sending import processes
from tests.benchmarks.sending.postgres import Server
from tests.front.processes import family, free_port, wait_for

WORKERS = 2
CONNECTIONS = 4
SLEEP = 3600
"""Seconds between sweeps in a run: only our own bell may start the sending."""
UP = "Ctrl-C ends all of it."


class StepFailed(MailerError):
    """A step of the benchmark did not do what it should; the figure would be worth nothing."""


@dataclass(frozen=True)
class House:
    """One installation. `environment` is the whole of its settings; `postmaster` is the database's process, if any."""

    folder: Path
    environment: Mapping[str, str]
    database: str
    marketing_port: int
    essential_port: int
    postmaster: int | None = None

    def do(self, step: str, **given: object) -> dict[str, Any]:
        """One step of `steps.py` in a process of its own; what it printed last, as JSON."""
        done = subprocess.run([*_step(step, given)], env=self._whole(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepFailed(f"{step}: {done.stderr.strip()[-2000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def begin(self, step: str, **given: object) -> subprocess.Popen[str]:
        """A step that goes on beside us."""
        return subprocess.Popen(
            [*_step(step, given)], env=self._whole(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def mailer(self, *words: str) -> str:
        """`mailer <words>`; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "mailer.cli", *words], env=self._whole(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StepFailed(f"mailer {' '.join(words)}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    @contextmanager
    def up(self) -> Iterator[Running]:
        """`mailer up` with all its processes, until it has nothing left to start."""
        log = self.folder / "up.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "mailer.cli", "up"], stdout=file, stderr=file, env=self._whole()
            )
        try:
            wait_for(lambda: UP in log.read_text("utf-8", "replace") or process.poll() is not None, "it is not up", 90)
            if process.poll() is not None:
                raise StepFailed(f"mailer up: {log.read_text('utf-8', 'replace').strip()[-2000:]}")
            processes.wait_until_quiet(process.pid)
            yield Running(self, process.pid)
        finally:
            left = family(process.pid)
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
            psutil.wait_procs(left, timeout=5)
            for one in left:
                if one.is_running():
                    one.kill()
            process.wait()

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for looking only."""
        engine = db.make_engine(self.database).execution_options(sqlite_begin="DEFERRED")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _whole(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        return own | dict(self.environment)


@dataclass(frozen=True)
class Running:
    """A house whose processes run."""

    house: House
    pid: int

    @property
    def workers(self) -> list[int]:
        """The processes that serve marketing mail."""
        wanted = ["worker", "--lane", "marketing"]
        return [one.pid for one in family(self.pid) if one.cmdline()[-3:] == wanted]

    def cpu_seconds(self) -> float:
        """What the service and its database server have used so far."""
        own = processes.cpu_seconds(self.pid)
        return own + (processes.cpu_seconds(self.house.postmaster) if self.house.postmaster else 0.0)


@dataclass(frozen=True)
class Lines:
    """How the marketing lane reaches its server, in a routes file where one setting does not say it."""

    connections: int = CONNECTIONS
    dkim: bool = False

    @property
    def need_a_file(self) -> bool:
        return self != Lines()


@contextmanager
def house(
    server: Server | None = None, lines: Lines | None = None, changes: Mapping[str, str | None] | None = None
) -> Iterator[House]:
    """A migrated, empty house, on SQLite or on a PostgreSQL server; its folder is gone afterwards.

    `changes` are settings that differ; None leaves one to its default.
    """
    with _folder() as folder:
        database = server.new_database() if server else f"sqlite:///{folder / 'var' / 'mailer.db'}"
        made = _house(folder, lines or Lines(), database, server.pid if server else None)
        wanted: dict[str, str | None] = {**made.environment, **(changes or {})}
        environment = {name: value for name, value in wanted.items() if value is not None}
        made = replace(made, environment=environment)
        made.do("migrate")
        yield made


def _house(folder: Path, lines: Lines, database: str, postmaster: int | None) -> House:
    marketing, essential = free_port(), free_port()
    environment = {
        "MAILER_DATA_DIR": str(folder / "var"),
        "MAILER_DATABASE_URL": database,
        "MAILER_WEB_PORT": str(free_port()),
        "MAILER_INBOUND_PORT": str(free_port()),
        "MAILER_SMTP_ESSENTIAL": f"smtp://127.0.0.1:{essential}",
        "MAILER_SMTP_MARKETING": f"smtp://127.0.0.1:{marketing}",
        "MAILER_MARKETING_WORKERS": str(WORKERS),
        "MAILER_SWEEP_SECONDS": str(SLEEP),
        "MAILER_LOG_LEVEL": "WARNING",
    }
    if lines.need_a_file:
        routes = folder / "routes.toml"
        routes.write_text(_routes(marketing, essential, lines), "utf-8")
        environment["MAILER_ROUTES"] = str(routes)
        for name in ("MAILER_SMTP_ESSENTIAL", "MAILER_SMTP_MARKETING"):
            del environment[name]
    return House(folder, environment, database, marketing, essential, postmaster)


def _routes(marketing: int, essential: int, lines: Lines) -> str:
    return f"""
[[route]]
name = "letters"
channel = "essential"
host = "127.0.0.1"
port = {essential}
tls = "none"

[[route]]
name = "bulk"
channel = "marketing"
host = "127.0.0.1"
port = {marketing}
tls = "none"
connections = {lines.connections}
dkim = {"true" if lines.dkim else "false"}
"""


@contextmanager
def clone(template: House, server: Server | None = None) -> Iterator[House]:
    """A house of its own with the same data; nobody may look at the first one meanwhile."""
    with _folder() as folder:
        shutil.copytree(template.folder, folder, dirs_exist_ok=True)
        database = server.copy(template.database) if server else template.database
        moved = {
            name: value.replace(template.database, database).replace(str(template.folder), str(folder))
            for name, value in template.environment.items()
        }
        yield replace(template, folder=folder, environment=moved, database=moved["MAILER_DATABASE_URL"])
        if server:
            server.drop(database)


@contextmanager
def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="mailer-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _step(step: str, given: Mapping[str, object]) -> Iterator[str]:
    yield from (sys.executable, "-m", "tests.benchmarks.sending.steps", step)
    for name, value in given.items():
        yield f"--{name.replace('_', '-')}"
        yield str(value)
