"""`mailer up`: every process of the service in one tree. A child that dies is started again, and it says so."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mailer import redis_server, stopping
from mailer.delivery import routes
from mailer.errors import Conflict, MailerError
from mailer.settings import Settings
from mailer.worker import Lane

READY_SECONDS = 60.0
STOP_SECONDS = 9.0
CALM_SECONDS = 30.0  # a child that lived so long starts again without a pause
LONGEST_PAUSE = 10.0
TICK = 0.1
MARKETING_GIVES_WAY = 10  # essential mail never waits for the processor
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class AlreadyUp(Conflict):
    """Another `mailer up` works on this data folder."""


class PortTaken(Conflict):
    """Something else listens where a part of ours should."""


class NotReady(MailerError):
    """A part did not start."""


@dataclass(frozen=True)
class Part:
    """One process of the service: how it is started, and how one sees that it works."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool] = lambda: True
    is_leaned_on: bool = False  # others need it until they have ended
    gives_way: int = 0  # of the processor, to whatever else runs here (nice)


@dataclass
class Child:
    """A part as it runs now."""

    part: Part
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    falls: int = 0
    again_at: float | None = None


def parts(config: Settings) -> list[Part]:
    """What runs, in the order in which it starts; it stops in the other order."""
    mailer = (sys.executable, "-m", "mailer.cli")
    made = []
    if config.uses_embedded_redis:
        redis = (sys.executable, "-m", "mailer.redis_server")
        made.append(Part("redis", redis, lambda: redis_server.is_ready(config.redis), is_leaned_on=True))
    if config.catches_mail:
        listens = _listens("127.0.0.1", config.post_office_port)
        made.append(Part("post-office", (*mailer, "post-office"), listens, is_leaned_on=True))
    for lane in Lane:
        worker = (*mailer, "worker", "--lane", lane.value)
        is_marketing = lane is Lane.MARKETING
        count, gives_way = (config.marketing_workers, MARKETING_GIVES_WAY) if is_marketing else (1, 0)
        names = [f"worker {lane}" + (f" {number}" if number > 1 else "") for number in range(1, count + 1)]
        made += [Part(name, worker, gives_way=gives_way) for name in names]
    made.append(Part("scheduler", (*mailer, "scheduler")))
    made.append(Part("inbound", (*mailer, "inbound"), _listens(config.inbound_host, config.inbound_port)))
    made.append(Part("web", (*mailer, "web"), _listens(config.web_host, config.web_port)))
    return made


def check(config: Settings) -> None:
    """BadRoute if a mail route cannot be read; PortTaken, naming the setting to change, if a port of ours is in use."""
    routes.check(config)
    wanted = [("web", config.web_host, config.web_port), ("inbound", config.inbound_host, config.inbound_port)]
    if config.catches_mail:
        wanted.append(("post_office", "127.0.0.1", config.post_office_port))
    for name, host, port in wanted:
        if _is_taken(host, port):
            raise PortTaken(
                f"Port {port} is in use by another program; set MAILER_{name.upper()}_PORT to a free one.",
                field=f"{name}_port",
            )


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this `up`; AlreadyUp if another one does."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(
                f"Another `mailer up` works on {data_dir}: stop it, or set MAILER_DATA_DIR to another folder."
            ) from None
        yield


def run(config: Settings, announce: Callable[[], None]) -> None:
    """Bring everything up, `announce` it, and keep it up until this process is asked to end."""
    stopping.listen()
    tree = Tree(parts(config))
    try:
        tree.start()
        if not stopping.is_asked():
            announce()
        tree.watch()
    finally:
        tree.stop()


class Tree:
    """The children of one `up`."""

    def __init__(self, wanted: Sequence[Part]) -> None:
        self._wanted = wanted
        self._children: list[Child] = []

    def start(self) -> None:
        """Start every part and return when all are ready; NotReady if one is not in time."""
        for part in self._wanted:
            self._children.append(Child(part, _spawn(part)))
            if part.is_leaned_on:
                self._await(self._children)
        self._await(self._children)

    def watch(self) -> None:
        """Start again what dies, until this process is asked to end."""
        while not stopping.wait(TICK):
            for child in self._children:
                self._tend(child)

    def stop(self) -> None:
        """End the children in good order, the last started first; what does not end in time is killed."""
        end = time.monotonic() + STOP_SECONDS
        for is_leaned_on in (False, True):
            wave = [child for child in reversed(self._children) if child.part.is_leaned_on is is_leaned_on]
            for child in wave:
                _signal(child, signal.SIGTERM)
            while any(child.process.poll() is None for child in wave) and time.monotonic() < end:
                time.sleep(0.02)
        for child in self._children:
            _signal(child, signal.SIGKILL)
            child.process.wait()

    def _await(self, children: Sequence[Child]) -> None:
        end = time.monotonic() + READY_SECONDS
        for child in children:
            while not child.part.is_ready():
                if child.process.poll() is not None:
                    raise NotReady(f"{child.part.name} did not start; what it said stands above.")
                if time.monotonic() > end:
                    raise NotReady(f"{child.part.name} was not ready within {READY_SECONDS:.0f} seconds.")
                if stopping.wait(0.05):
                    return

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        code = child.process.poll()
        if code is None:
            return
        if child.again_at is None:
            _signal(child, signal.SIGKILL)  # what it left behind in its group would hold its port
            child.falls = 0 if now - child.started > CALM_SECONDS else child.falls + 1
            pause = min(0.2 * 2 ** max(child.falls - 1, 0), LONGEST_PAUSE) if child.falls else 0.0
            child.again_at = now + pause
            _say(f"{child.part.name} ended ({_how(code)}); starting it again" + (f" in {pause:.1f} s" if pause else ""))
        if now >= child.again_at:
            child.process, child.started, child.again_at = _spawn(child.part), now, None


def _spawn(part: Part) -> subprocess.Popen[bytes]:
    """Start a part in a process group of its own; on Linux it is told to end when we die, however we die."""
    ask = _before_it_starts(os.getpid(), part.gives_way)
    return subprocess.Popen(part.command, process_group=0, stdin=subprocess.DEVNULL, preexec_fn=ask)  # noqa: S603


def _before_it_starts(parent: int, gives_way: int) -> Callable[[], None]:
    def ask() -> None:
        os.nice(gives_way)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died while we were being born
                os._exit(1)

    return ask


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal the child and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def _listens(host: str, port: int) -> Callable[[], bool]:
    return lambda: _is_taken(host, port)


def _is_taken(host: str, port: int) -> bool:
    """Whether something listens there; asks by connecting, for binding could succeed beside another."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    try:
        with socket.create_connection((reachable, port), timeout=1):
            return True
    except OSError:
        return False


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _say(text: str) -> None:
    print(f"mailer up: {text}", file=sys.stderr, flush=True)  # noqa: T201
