"""What a journal says after its writer is gone; the file outlives the process and nothing else has to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer import ids
from mailer.outbox import journal
from mailer.outbox.journal import Journal, Noted
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

AT = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)
DIGEST = "ab" * 32
KEPT = Answer(Outcome.ACCEPTED, 250, "2.0.0 Ok: queued as é", "main")


def said(folder: Path) -> dict[str, list[Noted]]:
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
    assert [len(noted) for noted in said(tmp_path).values()] == [1, 1]


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


def test_what_was_left_unfinished_is_tidied_away_once_it_is_old(tmp_path: Path) -> None:
    Journal(tmp_path, ids.new("lse"), 1).close(is_done=True)
    young, old = (tmp_path / journal.FOLDER / f"{ids.new('lse')}.new" for _ in range(2))
    young.touch()
    old.touch()
    os.utime(old, (time.time() - 2 * journal.UNFINISHED_SECONDS,) * 2)
    assert said(tmp_path) == {}
    assert young.exists()
    assert not old.exists()
