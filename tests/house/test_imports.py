"""DESIGN §3: imports run downwards only, and no room is forgotten in the order of rooms."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT, imports, modules

CONTRACTS = ROOT / ".importlinter"


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with these contracts."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename=sys.argv[1]))"
    return subprocess.run([sys.executable, "-c", code, config], cwd=ROOT, capture_output=True, text=True, check=False)


def test_imports_run_downwards_only() -> None:
    outcome = lint(CONTRACTS)
    assert outcome.returncode == 0, outcome.stdout


def test_an_order_of_rooms_turned_round_is_seen(tmp_path: Path) -> None:
    turned = tmp_path / "contracts"
    turned.write_text(
        CONTRACTS.read_text()
        .replace("    mailer.errors\n", "")
        .replace("layers =\n", "layers =\n    mailer.errors\n    mailer.contacts\n", 1)
        .replace("    mailer.contacts\n    mailer.staff", "    mailer.staff")
    )
    assert lint(turned).returncode == 1


def test_every_part_has_its_place_in_the_order() -> None:
    ordered = set(re.findall(r"mailer\.(\w+)", CONTRACTS.read_text()))
    parts = {
        path.stem for path in (ROOT / "mailer").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - {"__init__"} - ordered == set()


def test_jobs_are_named_by_text_and_never_imported() -> None:
    importers = {
        m.path for m in modules() if m.path.startswith("mailer/") and any(n.startswith("rq_jobs") for n in imports(m))
    }
    assert importers == set()
