"""`mailer mail …`: the pipe door keeps a mail or says “try again”, and files are judged without a database."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from mailer import settings
from mailer.cli import main
from mailer.inbound import listener
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from tests.conftest import Configure
from tests.inbound.world import letter

RAW = letter("Ik zeg op")


def _ingest(*arguments: str, raw: bytes = RAW) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["mail", "ingest", *arguments], input=raw)
    return result.exit_code, result.output.strip()


def test_a_piped_mail_is_kept_once(session: Session) -> None:
    code, first = _ingest("--recipient", "reply+x@reply.leadmark.example", "--sender", "<>")
    assert code == 0
    assert _ingest("--recipient", "reply+x@reply.leadmark.example") == (0, first)
    row = session.scalars(select(InboundMail).options(undefer(InboundMail.raw))).one()
    assert (row.id, row.raw, row.door, row.state) == (first, RAW, "pipe", DeskState.KEPT)
    assert (row.recipient, row.sender) == ("reply+x@reply.leadmark.example", "<>")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_public_mailbox_is_the_recipient_that_nobody_named(session: Session) -> None:
    _ingest()
    assert session.scalars(select(InboundMail.recipient)).one() == "privacy@leadmark.example"


def test_a_mail_that_cannot_be_kept_stays_with_its_sender(configure: Configure) -> None:
    configure(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2")
    code, said = _ingest()
    assert code == os.EX_TEMPFAIL
    assert "again later" in said


def test_wrong_settings_do_not_lose_a_mail(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    monkeypatch.setenv("MAILER_TIME_ZONE", "Mars/Olympus")
    settings.current.cache_clear()
    assert _ingest()[0] == os.EX_TEMPFAIL


@pytest.mark.parametrize("raw", [b"", b"a" * (listener.MAX_BYTES + 1)], ids=["nothing", "too large"])
def test_nothing_and_too_much_are_refused_in_one_sentence(raw: bytes) -> None:
    code, said = _ingest(raw=raw)
    assert code == 1
    assert said.startswith("message: ")
    assert len(said.splitlines()) == 1


def test_files_are_judged_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(RAW)
    missing = str(tmp_path / "missing.eml")
    result = CliRunner().invoke(main, ["mail", "classify", str(tmp_path / "one.eml"), missing, "--json"])
    first, second = (json.loads(line) for line in result.output.splitlines())
    assert first["class"] == "termination"
    assert (second["class"], second["file"]) == ("unreadable", missing)
    assert "cannot be opened" in second["error"]
    assert CliRunner().invoke(main, ["mail", "classify", str(tmp_path)]).output.count("unreadable") == 1
    plain = CliRunner().invoke(main, ["mail", "classify", str(tmp_path / "one.eml")])
    assert "termination (95%)" in plain.output


def test_nonsense_is_judged_and_no_more_of_it_is_read_than_a_mail_may_have(tmp_path: Path) -> None:
    odd = {"empty": b"", "bytes": bytes(range(256)) * 4, "nul": b"\0" * 5000, "b\udcff": RAW}
    for name, raw in odd.items():
        (tmp_path / name).write_bytes(raw)
    with (tmp_path / "large").open("wb") as large:
        large.truncate(20 * 1024**3)  # of holes
    files = [str(tmp_path / name) for name in (*odd, "large")] + [str(tmp_path), "/dev/zero"]
    for options in (["--json"], []):
        result = CliRunner().invoke(main, ["mail", "classify", *files, *options])
        assert (result.exit_code, len(result.output.splitlines())) == (0, len(files))
