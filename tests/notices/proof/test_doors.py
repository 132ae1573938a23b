"""The doors of the proof: the command, the button, and the public page, feed and data of the heads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as xml

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.cli import main
from mailer.ledger.models import LedgerEntry, LedgerHead
from mailer.notices.proof import verify
from mailer.staff.rules import Role
from rq_jobs import schedule
from tests import factories
from tests.notices.proof.conftest import Check, Story, publish

SignIn = Callable[..., FlaskClient]
ATOM = "{http://www.w3.org/2005/Atom}"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["evidence", *map(str, words)])


def test_the_command_writes_a_bundle_and_checks_it(story: Story, session: Session, tmp_path: Path) -> None:
    by_name, by_id, whole = (tmp_path / f"{name}.zip" for name in ("name", "id", "whole"))
    said = run("ref-anna", "privacy/2", "-o", by_name)
    assert said.exit_code == 0, said.output
    assert run(story.people["anna"], story.version, "-o", by_id).exit_code == 0
    assert by_name.read_bytes() == by_id.read_bytes()
    assert run("--version", "privacy/2", "-o", whole).exit_code == 0
    for path in (by_name, whole):
        checked = run("verify", path)
        assert (checked.exit_code, checked.output.split(":")[0]) == (0, "All holds")
    by_name.write_bytes(by_name.read_bytes().replace(b"Anna", b"Hans", 1))
    checked = run("verify", by_name)
    assert checked.exit_code == 1
    assert checked.output.startswith("This does not hold: ")
    kinds = session.scalars(select(LedgerEntry.kind).where(LedgerEntry.kind.startswith("evidence."))).all()
    assert sorted(kinds) == ["evidence.given", "evidence.given", "evidence.summed_up"]


@ONE_DATABASE
@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("ref-anna",), "Name a person and a version"),
        (("ref-anna", "privacy/2", "--version", "privacy/2"), "Name a person and a version"),
        (("ref-nobody", "privacy/2"), "nobody's id, reference or address"),
        (("ref-anna", "privacy"), "names no version"),
        (("ref-anna", "privacy/9"), "has no version 9"),
        (("ref-anna", "privacy/1"), "no notice of this version"),
        (("ref-anna", "cookies/1"), "no policy"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    story: Story, tmp_path: Path, words: tuple[str, ...], fault: str
) -> None:
    said = run(*words, "-o", tmp_path / "none.zip")
    assert said.exit_code == 1
    assert fault in said.output
    assert not (tmp_path / "none.zip").exists()


@ONE_DATABASE
def test_the_button_gives_the_bundle_and_says_who_asked(
    story: Story, session: Session, signed_in: SignIn, check: Check
) -> None:
    browser = signed_in(Role.AUDITOR)
    anna = story.people["anna"]
    address = f"/admin/evidence/{story.version}/people/{anna}"
    for page in (f"/admin/people/{anna}", f"/admin/notices/{story.version}/people/{anna}"):
        assert f'action="{address}"' in browser.get(page).text
    assert f'action="/admin/evidence/{story.version}"' in browser.get(f"/admin/notices/{story.version}").text
    answer = browser.post(address)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-privacy-2-{anna}.zip"'
    assert check(answer.data)[0] == 0
    whole = browser.post(f"/admin/evidence/{story.version}")
    assert check(whole.data)[0] == 0
    said = session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "evidence.given")).one()
    assert json.loads(said)["by"].startswith("stf_")
    assert json.loads(said)["sha256"] == verify.sha256(answer.data)
    assert browser.get(address).status_code == 405  # looking changes nothing (invariant 8)


@ONE_DATABASE
def test_a_stranger_gets_no_evidence(story: Story, client: FlaskClient) -> None:
    answer = client.post(f"/admin/evidence/{story.version}/people/{story.people['anna']}")
    assert answer.status_code in (302, 303)
    assert "/admin/sign-in" in answer.headers["Location"]


def test_the_heads_can_be_read_followed_and_kept(story: Story, client: FlaskClient, tmp_path: Path) -> None:
    publish(days=1)
    with db.reading() as session:
        newest, first = session.scalars(select(LedgerHead).order_by(LedgerHead.on_date.desc())).all()
    page = client.get("/ledger")
    assert page.status_code == 200
    assert page.text.index(newest.root) <= page.text.rindex(first.root)
    assert f"{first.seq}:{first.hash}" in page.text
    assert "<script" not in page.text
    feed = xml.fromstring(client.get("/ledger/feed.atom").data)
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}content") for entry in entries] == [
        f"head {head.seq}:{head.hash} root {head.root}" for head in (newest, first)
    ]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 2
    data = client.get("/ledger.json")
    assert (data.json["seq"], data.json["hash"], len(data.json["heads"])) == (newest.seq, newest.hash, 2)
    kept = tmp_path / "kept.json"
    kept.write_bytes(data.data)
    said = CliRunner().invoke(main, ["ledger", "verify", "--head", str(kept)])
    assert (said.exit_code, "passes the head" in said.output) == (0, True), said.output
    again = client.get("/ledger", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


@ONE_DATABASE
def test_before_anything_was_published_the_pages_say_so(client: FlaskClient) -> None:
    assert "Nothing was published yet" in client.get("/ledger?before=nonsense").text
    assert xml.fromstring(client.get("/ledger/feed.atom").data).findall(f"{ATOM}entry") == []
    assert client.get("/ledger.json").json["heads"] == []


@ONE_DATABASE
def test_older_heads_stand_on_further_pages(session: Session, client: FlaskClient) -> None:
    today = clock.now().date()
    for number in range(40):
        on = today - timedelta(days=number)
        session.add(LedgerHead(on_date=on, seq=100 - number, hash="a" * 64, root="b" * 64, at=clock.now()))
    session.commit()
    first = client.get("/ledger.json").json
    assert len(first["heads"]) == 31
    older = client.get(urlsplit(first["next"])._replace(scheme="", netloc="").geturl()).json
    assert [head["seq"] for head in older["heads"]] == list(range(69, 60, -1))
    assert older["next"] is None
    assert f"/ledger?before={first['heads'][-1]['on']}" in client.get("/ledger").text


@ONE_DATABASE
def test_the_day_publishes_the_head_once(story: Story, session: Session) -> None:
    with db.transaction() as writing:
        factories.contact(writing)
    tomorrow = clock.now() + timedelta(days=1)
    schedule.run(tomorrow)
    schedule.run(tomorrow)
    assert len(session.scalars(select(LedgerHead)).all()) == 2
