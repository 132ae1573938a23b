"""STYLE “Tests”: each room's own table of cases passes every branch of its `rules.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

RULES = "mailer/**/rules.py"


def tables() -> dict[str, str]:
    """Every `rules.py` with the test file that must cover it."""
    found = sorted(ROOT.glob(RULES))
    rooms = {path: path.parent.relative_to(ROOT / "mailer").as_posix() for path in found}
    return {path.relative_to(ROOT).as_posix(): f"tests/{room}/test_rules.py" for path, room in rooms.items()}


def not_covered(tests: list[str], folder: Path) -> dict[str, list[object]]:
    """What these tests leave out of each `rules.py`: lines, and branches as from and to."""
    data, report = folder / "coverage", folder / "coverage.json"
    run = [sys.executable, "-m", "coverage", "run", "--branch", f"--data-file={data}", f"--include={RULES}"]
    for words in (
        [*run, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}", "-o", report],
    ):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    files = json.loads(report.read_text())["files"]
    return {name: [*file["missing_lines"], *file["missing_branches"]] for name, file in files.items()}


def test_every_rule_has_its_table_of_cases() -> None:
    assert [test for test in tables().values() if not (ROOT / test).is_file()] == []


def test_every_branch_of_every_rule_is_passed_by_its_table(tmp_path: Path) -> None:
    left_out = not_covered(list(tables().values()), tmp_path)
    assert set(left_out) == set(tables())
    assert {name: what for name, what in left_out.items() if what} == {}
