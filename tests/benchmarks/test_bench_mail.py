"""`make bench-mail` measures what is there, with and without a manifest, and ours beside the libraries."""

from pathlib import Path

import pytest

from tests.benchmarks.mail import __main__ as bench
from tests.benchmarks.mail import bounces, replies
from tests.benchmarks.mail.samples import samples_in
from tests.inbound.letters import corpus, letter

COLLECTIONS = ("mail-parser-reply", "github-email-reply-parser", "extended-email-reply-parser")


def test_a_folder_without_a_manifest_is_sorted_into_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.eml").write_bytes(letter("Ik zeg op"))
    (tmp_path / "b.eml").write_bytes(b"")
    assert bench.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"| {tmp_path.name} | mail | 2 | 2 | 0 | 0 | 0 | 0 |" in said
    assert "a second" in said


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([str(tmp_path)]) == 1
    assert "There is no mail in" in capsys.readouterr().err


def test_ours_meets_more_stated_texts_than_any_library() -> None:
    samples = [sample for name in COLLECTIONS for sample in samples_in(corpus(name))]
    scores = replies.measure(samples)
    ours = scores.pop("ours")
    assert ours.empty == 0
    assert all(ours.met > score.met and ours.exact > score.exact for score in scores.values()), scores


def test_every_stated_recipient_is_found_and_no_living_mailbox_called_dead() -> None:
    score = bounces.measure(samples_in(corpus("flufl-bounce")))["ours"]
    assert score.found == score.stated > 100
    assert score.wrong_hard <= 0.01 * score.hard
