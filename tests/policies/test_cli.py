"""`mailer policy …` brings texts in, lists and compares them; a mistake is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.errors import MailerError
from mailer.policies.cli import policy
from mailer.policies.models import Draft
from tests import factories

NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    old, new = tmp_path / "old.md", tmp_path / "new.md"
    old.write_text(factories.POLICY_TEXT)
    new.write_text(NEW_TEXT)
    return str(old), str(new)


def run(*words: str) -> str:
    return CliRunner().invoke(policy, words, catch_exceptions=False).output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_first_file_is_in_force_and_the_next_a_draft(session: Session, files: tuple[str, str]) -> None:
    old, new = files
    who = factories.staff(session, email="anna@company.example")
    session.commit()
    said = run("import", old, "--slug", "privacy", "--effective-on", "2026-01-01")
    assert "Version 1 of “Privacy statement” is in force since 2026-01-01; nothing was mailed." in said
    assert "privacy" in run("list")
    with pytest.raises(MailerError, match="--author"):
        run("import", new, "--slug", "privacy")
    assert "Draft drf_" in run("import", new, "--slug", "privacy", "--author", who.email)
    assert session.scalars(select(Draft)).one().author_id == who.id
    with pytest.raises(MailerError, match="no version 2"):
        run("diff", "privacy", "1", "2")


def test_two_files_are_compared_without_a_database(files: tuple[str, str]) -> None:
    old, new = files
    assert "1 word removed, 1 added" in run("diff-files", old, new)
    data = json.loads(run("diff-files", old, new, "--format", "json"))
    assert data["exact"] is True
    assert "<ins>" in run("diff-files", old, new, "--format", "html")
    assert "seven years" in run("diff-files", old, new, "--format", "mail")


@pytest.mark.parametrize(("data", "words"), [(b"", "no words"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "bad.md"
    file.write_bytes(data)
    with pytest.raises(MailerError, match=words):
        run("import", str(file), "--slug", "privacy")
