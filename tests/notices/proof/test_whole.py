"""The evidence of a whole version: everybody by id, lists and counts that agree, and every batch of the ledger."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import db
from mailer.ledger import merkle
from mailer.ledger.models import LedgerEntry
from mailer.notices.proof import verify
from mailer.notices.proof.model import NothingToProve
from mailer.policies.models import Version
from tests.notices.proof.conftest import PEOPLE, Check, Story, files_of
from tests.notices.proof.test_verifier import verdict

ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def lines(packed: bytes) -> list[str]:
    return gzip.decompress(packed).decode().splitlines()


def test_everybody_stands_in_it_by_id_with_counts_lists_and_a_root(story: Story, check: Check, tmp_path: Path) -> None:
    data = story.whole()
    code, said = check(data)
    assert code == 0, said
    files = files_of(data, tmp_path)
    summary = json.loads(files["summary.json"])
    assert summary["counts"] == {"told_by_mail": 2, "terminated": 1, "unreached": 1, "unreached_bounced": 1}
    assert files["lists/terminated.txt"].decode().split() == [story.people["anna"]]
    assert files["lists/unreached_bounced.txt"].decode().split() == [story.people["bas"]]
    people = lines(files["people.jsonl.gz"])
    assert [json.loads(line)["contact"] for line in people] == sorted(story.people.values())
    assert summary["root"] == merkle.merkle_root(verify.sha256(line.encode()) for line in people)
    assert len(lines(files["told.jsonl.gz"])) == len(PEOPLE)
    assert f"lists are those of 3 people under the Merkle root {summary['root']}" in said
    whole = b"".join(gzip.decompress(body) if name.endswith(".gz") else body for name, body in files.items())
    assert not any(name.split()[0].encode() in whole for name in PEOPLE.values())


@ONE_DATABASE
def test_the_root_is_recorded_and_the_same_records_give_the_same_bytes(story: Story, session: Session) -> None:
    first = story.whole()
    assert story.whole() == first
    entries = session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "evidence.summed_up")).all()
    assert [json.loads(said)["sha256"] for said in entries] == [verify.sha256(first)] * 2
    assert json.loads(entries[0])["people"] == 3


@ONE_DATABASE
@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("people.jsonl.gz", '"terminated"', '"deemed_to_agree"', "the counts are not those of people.jsonl.gz"),
        ("people.jsonl.gz", '"respond_by_on":"20', '"respond_by_on":"19', "the ledger has other days for con_"),
        ("people.jsonl.gz", '"unreached"', '"unreachable"', "the counts are not those of people.jsonl.gz"),
        ("told.jsonl.gz", '"20', '"19', "the batch of entry"),
        ("lists/terminated.txt", "con_", "con-", "is not the list that people.jsonl.gz gives"),
        ("summary.json", '"terminated": 1', '"terminated": 0', "the counts are not those of people.jsonl.gz"),
        ("summary.json", '"root": "', '"root": "0', "the Merkle root is not that of people.jsonl.gz"),
    ],
)
def test_a_forger_with_a_new_manifest_is_found(
    story: Story, tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    files = files_of(story.whole(), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    is_packed = name.endswith(".gz")
    text = (gzip.decompress(files[name]) if is_packed else files[name]).decode()
    assert old in text
    forged = text.replace(old, new).encode()
    files[name] = gzip.compress(forged, mtime=0) if is_packed else forged
    files[verify.MANIFEST] = verify.manifest(files, about)
    path = tmp_path / "forged.zip"
    path.write_bytes(verify.pack(files))
    assert words in verdict(path)


@ONE_DATABASE
def test_a_version_of_which_nobody_has_a_notice_has_no_evidence(story: Story) -> None:
    with db.reading() as session:
        first = session.scalars(select(Version.id).where(Version.number == 1)).one()
    with pytest.raises(NothingToProve):
        Story(first, {}).whole()
