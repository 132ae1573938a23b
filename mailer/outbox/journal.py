"""A journal beside the worker: which mails of a batch were begun, and what was answered, to the last instruction.

One memory-mapped file a batch, named by its lease. What is written stays when the process is killed, so that another
process of this machine settles exactly what was answered, and doubts exactly what was begun without an answer
(invariant 5). It does not outlast a power cut; then the whole lease is in doubt.

The order of writes is the protocol: `begin` stands before the first byte of a body is sent, and only after it does the
worker look whether its lease still holds. Whoever reads the journal once the lease is over sees every mail that was,
or ever will be, sent under it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailer import ids
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

FOLDER = "journals"
UNFINISHED_SECONDS = 60  # so old a journal in the making is nobody's any more
_SLOT = 1024
_BEGIN = struct.Struct("<qB")  # row, begun
_ANSWERED = 9  # the mark that the answer below is whole: written after it
_ANSWER = struct.Struct("<BHd64s40s380s")  # outcome, code, at (seconds since 1970), SHA-256, route, reply
_ANSWER_AT = 16
_WHO = struct.Struct("<200s255s")  # the From and the envelope domain of the route, if it has its own
_WHO_AT = 528
_OUTCOMES = tuple(Outcome)
_NUMBERS = {outcome: number for number, outcome in enumerate(_OUTCOMES)}


@dataclass(frozen=True, slots=True)
class Noted:
    """What a journal says of a mail that was begun; without an answer it is in doubt."""

    row: int
    sent_from: str | None
    envelope_domain: str | None
    answer: Answer | None
    sha256: str
    at: datetime


class Journal:
    """The journal of one batch, written by the process that sends it and locked for as long as that one lives."""

    def __init__(self, data_dir: Path, token: str, size: int) -> None:
        folder = data_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / token
        unseen = self._path.with_suffix(".new")  # an unlocked journal would look like that of a dead worker
        self._file = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            os.posix_fallocate(self._file, 0, size * _SLOT)  # a full disk is an error here, and a SIGBUS at a mark
        except OSError:
            unseen.unlink()
            os.close(self._file)
            raise
        unseen.rename(self._path)
        self._memory = mmap.mmap(self._file, size * _SLOT)
        self._slots: dict[int, int] = {}

    def begin(self, row: int, sent_from: str | None = None, envelope_domain: str | None = None) -> None:
        """Before the first byte of the body: from here on the server may have it."""
        slot = self._slots.setdefault(row, len(self._slots) * _SLOT)
        if sent_from or envelope_domain:
            _WHO.pack_into(self._memory, slot + _WHO_AT, _cut(sent_from, 200), _cut(envelope_domain, 255))
        _BEGIN.pack_into(self._memory, slot, row, 1)

    def not_begun(self, row: int) -> None:
        """Take a `begin` back: no byte of the body was sent."""
        _BEGIN.pack_into(self._memory, self._slots[row], row, 0)

    def answered(self, row: int, answer: Answer, sha256: str, at: datetime) -> None:
        """The server's last word to a mail that was begun."""
        slot = self._slots.get(row)
        if slot is None:
            return  # it never was: nothing of it can be in doubt
        route, reply = answer.route.encode()[:40], answer.reply.encode()[:380]
        found = (_NUMBERS[answer.outcome], answer.code, at.timestamp(), sha256.encode(), route, reply)
        _ANSWER.pack_into(self._memory, slot + _ANSWER_AT, *found)
        self._memory[slot + _ANSWERED] = 1

    def close(self, *, is_done: bool) -> None:
        """Let go of the file; it stays for `left_behind` unless all that it says is in the database."""
        if is_done:
            self._path.unlink(missing_ok=True)
        self._memory.close()
        os.close(self._file)


def left_behind(data_dir: Path) -> Iterator[tuple[str, list[Noted]]]:
    """Every journal whose writer is gone: the lease it is of, and what it says.

    It is locked while the caller looks, so that only one process settles it.
    """
    folder = data_dir / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".new":
            _tidy(path)
        if not ids.is_id(path.name, "lse"):
            continue
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue  # settled meanwhile
        try:
            if _lock(file) and path.exists():
                yield path.name, _read(file)
        finally:
            os.close(file)


def read(data_dir: Path, token: str) -> list[Noted] | None:
    """What the journal of a lease says, whoever writes it; None if this machine has none."""
    try:
        file = os.open(data_dir / FOLDER / token, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return _read(file)
    finally:
        os.close(file)


def drop(data_dir: Path, token: str) -> None:
    """Remove a journal whose every word is in the database."""
    with suppress(FileNotFoundError):
        (data_dir / FOLDER / token).unlink()


def _tidy(path: Path) -> None:
    """Remove what a process left that was killed while it made a journal: nothing was claimed under it."""
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink()


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> list[Noted]:
    data = os.pread(file, os.fstat(file).st_size, 0)
    noted = (_read_slot(data[slot : slot + _SLOT]) for slot in range(0, len(data), _SLOT))
    return [one for one in noted if one is not None]


def _read_slot(slot: bytes) -> Noted | None:
    row, is_begun = _BEGIN.unpack_from(slot)
    if not is_begun:
        return None
    sent_from, envelope_domain = (_uncut(part) or None for part in _WHO.unpack_from(slot, _WHO_AT))
    outcome, code, at, sha256, route, reply = _ANSWER.unpack_from(slot, _ANSWER_AT)
    answer = Answer(_OUTCOMES[outcome], code, _uncut(reply), _uncut(route)) if slot[_ANSWERED] else None
    return Noted(row, sent_from, envelope_domain, answer, _uncut(sha256), datetime.fromtimestamp(at, UTC))


def _cut(text: str | None, size: int) -> bytes:
    return (text or "").encode()[:size]


def _uncut(field: bytes) -> str:
    return field.rstrip(b"\0").decode("utf-8", "replace")
