"""Reading in a child process: hostile bytes cost at most a time-out there, and never the next mail (TRAPS 16)."""

import atexit
import multiprocessing
import os
import queue
import resource
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from mailer.inbound.parse import MAX_BYTES, parse
from mailer.inbound.received import Unreadable
from mailer.inbound.rules import Reading, classify, unreadable

MAX_MEMORY = 1024 * 1024 * 1024
START_SECONDS = 60.0
MOST_READERS = 4
_AHEAD = 8
_BROKE = "The mail broke its reader; read it from its source."
_SPAWN = multiprocessing.get_context("spawn")


def read(raw: bytes, timeout: float = 10.0) -> Reading:
    """How the mail reads, found in the kept child; whatever goes wrong there is a reading of kind `unreadable`."""
    return _KEPT.read(raw, timeout)


def read_all(raws: Iterable[bytes], timeout: float = 10.0) -> Iterator[Reading]:
    """How these mails read, in their order, found by a child for each processor; no mail keeps the others waiting."""
    count = max(1, min(MOST_READERS, os.cpu_count() or 1))
    seats: queue.SimpleQueue[_Seat] = queue.SimpleQueue()
    all_seats = [_Seat() for _ in range(count)]
    for seat in all_seats:
        seats.put(seat)

    def one(raw: bytes) -> Reading:
        seat = seats.get()
        try:
            return seat.read(raw, timeout)
        finally:
            seats.put(seat)

    waiting: deque[Future[Reading]] = deque()
    try:
        with ThreadPoolExecutor(count) as threads:
            for raw in raws:
                waiting.append(threads.submit(one, raw))
                if len(waiting) > _AHEAD * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        for seat in all_seats:
            seat.leave()


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
    _KEPT.leave()


class _Child:
    """One spawned reader and the pipe to it. It ends with its parent: the pipe closes."""

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


class _Seat:
    """A place for one child at a time: started when it is needed, replaced when it was late or died."""

    def __init__(self) -> None:
        self.child: _Child | None = None
        self.lock = threading.Lock()

    def read(self, raw: bytes, timeout: float) -> Reading:
        """How the mail reads; whatever goes wrong is a reading of kind `unreadable`."""
        if len(raw) > MAX_BYTES:
            return read_here(raw)
        with self.lock:
            # A child may have died idle: only a mail that breaks two of them is at fault.
            return self._seated().read(raw, timeout) or self._seated().read(raw, timeout) or unreadable(_BROKE)

    def _seated(self) -> _Child:
        # After a fork the child belongs to the other process.
        if self.child is None or self.child.owner != os.getpid() or self.child.ended:
            self.child = _Child()
        return self.child

    def leave(self) -> None:
        """End the child, if there is one of this process."""
        with self.lock:
            if self.child is not None and self.child.owner == os.getpid() and not self.child.ended:
                self.child.end()
            self.child = None


_KEPT = _Seat()


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
