"""Reading in a child process: hostile bytes cost at most a time-out there, and never the next mail (TRAPS 16)."""

import atexit
import multiprocessing
import os
import resource
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from mailer.inbound.parse import MAX_BYTES, parse
from mailer.inbound.received import Unreadable
from mailer.inbound.rules import Reading, classify, unreadable

MAX_MEMORY = 1024 * 1024 * 1024
START_SECONDS = 60.0
_BROKE = "The mail broke its reader; read it from its source."
_SPAWN = multiprocessing.get_context("spawn")


def read(raw: bytes, timeout: float = 10.0) -> Reading:
    """How the mail reads, found in the kept child; whatever goes wrong there is a reading of kind `unreadable`."""
    if len(raw) > MAX_BYTES:
        return read_here(raw)
    with _LOCK:
        # A child may have died idle: only a mail that breaks two of them is at fault.
        return _kept().read(raw, timeout) or _kept().read(raw, timeout) or unreadable(_BROKE)


def read_here(raw: bytes) -> Reading:
    """How the mail reads, found in this process: for tests, and for bytes that are known."""
    try:
        return classify(parse(raw))
    except Unreadable as error:
        return unreadable(str(error))
    except Exception as error:
        # A fault in the rules themselves must not lose the mail either.
        return unreadable(f"The mail could not be judged ({type(error).__name__}); read it from its source.")


def stop() -> None:
    """End the kept child, if there is one."""
    with _LOCK:
        if _Child.kept is not None and _Child.kept.owner == os.getpid():
            _Child.kept.end()
        _Child.kept = None


class _Child:
    """One spawned reader and the pipe to it. It ends with its parent: the pipe closes."""

    kept: "_Child | None" = None

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.ended = False
        self.pipe, theirs = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_serve, args=(theirs,), name="mail reader", daemon=True)
        self.process.start()
        theirs.close()
        # Its start, imports and all, does not count against a mail.
        if self.pipe.poll(START_SECONDS):
            self._receive()
        else:
            self.end()

    def read(self, raw: bytes, timeout: float) -> Reading | None:
        """The child's answer; None from one that died. A child that was late or died is ended for good."""
        with suppress(OSError):
            self.pipe.send((raw, timeout))
            if not self.pipe.poll(timeout):
                self.end()
                return unreadable(f"The mail took longer than {timeout:g} seconds to read; read it from its source.")
        answer = self._receive()
        if answer is None:
            self.end()
        return answer

    def _receive(self) -> Reading | None:
        with suppress(EOFError, OSError):
            answer: Reading | None = self.pipe.recv()
            return answer
        return None

    def end(self) -> None:
        """Kill the child and free what it held."""
        self.ended = True
        self.pipe.close()
        self.process.kill()
        self.process.join(5)


_LOCK = threading.Lock()


def _kept() -> _Child:
    child = _Child.kept
    # After a fork the child belongs to the other process.
    if child is None or child.owner != os.getpid() or child.ended:
        child = _Child.kept = _Child()
    return child


def _serve(pipe: Connection) -> None:
    """The child's life: a mail in, a reading out, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MAX_MEMORY)
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            raw, timeout = pipe.recv()
            used = resource.getrusage(resource.RUSAGE_SELF)
            _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + timeout) + 2)
            pipe.send(read_here(raw))


def _limit(what: int, most: int) -> None:
    # Not every system has every limit; the parent's time-out holds everywhere.
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most, hard))


atexit.register(stop)
