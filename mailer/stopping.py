"""How a process is asked to end in good order: SIGTERM or Ctrl-C sets a flag that long work looks at between steps.

A pipe and no `threading.Event`: set inside a signal handler, an event may wait for a lock that we hold ourselves.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType

_heard, _said = os.pipe()  # a byte lies in it from the moment somebody asks
os.set_blocking(_said, False)


def listen(then: Callable[[], None] | None = None) -> None:
    """From now on SIGTERM and SIGINT ask this process to end; `then` runs inside the signal handler."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        os.write(_said, b".")
        if then is not None:
            then()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def is_asked() -> bool:
    """Whether this process was asked to end; work that takes long asks between two steps."""
    return wait(0)


def wait(seconds: float) -> bool:
    """Sleep, but no longer than until this process is asked to end; whether it was."""
    return bool(select.select([_heard], [], [], seconds)[0])
