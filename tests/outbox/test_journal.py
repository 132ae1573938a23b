"""What a journal says after its writer is gone; the file outlives the process and nothing else has to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from mailer import ids
from mailer.outbox import journal
from mailer.outbox.journal import Journal, Noted
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

AT = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)
DIGEST = "ab" * 32
KEPT = Answer(Outcome.ACCEPTED, 250, "2.0.0 Ok: queued as é", "main")


@pytest.fixture(autouse=True)
def no_spares() -> Iterator[None]:
    """Each test begins without a file of an earlier one."""
    yield
    while journal._spares:
        journal._spares.pop().discard()


def said(folder: Path) -> dict[str, list[Noted] | None]:
    """What is said by the journals whose writers are gone."""
    return dict(journal.left_behind(folder))


def test_a_journal_says_what_was_begun_and_what_was_answered(tmp_path: Path) -> None:
    token = ids.new("lse")
    own = Journal(tmp_path, token, 4)
    own.begin(7)
    own.begin(8, "Us <us@company.example>", "bounces.example")
    own.begin(9)
    own.not_begun(9)
    own.answered(7, KEPT, DIGEST, AT)
    own.answered(10, KEPT, DIGEST, AT)  # never begun: its words are in the database or nowhere
    noted = [
        Noted(7, None, None, KEPT, DIGEST, AT),
        Noted(8, "Us <us@company.example>", "bounces.example", None, "", datetime.fromtimestamp(0, UTC)),
    ]
    assert journal.read(tmp_path, token) == noted
    assert said(tmp_path) == {}, "its writer lives"
    own.close(is_done=False)
    assert said(tmp_path) == {token: noted}
    journal.drop(tmp_path, token)
    assert said(tmp_path) == {}
    assert journal.read(tmp_path, token) is None


def test_a_journal_whose_every_word_is_written_down_is_gone(tmp_path: Path) -> None:
    own = Journal(tmp_path, ids.new("lse"), 1)
    own.begin(1)
    own.close(is_done=True)
    assert said(tmp_path) == {}


def test_a_folder_without_journals_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path) == {}
    (tmp_path / journal.FOLDER).mkdir()
    (tmp_path / journal.FOLDER / "readme.txt").write_text("not one of ours")
    assert said(tmp_path) == {}


def test_two_batches_have_two_journals(tmp_path: Path) -> None:
    journals = [Journal(tmp_path, ids.new("lse"), 1) for _ in range(2)]
    for number, one in enumerate(journals):
        one.begin(number)
        one.close(is_done=False)
    assert [len(noted or ()) for noted in said(tmp_path).values()] == [1, 1]


WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from mailer.outbox.journal import Journal
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome
own = Journal(Path(sys.argv[1]), sys.argv[2], 2)
own.begin(1)
own.answered(1, Answer(Outcome.DEFERRED, 451, "later", "main"), "", datetime.now(UTC))
own.begin(2)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_what_a_killed_process_wrote_stands_and_a_stopped_one_still_lives(
    tmp_path: Path, number: signal.Signals
) -> None:
    token = ids.new("lse")
    command = [sys.executable, "-c", WRITER, str(tmp_path), token]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        os.kill(writer.pid, number)
        if number is signal.SIGKILL:
            writer.wait(10)
        else:
            time.sleep(0.1)
        noted = journal.read(tmp_path, token)
        assert noted is not None
        assert [(one.row, one.answer and one.answer.code) for one in noted] == [(1, 451), (2, None)]
        assert said(tmp_path) == ({token: noted} if number is signal.SIGKILL else {})
        writer.kill()


def test_a_file_whose_every_word_is_written_down_serves_a_later_batch_and_says_nothing_of_the_first(
    tmp_path: Path,
) -> None:
    first, second = ids.new("lse"), ids.new("lse")
    own = journal.for_lease(tmp_path, first, 3)
    for row in (1, 2, 3):
        own.begin(row, "Us <us@company.example>", "bounces.example")
        own.answered(row, KEPT, DIGEST, AT)
    own.close(is_done=True)
    assert journal.read(tmp_path, first) is None
    assert said(tmp_path) == {}
    again = journal.for_lease(tmp_path, second, 3)
    assert again is own
    assert journal.read(tmp_path, second) == []
    again.begin(2)
    again.begin(4)
    again.answered(4, KEPT, DIGEST, AT)
    again.close(is_done=False)
    never = datetime.fromtimestamp(0, UTC)
    assert said(tmp_path) == {
        second: [Noted(2, None, None, None, "", never), Noted(4, None, None, KEPT, DIGEST, AT)],
    }


def test_only_a_file_of_this_size_in_this_folder_serves_again_and_few_are_kept(tmp_path: Path) -> None:
    made = [journal.for_lease(tmp_path, ids.new("lse"), 1) for _ in range(journal.SPARES + 2)]
    for own in made:
        own.close(is_done=True)
    assert len(list((tmp_path / journal.FOLDER).iterdir())) == journal.SPARES
    others = [journal.for_lease(tmp_path, ids.new("lse"), 2), journal.for_lease(tmp_path / "other", ids.new("lse"), 1)]
    assert not set(others) & set(made)
    for own in others:
        own.close(is_done=True)


def test_two_threads_never_get_the_same_file(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def take(_number: int) -> list[Journal]:
        together.wait()
        return [journal.for_lease(tmp_path, ids.new("lse"), 1)]

    with ThreadPoolExecutor(4) as threads:
        for _ in range(50):
            taken = [own for owns in threads.map(take, range(4)) for own in owns]
            assert len({own.path for own in taken}) == 4
            for own in taken:
                own.close(is_done=True)


def test_a_spare_that_another_thread_took_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(list[Journal]):
        def remove(self, _one: Journal) -> None:
            raise ValueError

    own = journal.for_lease(tmp_path, ids.new("lse"), 1)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(journal, "_spares", Late([own]))
        other = journal.for_lease(tmp_path, ids.new("lse"), 1)
    assert other is not own
    for one in (own, other):
        one.discard()


def test_a_spare_that_somebody_removed_is_replaced(tmp_path: Path) -> None:
    own = journal.for_lease(tmp_path, ids.new("lse"), 1)
    own.close(is_done=True)
    own.path.unlink()
    token = ids.new("lse")
    again = journal.for_lease(tmp_path, token, 1)
    again.begin(1)
    again.close(is_done=False)
    assert [one.row for one in said(tmp_path)[token] or ()] == [1]


def test_a_child_has_none_of_its_parents_files(tmp_path: Path) -> None:
    journal.for_lease(tmp_path, ids.new("lse"), 1).close(is_done=True)
    child = os.fork()
    if child == 0:
        os._exit(len(journal._spares))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(journal._spares) == 1


def test_a_journal_of_before_the_machine_started_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = ids.new("lse")
    own = Journal(tmp_path, token, 1)
    own.begin(1)
    own.close(is_done=False)
    monkeypatch.setattr(journal, "_boot", lambda: b"a later start")
    assert journal.read(tmp_path, token) is None
    assert said(tmp_path) == {token: None}


def test_a_journal_of_which_the_disk_got_nothing_is_not_believed(tmp_path: Path) -> None:
    token = ids.new("lse")
    Journal(tmp_path, token, 1).close(is_done=False)
    path = tmp_path / journal.FOLDER / token
    path.write_bytes(bytes(path.stat().st_size))
    assert said(tmp_path) == {token: None}


def test_where_the_kernel_names_no_start_the_instant_of_it_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(journal, "_BOOT_ID", tmp_path / "nowhere")
    assert int(journal._boot.__wrapped__()) == int(psutil.boot_time())


def test_what_a_killed_process_left_without_words_is_tidied_away_once_it_is_old(tmp_path: Path) -> None:
    spare = journal.for_lease(tmp_path, ids.new("lse"), 1)
    spare.close(is_done=True)
    young, old, blank = (tmp_path / journal.FOLDER / f"{ids.new('lse')}.{end}" for end in ("new", "new", "spare"))
    for path in (young, old, blank):
        path.touch()
    for path in (old, blank, spare.path):
        os.utime(path, (time.time() - 2 * journal.UNFINISHED_SECONDS,) * 2)
    assert said(tmp_path) == {}
    assert young.exists()
    assert not old.exists()
    assert not blank.exists()
    assert spare.path.exists(), "its process lives"
