"""`mailer policy …` brings texts in, lists and compares them; a mistake is one sentence."""

from __future__ import annotations

import json
import re
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
    mail = run("diff-files", old, new, "--format", "mail")
    assert "What we keep\n  Until now:\n  We keep your name and your address for two years." in mail
    assert "  From now on:\n  We keep your name and your address for seven years." in mail


def test_a_comparison_is_a_page_of_its_own_that_fetches_and_runs_nothing(files: tuple[str, str]) -> None:
    page = run("diff-files", *files, "--format", "html")
    assert page.startswith("<!doctype html>")
    assert "<title>From old.md to new.md</title>" in page
    assert re.search(r"<ins>.*seven.*</ins>", page)
    assert not re.findall(r"(?:src|href)=[\"'](?!#)|<script|url\(", page.replace('url("data:', ""))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("new.html", b"<html><body><h1>Privacy statement</h1><h2>What we keep</h2><p>We keep your name and your "
                     b"address for <b>seven</b> years.</p></body></html>"),
        ("new.txt", b"Privacy statement\n\nWhat we keep\n\nWe keep your name and your address for seven years.\n"),
        ("new.markdown", NEW_TEXT.encode()),
    ],
)  # fmt: skip
def test_files_of_other_kinds_are_compared_by_what_they_say(
    tmp_path: Path, files: tuple[str, str], name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    words = json.loads(run("diff-files", files[0], str(tmp_path / name), "--format", "json"))["words"]
    assert (words["removed"], words["added"]) == (1, 1)


@pytest.mark.parametrize("form", ["text", "json", "html", "mail"])
def test_an_empty_file_is_a_text_without_words(tmp_path: Path, files: tuple[str, str], form: str) -> None:
    empty = tmp_path / "empty.md"
    empty.write_bytes(b"\n")
    assert "seven" in run("diff-files", str(empty), files[1], "--format", form)
    assert "seven" in run("diff-files", files[1], str(empty), "--format", form)
    assert "seven" not in run("diff-files", str(empty), str(empty), "--format", form)


@pytest.mark.parametrize(("data", "words"), [(b"", "no words"), (b"caf\xe9 \xff", "not UTF-8")])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "bad.md"
    file.write_bytes(data)
    with pytest.raises(MailerError, match=words):
        run("import", str(file), "--slug", "privacy")
