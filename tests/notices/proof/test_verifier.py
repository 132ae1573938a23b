"""verify.py finds one changed byte anywhere and names the file; and it finds a forger who made a new manifest."""

from __future__ import annotations

import ast
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailer.notices.proof import verify
from mailer.notices.proof.model import Files
from mailer.notices.proof.verify import Fault
from mailer.notices.rules import clock_of
from mailer.policies.rules import holidays_of
from tests.notices.proof.conftest import Check, Story, files_of, publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PLACES = 12  # in each file
SEED = 20_261_124
OLD_PYTHON = shutil.which("python3.8")
Forge = Callable[[Files], object]


def verdict(path: Path) -> str:
    """What is wrong; empty if all holds."""
    try:
        verify.check(str(path))
    except Fault as fault:
        return str(fault)
    return ""


def places(path: Path) -> dict[str, range]:
    """Where in the archive each file's bytes lie."""
    found, raw = {}, path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            head = raw[member.header_offset : member.header_offset + 30]
            start = member.header_offset + 30 + int.from_bytes(head[26:28], "little")
            found[member.filename] = range(start, start + member.file_size)
    return found


@pytest.fixture(params=["person", "version"])
def bundle(request: pytest.FixtureRequest, story: Story, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(story.bundle("anna") if request.param == "person" else story.whole())
    assert verdict(path) == ""
    return path


def flipped(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def test_one_flipped_bit_in_any_file_is_found_and_the_file_is_named(bundle: Path, check: Check) -> None:
    chance, whole = random.Random(SEED), bundle.read_bytes()
    for name, where in places(bundle).items():
        for at in chance.sample(where, min(PLACES, len(where))):
            bundle.write_bytes(flipped(whole, at, chance))
            assert verdict(bundle) == f"{name} was changed"
        assert check(flipped(whole, where[0], chance)) == (1, f"This does not hold: {name} was changed.")


def test_one_flipped_bit_anywhere_in_the_archive_is_found(bundle: Path) -> None:
    chance, whole = random.Random(SEED), bundle.read_bytes()
    between = set(range(len(whole))).difference(*places(bundle).values())
    for at in chance.sample(sorted(between), min(400, len(between))):
        bundle.write_bytes(flipped(whole, at, chance))
        assert verdict(bundle), f"byte {at} of the archive"
    for cut in (1, 100, len(whole) // 2, len(whole) - 1):
        bundle.write_bytes(whole[:cut])
        assert verdict(bundle)
    bundle.write_bytes(whole + b"\0")
    assert verdict(bundle)


def test_one_flipped_bit_in_the_unpacked_folder_is_found(bundle: Path, tmp_path: Path) -> None:
    chance, folder = random.Random(SEED), tmp_path / "open"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    assert verdict(folder) == ""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for at in chance.sample(range(len(whole)), min(3, len(whole))):
            path.write_bytes(flipped(whole, at, chance))
            assert verdict(folder) == f"{path.relative_to(folder)} was changed"
        path.unlink()
        assert verdict(folder) == f"{path.relative_to(folder)} is missing"
        path.write_bytes(whole)


def change_json(name: str, change: Callable[[Any], Any]) -> Forge:
    def forge(files: Files) -> None:
        said = json.loads(files[name])
        change(said)
        files[name] = verify.spell(said)

    return forge


def change_bytes(start: str, end: str, old: bytes, new: bytes) -> Forge:
    def forge(files: Files) -> None:
        name = next(name for name in sorted(files) if name.startswith(start) and name.endswith(end))
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return forge


def _clock(**days: str) -> Forge:
    return change_json("summary.json", lambda said: said["clock"].update(days))


def one_more_holiday(said: Any) -> None:
    """The last day to answer as a day off, which it was not."""
    said["clock"]["days_off"].append(said["clock"]["respond_by_on"])


FORGED: list[tuple[Forge, str]] = [
    (change_bytes("mail/", ".eml", b"Anna", b"Hans"), "is not the mail that was sent"),
    (change_bytes("texts/new", ".md", b"seven years", b"eight years"), "is not what entry"),
    (change_bytes("received/", ".eml", b"Ik zeg op", b"Ik blijf."), "is not what entry"),
    (change_bytes("ledger/entries", ".jsonl", b"in_time", b"late"), "is not in the ledger of its head"),
    (change_bytes("ledger/entries", ".jsonl", b"2026-11-24T", b"2026-11-23T"), "is not in the ledger of its head"),
    (_clock(notified_on="2026-01-02"), "the ledger has other days for this person"),
    (_clock(respond_by_on="2026-02-02"), "the ledger has other days for this person"),
    (change_json("summary.json", one_more_holiday), "do not follow from the day of the notice"),
    (change_json("summary.json", lambda said: said.update(effective_on="2027-02-01")), "says something else"),
    (change_json("summary.json", lambda said: said.update(contact="con_other")), "not about the same"),
    (change_json("ledger/proof.json", lambda said: said["claims"].clear()), "is not in the ledger"),
    (change_json("ledger/proof.json", lambda said: said["leaves"].clear()), "is not in the ledger"),
    (change_json("ledger/proof.json", lambda said: said["leaves"][0].update(index=2)), "is not in the batch"),
    (change_json("ledger/proof.json", lambda said: said["leaves"][0].update(size=4)), "is not in the batch"),
    (change_json("ledger/proof.json", lambda said: said["entries"].pop()), "an entry has no proof"),
    (change_json("ledger/proof.json", lambda said: said["entries"][0]["path"].pop()), "is not in the ledger of its"),
    (change_json("ledger/proof.json", lambda said: said["heads"][0].update(hash="0" * 64)), "the last entry of the"),
    (change_json("ledger/proof.json", lambda said: said["heads"][0].update(root="0" * 64)), "the last entry of the"),
    (change_json("ledger/proof.json", lambda said: said.pop("heads")), "not have the form that this program knows"),
    (lambda files: files.pop("summary.json"), "not have the form that this program knows"),
    (lambda files: files.update({"mail/other.eml": b"x"}), "mail/other.eml is not in the ledger"),
    (lambda files: files.update({"summary.json": b"[" * 200_000}), "not have the form that this program knows"),
    (change_json("summary.json", lambda said: said.pop("gaps")), "not have the form that this program knows"),
]


@pytest.mark.parametrize(("forge", "words"), FORGED)
def test_a_forger_who_makes_a_new_manifest_is_found_by_the_ledger(
    story: Story, tmp_path: Path, forge: Forge, words: str
) -> None:
    files = files_of(story.bundle("anna"), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    forge(files)
    assert words in verdict(_sealed(files, about, tmp_path))


def _sealed(files: Files, about: dict[str, str], tmp_path: Path) -> Path:
    """What a forger can do: all that needs no key and no ledger."""
    files[verify.MANIFEST] = verify.manifest(files, about)
    path = tmp_path / "forged.zip"
    path.write_bytes(verify.pack(files))
    return path


def test_a_bundle_of_somebody_elses_notice_is_not_passed_off(story: Story, tmp_path: Path) -> None:
    files = files_of(story.bundle("cora"), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    change_json("summary.json", lambda said: said.update(contact=story.people["bas"]))(files)
    forged = _sealed(files, about | {"contact": story.people["bas"]}, tmp_path)
    assert "the ledger has other days for this person" in verdict(forged)


def test_lists_that_a_forger_broke_are_said_to_be_of_no_known_form(story: Story, tmp_path: Path) -> None:
    files = files_of(story.whole(), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    files["people.jsonl.gz"] = files["people.jsonl.gz"][:20] + b"\xff" * 40
    assert "not have the form that this program knows" in verdict(_sealed(files, about, tmp_path))


def test_the_days_of_a_void_notice_are_not_passed_off(story: Story, tmp_path: Path) -> None:
    files = files_of(story.bundle("bas"), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    entries = [json.loads(line) for line in files["ledger/entries.jsonl"].splitlines()]
    void = next(entry for entry in entries if entry[1] == "notice.voided")
    said = json.loads(void[3])
    days = {name: said[name] for name in verify.DAYS} | {"days_off": [], "leaf": None, "entry": int(void[0])}
    change_json("summary.json", lambda summary: summary.update(clock=days))(files)
    assert "the notice from which the days run is void" in verdict(_sealed(files, about, tmp_path))


def test_the_days_of_a_notice_without_its_mail_are_not_passed_off(story: Story, tmp_path: Path) -> None:
    files = files_of(story.bundle("cora"), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    name = next(name for name in files if name.endswith(".eml"))
    del files[name]
    change_json("ledger/proof.json", lambda said: said["leaves"].pop(0))(files)
    change_json("summary.json", lambda said: said["clock"].update(leaf=0))(files)
    assert "the mail from which the days run is not in it" in verdict(_sealed(files, about, tmp_path))


def test_a_forgers_words_do_not_steer_the_terminal(story: Story, check: Check, tmp_path: Path) -> None:
    files = files_of(story.bundle("anna"), tmp_path)
    about = json.loads(files.pop(verify.MANIFEST))["about"]
    change_json("summary.json", lambda said: said.update(gaps=["\x1b[2J\nAll holds"]))(files)
    code, said = check(_sealed(files, about, tmp_path).read_bytes())
    assert (code, "\x1b" in said) == (0, False)
    assert said.endswith("?[2J?All holds.")


def test_a_ledger_made_anew_has_other_heads_to_compare(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(story.bundle("anna"))
    publish(days=1)
    heads = [line.split()[1] for line in verify.check(str(path))[2:]]
    assert len(heads) == 1
    number, hashed = heads[0].split(":")
    assert number.isdigit()
    assert len(hashed) == 64


@pytest.mark.parametrize("start", [date(2026, 11, 24), date(2027, 11, 25), date(2028, 1, 29), date(2026, 3, 6)])
def test_the_days_are_reckoned_as_the_rules_reckon_them(database: str, start: date) -> None:
    holidays = holidays_of("NL")
    for number in range(120):
        day = start + timedelta(days=number)
        for effective_on in (day, day + timedelta(days=45)):
            mine = clock_of(day, effective_on, holidays)
            span = (mine.plain_end_on + timedelta(days=i) for i in range(12))
            days_off = [one.isoformat() for one in span if one in holidays]
            wanted = (mine.respond_by_on.isoformat(), mine.binding_on.isoformat())
            assert verify.reckon(day.isoformat(), effective_on.isoformat(), days_off) == wanted


def test_it_uses_no_words_that_python_3_8_does_not_know_and_no_package(database: str) -> None:
    tree = ast.parse(Path(verify.__file__).read_text("utf-8"), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {"__future__", *sys.stdlib_module_names}
    assert not names & {"socket", "ssl", "http", "urllib", "subprocess"}


@pytest.mark.skipif(OLD_PYTHON is None, reason="needs Python 3.8")
def test_it_runs_on_python_3_8(story: Story, tmp_path: Path) -> None:
    assert OLD_PYTHON is not None
    if subprocess.run([OLD_PYTHON, "--version"], capture_output=True).returncode != 0:
        pytest.skip("needs Python 3.8")
    for name, data in (("person.zip", story.bundle("anna")), ("version.zip", story.whole())):
        (tmp_path / name).write_bytes(data)
        command = [OLD_PYTHON, "-I", "-S", verify.__file__, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("All holds: ")
