"""The service as a stranger runs it, on a folder of its own: `mailer up` as a real tree, and a way to look inside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mailer import settings
from mailer.migrations import migrate
from mailer.staff.models import Staff
from tests.chaos import sink
from tests.chaos.sink import Control, Rule
from tests.conftest import forget_settings
from tests.front.processes import family, free_port, wait_for

UP = "Ctrl-C ends all of it."
CONNECTIONS = 4  # of a worker to a route, unless a file of routes says otherwise
ROLES = ("worker essential", "worker marketing", "worker chores", "scheduler", "inbound", "web", "redis")


@dataclass(frozen=True)
class House:
    """One installation, its sink included. `environment` is the whole of its settings."""

    folder: Path
    environment: dict[str, str]
    sink: Control

    def change(self, **values: object) -> None:
        """Change settings before the processes start; an empty one is left to its default."""
        for name, value in values.items():
            self.environment[f"MAILER_{name.upper()}"] = str(value)
        os.environ.update(self.environment)
        forget_settings()

    @property
    def data_dir(self) -> Path:
        return Path(self.environment["MAILER_DATA_DIR"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['MAILER_WEB_PORT']}"

    @property
    def log(self) -> Path:
        return self.folder / "up.log"

    def said(self) -> str:
        """All that the processes logged so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """`mailer <words>` beside the tree; nothing of it is left afterwards."""
        process = self._start(*words)
        try:
            yield process
        finally:
            _end(process)

    @contextmanager
    def up(self) -> Iterator[Tree]:
        """`mailer up` with all its processes, until the end of the block."""
        before = self.said().count(UP)
        process = self._start("up")
        try:
            wait_for(lambda: self.said().count(UP) > before or process.poll() is not None, "it is not up", 90)
            assert process.poll() is None, self.said()[-2000:]
            yield Tree(self, process)
        finally:
            _end(process)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        command = [sys.executable, "-m", "mailer.cli", *words]
        with self.log.open("ab") as file:
            return subprocess.Popen(
                command, stdout=file, stderr=file, env=own | dict(self.environment), cwd=self.folder
            )


@dataclass(frozen=True)
class Scene:
    """A house whose processes run, with so many people in it and a colleague who writes to them."""

    house: House
    author: Staff
    people: int

    def taken(self) -> int:
        """How many mails the server took so far."""
        return self.house.sink.counts()["accepted"]


@dataclass(frozen=True)
class Tree:
    """A house whose processes run."""

    house: House
    process: subprocess.Popen[bytes]

    def of(self, role: str) -> list[psutil.Process]:
        """The processes that play one of `ROLES` now; of the web, those that answer as well."""
        found = []
        for one in family(self.process.pid):
            with suppress(psutil.Error):
                if one.pid != self.process.pid and _role(one) == role:
                    found += [one, *one.children(recursive=True)]
        return found


def _role(process: psutil.Process) -> str:
    words = process.cmdline()
    if "redis" in process.name() or words[-1:] == ["mailer.redis_server"]:
        return "redis"
    if words[-3:-1] == ["worker", "--lane"]:
        return f"worker {words[-1]}"
    return words[-1] if words[-2:-1] == ["mailer.cli"] else ""


@contextmanager
def house(
    *rules: Rule, seed: int = 0, delay: float = 0.0, database: str = "", data_dir: Path | None = None, **changes: object
) -> Iterator[House]:
    """A migrated, empty house whose settings are in force in this process too; its folder is gone afterwards.

    `changes` are settings by their names; `delay` is the round trip to the server that takes its mail, in seconds.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailer-chaos-"))  # short, for a socket lies in it
    options = ("--seed", str(seed), "--delay", str(delay))
    try:
        with sink.process(folder / "mails.jsonl", *rules, options=options) as control:
            data_dir = data_dir or folder / "var"
            wanted = _settings(data_dir, control) | changes | ({"database_url": database} if database else {})
            environment = {f"MAILER_{name.upper()}": str(value) for name, value in wanted.items()}
            made = House(folder, environment, control)
            with _in_force(environment):
                migrate()
                yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settings(data_dir: Path, control: Control) -> dict[str, object]:
    return {
        "data_dir": data_dir,
        "demo": 1,  # its clock can be moved
        "web_port": free_port(),
        "inbound_port": free_port(),
        "smtp_essential": control.url,
        "smtp_marketing": control.url,
        "sweep_seconds": 2,
        "log_level": "WARNING",
    }


@contextmanager
def _in_force(environment: Mapping[str, str]) -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("MAILER_")}
    file = settings.Settings.model_config.get("env_file")
    settings.Settings.model_config["env_file"] = None
    os.environ.update(environment)
    forget_settings()
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("MAILER_")]:
            del os.environ[name]
        os.environ.update(kept)
        settings.Settings.model_config["env_file"] = file
        forget_settings()


def _end(process: subprocess.Popen[bytes]) -> None:
    left = family(process.pid)
    for one in left:
        with suppress(psutil.Error):
            one.send_signal(signal.SIGCONT)  # what stands still hears nothing
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for one in left:
        with suppress(psutil.Error):
            one.kill()
    process.wait()


def wait_until(what: object, seconds: float) -> float | None:
    """Seconds until `what()` was true; None if it did not become so in time."""
    assert callable(what)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if what():
            return time.monotonic() - begun
        time.sleep(0.05)
    return None
