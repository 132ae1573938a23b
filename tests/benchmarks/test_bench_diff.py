"""`make bench-diff DIR=…` on a folder of versions that nobody here has seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailer.demo.company import text_of
from tests.benchmarks.bench_diff import main, pairs_in


def test_any_folder_of_versions_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 3):
        (tmp_path / "en" / f"{number}.md").parent.mkdir(exist_ok=True)
        (tmp_path / "en" / f"{number}.md").write_text(text_of(number), "utf-8")
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "1.html").write_text("<h1>Rules</h1><p>We keep it for 30 days.</p>")
    (tmp_path / "html" / "2.html").write_text("<h1>Rules</h1><p>We keep it for 60 days.</p>")
    assert len(pairs_in(tmp_path)) == 3
    assert main([str(tmp_path), "--json", str(tmp_path / "rows.json")]) == 0
    said = capsys.readouterr().out
    assert "3 pairs, 3 with all engines" in said
    assert all(engine in said for engine in ("ours", "difflib", "redlines", "diff-match-patch"))
    assert "exact 3 of 3, cuts 0" in said
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["shown"] for row in rows if row["pair"] == "html/1..2" and row["engine"] == "ours"} == {2}


def test_a_folder_without_versions_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "no two versions" in capsys.readouterr().err
