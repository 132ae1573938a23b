"""A journal beside the worker: which mails of a batch were begun, and what was answered, to the last instruction.

One memory-mapped file a batch, named by its lease. What is written stays when the process is killed, so that another
process of this machine settles exactly what was answered, and doubts exactly what was begun without an answer
(invariant 5). It does not outlast a power cut: who finds one from before the machine last started does not believe it,
and the whole lease is in doubt.

The order of writes is the protocol: `begin` stands before the first byte of a body is sent, and only after it does the
worker look whether its lease still holds. Whoever reads the journal once the lease is over sees every mail that was,
or ever will be, sent under it. A file whose every word is in the database is blanked and kept for a later batch.
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
from functools import lru_cache
from pathlib import Path

import psutil

from mailer import ids
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

FOLDER = "journals"
UNFINISHED_SECONDS = 60  # so old a journal in the making is nobody's any more
SPARES = 4  # files that a process keeps for its next batches
_BOOT = 64  # bytes at the beginning for the start of the machine under which the file was made
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MARK = struct.Struct("<qBBB5x")  # row, whether `_WHO` says something, begun, whether `_ANSWER` is whole
_BEGIN = struct.Struct("<qBB")  # the first three of these, the last of them last
_ANSWERED = 10
_ANSWER = struct.Struct("<BHd64s40s380s")  # outcome, code, at (seconds since 1970), SHA-256, route, reply
_WHO = struct.Struct("<200s255s")  # the From and the envelope domain of the route, if it has its own
_WORDS = _ANSWER.size + _WHO.size
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
    """The journal of one batch, written by the process that sends it and locked for as long as that one lives.

    First the marks of all mails, side by side, then the words to each.
    """

    def __init__(self, data_dir: Path, token: str, size: int) -> None:
        """Make a file with room for `size` mails; `for_lease` takes one that is there already, if it can."""
        folder = data_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.size = size
        self.path = folder / token
        unseen = self.path.with_suffix(".new")  # an unlocked journal would look like that of a dead worker
        self._file = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._words_at = _BOOT + size * _MARK.size
        room = self._words_at + size * _WORDS
        try:
            os.posix_fallocate(self._file, 0, room)  # a full disk is an error here, and a SIGBUS at a mark
        except OSError:
            unseen.unlink()
            os.close(self._file)
            raise
        self._memory = mmap.mmap(self._file, room)
        self._memory[: len(_boot())] = _boot()
        unseen.rename(self.path)
        self._places: dict[int, int] = {}

    def begin(self, row: int, sent_from: str | None = None, envelope_domain: str | None = None) -> None:
        """Before the first byte of the body: from here on the server may have it."""
        place = self._places.setdefault(row, len(self._places))
        has_own = bool(sent_from or envelope_domain)
        if has_own:
            words = self._words_at + place * _WORDS + _ANSWER.size
            _WHO.pack_into(self._memory, words, _cut(sent_from, 200), _cut(envelope_domain, 255))
        _BEGIN.pack_into(self._memory, _BOOT + place * _MARK.size, row, has_own, 1)

    def not_begun(self, row: int) -> None:
        """Take a `begin` back: no byte of the body was sent."""
        _BEGIN.pack_into(self._memory, _BOOT + self._places[row] * _MARK.size, row, 0, 0)

    def answered(self, row: int, answer: Answer, sha256: str, at: datetime) -> None:
        """The server's last word to a mail that was begun."""
        place = self._places.get(row)
        if place is None:
            return  # it never was: nothing of it can be in doubt
        route, reply = answer.route.encode()[:40], answer.reply.encode()[:380]
        found = (_NUMBERS[answer.outcome], answer.code, at.timestamp(), sha256.encode(), route, reply)
        _ANSWER.pack_into(self._memory, self._words_at + place * _WORDS, *found)
        self._memory[_BOOT + place * _MARK.size + _ANSWERED] = 1

    def close(self, *, is_done: bool) -> None:
        """Let go of the file; it stays for `left_behind` unless all that it says is in the database."""
        if is_done and self._rename(self.path.with_suffix(".spare")):
            marks = len(self._places) * _MARK.size
            self._memory[_BOOT : _BOOT + marks] = bytes(marks)
            self._places.clear()
            _spares.append(self)
            while len(_spares) > SPARES:
                _spares.pop(0).discard()
        else:
            self._let_go()

    def reuse(self, folder: Path, token: str) -> bool:
        """Make a spare the journal of a lease; False if somebody removed it."""
        return self._rename(folder / token)

    def discard(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        self._let_go()

    def _rename(self, path: Path) -> bool:
        try:
            self.path.rename(path)
        except FileNotFoundError:
            return False
        self.path = path
        return True

    def _let_go(self) -> None:
        self._memory.close()
        os.close(self._file)


_spares: list[Journal] = []  # blank, locked by us
os.register_at_fork(after_in_child=_spares.clear)  # a child that wrote to them would write to its parent's


def for_lease(data_dir: Path, token: str, size: int) -> Journal:
    """The journal of a batch of at most `size` mails: a file of an earlier one, whose pages are there, or a new one."""
    folder = data_dir / FOLDER
    for spare in [one for one in _spares if one.size == size and one.path.parent == folder]:
        try:
            _spares.remove(spare)
        except ValueError:
            continue  # another thread took it meanwhile
        if spare.reuse(folder, token):
            return spare
        spare.discard()
    return Journal(data_dir, token, size)


def left_behind(data_dir: Path) -> Iterator[tuple[str, list[Noted] | None]]:
    """Every journal whose writer is gone: the lease it is of, and what it says; None if it is not to be believed.

    It is locked while the caller looks, so that only one process settles it.
    """
    folder = data_dir / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in (".new", ".spare"):
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
    """What the journal of a lease says, whoever writes it; None if this machine has none that can be believed."""
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
    """Remove what a killed process left: a journal in the making, under which nothing was claimed, or a blank one."""
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime < UNFINISHED_SECONDS:
            return
        file = os.open(path, os.O_RDWR)
        try:
            if _lock(file):
                path.unlink(missing_ok=True)
        finally:
            os.close(file)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> list[Noted] | None:
    """What a journal says; None if it is older than the machine's last start, when anything may be missing from it."""
    data = os.pread(file, os.fstat(file).st_size, 0)
    if data[:_BOOT].rstrip(b"\0") != _boot():
        return None
    size = (len(data) - _BOOT) // (_MARK.size + _WORDS)
    noted = (_read_one(data, place, _BOOT + size * _MARK.size + place * _WORDS) for place in range(size))
    return [one for one in noted if one is not None]


def _read_one(data: bytes, place: int, words: int) -> Noted | None:
    row, has_own, is_begun, is_answered = _MARK.unpack_from(data, _BOOT + place * _MARK.size)
    if not is_begun:
        return None
    sent_from, envelope_domain = _WHO.unpack_from(data, words + _ANSWER.size) if has_own else (b"", b"")
    own = _uncut(sent_from) or None, _uncut(envelope_domain) or None
    if not is_answered:
        return Noted(row, *own, None, "", datetime.fromtimestamp(0, UTC))
    outcome, code, at, sha256, route, reply = _ANSWER.unpack_from(data, words)
    answer = Answer(_OUTCOMES[outcome], code, _uncut(reply), _uncut(route))
    return Noted(row, *own, answer, _uncut(sha256), datetime.fromtimestamp(at, UTC))


@lru_cache(maxsize=1)
def _boot() -> bytes:
    """What names the time since this machine started; a container has its host's."""
    try:
        return _BOOT_ID.read_bytes().strip()
    except OSError:  # not Linux
        return str(int(psutil.boot_time())).encode()


def _cut(text: str | None, size: int) -> bytes:
    return (text or "").encode()[:size]


def _uncut(field: bytes) -> str:
    return field.rstrip(b"\0").decode("utf-8", "replace")
