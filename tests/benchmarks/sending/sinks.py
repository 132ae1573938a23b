"""Servers that take the mail of a run: Postfix's `smtp-sink`, or our own where it has to be late or to remember."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailer.errors import NotFound
from tests.front.processes import wait_for

NO_POSTFIX = "smtp-sink and smtp-source are not here: install Debian's package postfix (it need not run)."


class NoPostfix(NotFound):
    """The programs that we are compared with are not installed."""


@dataclass(frozen=True)
class Taken:
    """One mail that our own sink took; `at` in seconds since 1970."""

    at: float
    to: str
    bytes: int
    sha256: str
    is_signed: bool


def program(name: str) -> str:
    """The path of a program of Postfix, also where /usr/sbin is not on PATH; NoPostfix if it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoPostfix(NO_POSTFIX)
    return found


@contextmanager
def smtp_sink(port: int) -> Iterator[None]:
    """Postfix's sink. As root it wants to be somebody else; nobody does."""
    user = ("-u", "nobody") if os.getuid() == 0 else ()
    with _running([program("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"], port):
        yield


@contextmanager
def own_sink(port: int, *, delay: float = 0.0, record: Path | None = None) -> Iterator[None]:
    """Our sink, with `delay` seconds a round trip, that writes what it took to `record`."""
    command = [sys.executable, "-m", "tests.benchmarks.sending.sink", str(port), "--delay", str(delay)]
    with _running([*command, *(("--record", str(record)) if record else ())], port):
        yield


def taken(record: Path) -> Sequence[Taken]:
    """What our sink wrote down so far."""
    whole = record.read_text("utf-8").rpartition("\n")[0] if record.exists() else ""
    return [Taken(**json.loads(line)) for line in whole.splitlines()]


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_listening(port) or process.poll() is not None, f"nobody listens on port {port}")
        if process.poll() is not None:
            raise ChildProcessError(f"{command[0]} ended at once; what it said stands above.")
        yield
    finally:
        process.terminate()
        process.wait(10)


def is_listening(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1; does not connect, which a sink would count."""
    return any(state == "0A" for state in _states(port))


def connections(port: int) -> int:
    """How many connections a port of 127.0.0.1 has now."""
    return sum(state == "01" for state in _states(port))


def _states(port: int) -> Iterator[str]:
    """The states of a port's own ends of connections, as proc_net_tcp(5) spells them."""
    wanted = f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file:
            fields = line.split(maxsplit=4)
            if fields[1] == wanted:
                yield fields[3]
