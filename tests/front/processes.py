"""Real processes of the service, for tests: started, waited for, and looked after when a test ends early."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

PATIENCE = 40.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(what: Callable[[], object], why: str, seconds: float = PATIENCE) -> None:
    """Return when `what` is true; fail with `why` if it does not become so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.05)


@contextmanager
def started(*words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`mailer <words>` with the settings in force, its output in `log`; nothing of it is left afterwards."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mailer.cli", *words], stdout=file, stderr=file, cwd=log.parent
        )
        try:
            yield process
        finally:
            left = family(process.pid)
            for one in left:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            process.wait()


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it, as far as they live."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    return []


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those that still run, as their command lines."""
    return [" ".join(one.cmdline()) for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def find(processes: list[psutil.Process], *words: str) -> psutil.Process:
    """The one whose command line ends with these words."""
    (found,) = [one for one in processes if one.cmdline()[-len(words) :] == list(words)]
    return found


def environment_pids(data_dir: Path) -> list[int]:
    """Every process that runs on this data folder, whoever its parent is."""
    mark = f"MAILER_DATA_DIR={data_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if (
                entry.name.isdigit()
                and int(entry.name) != os.getpid()
                and mark in (entry / "environ").read_bytes().split(b"\0")
            ):
                found.append(int(entry.name))
    return found
