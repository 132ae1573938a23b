"""The wheel carries all it needs: it serves outside the checkout, under any WSGI server."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVE = """
from werkzeug.test import Client
from wsgi import app
client = Client(app)
for path in ("/policies", "/admin/sign-in", "/static/tokens.css", "/healthz"):
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
print(__import__("mailer").__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the checkout, unpacked where nothing else of the project lies."""
    built = tmp_path_factory.mktemp("built")
    build = (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(built),
        str(ROOT),
    )
    subprocess.run(build, check=True, timeout=120)
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        archive.extractall(target)
    return target


def run(wheel: Path, folder: Path, *arguments: str) -> str:
    """Run Python outside the checkout, with the wheel's files before the editable ones."""
    environment = os.environ | {"PYTHONPATH": str(wheel), "MAILER_DATA_DIR": str(folder / "var")}
    done = subprocess.run(
        (sys.executable, *arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_migrates_and_serves_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    assert "The database is at" in run(wheel, tmp_path, "-m", "mailer.cli", "migrate")
    assert str(wheel) in run(wheel, tmp_path, "-c", SERVE)


def test_the_wheel_holds_every_template_static_file_and_migration(wheel: Path) -> None:
    for folder, inside in (
        ("templates", "mailer/templates"),
        ("mailer/static", "mailer/static"),
        ("mailer/migrations", "mailer/migrations"),
    ):
        wanted = {
            path.relative_to(ROOT / folder)
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        held = {path.relative_to(wheel / inside) for path in (wheel / inside).rglob("*") if path.is_file()}
        assert wanted <= held, wanted - held


def test_the_wheel_holds_the_sample_company(wheel: Path) -> None:
    assert (wheel / "mailer/demo/people.csv").is_file()
    assert (wheel / "mailer/demo/texts/privacy-statement-1.md").is_file()
