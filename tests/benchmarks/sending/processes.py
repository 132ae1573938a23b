"""What processes cost: CPU seconds and peak memory of a tree, from /proc and psutil."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.front.processes import family

QUIET = 0.02
"""A tree that takes less of a core than this has nothing left to start."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all that descend from it, those that ended and were waited for included."""
    total = 0.0
    for process in family(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def peak_bytes(pids: Sequence[int]) -> int:
    """The highest peak (VmHWM, proc(5)) among these processes and their children."""
    peaks = [_peak(process.pid) for pid in pids for process in family(pid)]
    return max(peaks, default=0)


def wait_until_quiet(pid: int, seconds: float = 30.0) -> None:
    """Return when a tree takes next to no CPU for a second, or when `seconds` are over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = cpu_seconds(pid)
        time.sleep(1)
        if cpu_seconds(pid) - before < QUIET:
            return


def _peak(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
