"""6. Disk full, database locked, clock set back: said in one sentence, nothing half done, and it goes on by itself."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from mailer import clock, settings
from mailer.admin.faults import SENTENCES
from mailer.consent.rules import Channel
from mailer.db import SQLITE_BUSY_MILLISECONDS
from mailer.outbox.rules import MailKind
from tests.chaos import proof, writing
from tests.chaos.house import CONNECTIONS, House, Scene, house, wait_until
from tests.chaos.proof import Told
from tests.chaos.sink import Record
from tests.chaos.without_redis import Caller, service_of

DISK = 64  # MB
FULL_WORDS = "disk is full"
LOCKED_WORDS = "database is locked"
SET_BACK_WORDS = "The clock was set back"
RESUMES = 90.0
BUSY = SQLITE_BUSY_MILLISECONDS / 1000  # seconds that a writer waits for another
MAIL = MailKind.ANNOUNCEMENT, MailKind.CAMPAIGN


@dataclass(frozen=True)
class Plan:
    """So many mails of each channel; how long the disk is full and how long the database is locked, in seconds."""

    mails: int
    full: float
    locked: float
    delay: float = 0.05


SHORT = Plan(mails=200, full=3, locked=3, delay=0.03)
FULL = Plan(mails=2_000, full=30, locked=BUSY + 10)


def may_mount() -> bool:
    """Whether this machine lets us have a disk of our own to fill: root does, most containers do not."""
    with tempfile.TemporaryDirectory(prefix="mailer-disk-") as folder:
        if os.geteuid() or not shutil.which("mount") or _mount(Path(folder), 1):
            return False
        _unmount(Path(folder))
    return True


def disk_full(plan: Plan) -> Told:
    """Fill the disk of the data folder in mid-run: SQLite, the journals and the embedded Redis stand on it."""
    told = Told(f"disk full for {plan.full:g} s")
    with small_disk() as disk, house(delay=plan.delay, data_dir=disk / "var") as here:
        author, service = writing.add_people(plan.mails), service_of(here)
        with here.up():
            _send_half(Scene(here, author, plan.mails))
            with _filled(disk):
                answers = _ask(service, plan.full)
                said = here.said()
            _resumed(told, service)
        told.claim("times that the log says the disk is full", said.count(FULL_WORDS), most=10_000, least=1)
        told.claim("refused webhooks without one plain sentence", _without_sentence(answers))
        fallen = sum(here.said().count(f"{word} ended (") for word in ("worker essential", "worker marketing"))
        told.figures["workers_that_fell"] = fallen
        told.figures["fell_by_sigbus"] = here.said().count("ended (SIGBUS)")
        _nothing_half_done(told, here, doubts=CONNECTIONS * fallen)
    return told


def database_locked(plan: Plan) -> Told:
    """Another writer keeps SQLite's database: for a moment everybody waits at its door, for longer they say so."""
    with house(delay=plan.delay) as here:
        author = writing.add_people(plan.mails)
        with here.up():
            return lock(Scene(here, author, plan.mails), plan)


def lock(scene: Scene, plan: Plan) -> Told:
    """The same in a house that stands."""
    told = Told(f"database locked for {plan.locked:g} s")
    here, since, service = scene.house, proof.newest(), service_of(scene.house)
    here.sink.delay(plan.delay)
    _send_half(scene)
    with _locked(plan.locked):
        answers = _ask(service, plan.locked)
    _resumed(told, service)
    times, refused = here.said().count(LOCKED_WORDS), sum(code != 202 for code, _ in answers)
    if plan.locked < BUSY:
        told.claim("times that the log says the database is locked", times)
        told.claim("webhooks refused meanwhile", refused)
    else:
        told.claim("times that the log says the database is locked", times, most=10_000, least=1)
        told.claim("refused webhooks without one plain sentence", _without_sentence(answers))
        told.figures["webhooks_refused"] = refused
    _nothing_half_done(told, here, since)
    return told


def clock_back(plan: Plan) -> Told:
    """The clock is set back an hour in mid-run, and put right when all is out."""
    with house(delay=plan.delay) as here:
        author = writing.add_people(plan.mails)
        with here.up():
            return set_back(Scene(here, author, plan.mails), plan)


def set_back(scene: Scene, plan: Plan) -> Told:
    """The same in a house that stands."""
    told = Told("clock set back an hour")
    here, since, service = scene.house, proof.newest(), service_of(scene.house)
    here.sink.delay(plan.delay)
    _send_half(scene)
    clock.move_to(clock.now() - timedelta(hours=1))
    with writing.Letters(5, pause=0.2).on_their_way():
        pass
    _resumed(told, service)
    is_said = wait_until(lambda: SET_BACK_WORDS in here.said(), RESUMES) is not None
    told.claim("sweeps until the log says that the clock was set back", int(not is_said))
    clock.move_to(clock.now() + timedelta(hours=1))
    told.claim("mails left when the clock was put right", int(wait_until(_is_over, RESUMES) is None))
    _nothing_half_done(told, here, since)
    return told


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of `DISK` megabytes of memory."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-disk-"))
    fault = _mount(folder, DISK)
    assert not fault, fault
    try:
        yield folder
    finally:
        _unmount(folder)
        folder.rmdir()


def _mount(folder: Path, size: int) -> str:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "mailer-chaos", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def _unmount(folder: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """No byte is left on it during the block."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def _locked(seconds: float) -> Iterator[None]:
    """Another writer for so long, beside what the block does."""
    path = make_url(settings.current().database).database or ""
    begun = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            begun.set()
            time.sleep(seconds)
            writer.execute("ROLLBACK")

    thread = threading.Thread(target=write, name="another writer")
    thread.start()
    assert begun.wait(30)
    yield
    thread.join()


def _send_half(scene: Scene) -> None:
    """Both mailings on their way, a quarter of them out."""
    wanted = scene.taken() + scene.people // 2
    for kind in MAIL:
        writing.send(scene.author, kind)
    assert wait_until(lambda: scene.taken() >= wanted, RESUMES)


def _is_over() -> bool:
    left = proof.rest()
    return left.open + left.later == 0


def _ask(service: Caller, seconds: float) -> list[tuple[int, str]]:
    """Call the door for so long, twice at least; each answer."""
    answers: list[tuple[int, str]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(answers) < 2:
        words = service.call()
        answers.append((service.codes[-1], words))
        time.sleep(0.5)
    return answers


def _without_sentence(answers: list[tuple[int, str]]) -> int:
    return sum(code != 202 and SENTENCES[503] not in words for code, words in answers)


def _resumed(told: Told, service: Caller) -> None:
    """All goes out, and the door takes events again."""
    seconds = wait_until(lambda: proof.rest().open == 0, 2 * RESUMES)
    told.claim("seconds until all is out again", seconds or 2 * RESUMES, most=RESUMES)
    service.call()
    told.claim("webhooks refused afterwards", int(service.codes[-1] != 202))


def _nothing_half_done(told: Told, here: House, since: int = 0, doubts: int = 0) -> None:
    found = proof.gather(Record.load(here.sink.record), since)
    proof.nothing_lost(told, found, dict.fromkeys(Channel, doubts))
    proof.books_agree(told)
