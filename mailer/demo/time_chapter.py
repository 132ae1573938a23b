"""Steps 11 and 12: the day comes, and the proof holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from mailer.demo import company
from mailer.demo.people_chapter import hears
from mailer.demo.stage import Stage
from mailer.demo.world import eventually
from mailer.services.rules import EventOut

USERS = ("trac-1005", "trac-1006", "trac-1007")


def effective(stage: Stage) -> None:
    """Version 2 takes effect; who was noticed, did not terminate and used the service since is deemed to agree."""
    day = date.fromisoformat(stage.remembered["effective_on"]) + timedelta(days=4)
    stage.world.run("schedule", "--once", "--at", _noon(day).isoformat())
    hears(stage, EventOut.POLICY_EFFECTIVE)
    stage.insist(
        not stage.trac.heard_of("agreement.deemed"), "nobody used the service yet, so nobody is deemed to agree"
    )
    people = (*USERS, stage.remembered["unreached"], stage.remembered["terminated"], stage.remembered["asked"])
    for reference in people:
        used = {"reference": reference, "used_at": _noon(day).isoformat()}
        taken = stage.trac.call("contact.active", used)
        stage.insist(taken.status_code == 202, f"the use of {reference} is taken: {taken.text}")
    stage.world.run("schedule", "--once", "--at", _noon(day + timedelta(days=1)).isoformat())
    agreed = eventually(lambda: _standing_agreed(stage, USERS), "three people are deemed to agree")
    for role in ("unreached", "terminated", "asked"):
        reference = stage.remembered[role]
        stage.insist(not _agreed(stage, reference), f"{reference}, who {role}, is not deemed to agree")
    hears(stage, EventOut.AGREEMENT_DEEMED, count=len(USERS))
    stage.insist(len(stage.trac.heard_of("agreement.deemed")) == len(USERS), "nobody else is deemed to agree")
    stage.tell(f"On {day} version 2 was in force. {agreed} people used TRAC since and are deemed to agree;")
    stage.tell("the unreached, the terminated and the one whose question is open are not.")
    stage.tell(f"Look: {stage.look('/admin/notices/')}")


def proof(stage: Stage) -> None:
    """`mailer ledger verify` walks the chain, a person's evidence checks itself; a changed byte is found in both."""
    said = stage.world.run("ledger", "verify")
    stage.insist("whole" in said, said)
    stage.tell(f"mailer ledger verify: {said.strip().splitlines()[-1]}")
    found = _tampered(stage)
    stage.tell(f"In a copy with one byte changed: {found.strip().splitlines()[-1]}")
    heads = stage.visitor().open("/ledger")
    stage.insist("Merkle root" in heads.words, "the head of the day is published")
    stage.tell(f"Where the ledger stands is published daily. Look: {stage.look('/ledger')}")
    _evidence(stage)


def _evidence(stage: Stage) -> None:
    """What proves that the one who terminated was told, as a file that a stranger checks with nothing but Python."""
    bundle, folder = stage.world.data_dir / "evidence.zip", stage.world.data_dir / "evidence"
    version = f"{company.SLUG}/2"
    stage.world.run("evidence", stage.remembered["terminated"], version, "-o", str(bundle))
    said = stage.world.run("evidence", "verify", str(bundle))
    stage.insist("All holds" in said, said)
    shutil.unpack_archive(bundle, folder)
    checked = _check(folder)
    stage.insist(checked == said.splitlines()[0], f"the program in the bundle says the same: {checked}")
    stage.tell(f"The evidence of {stage.remembered['terminated']}, checked by its own verify.py: {checked}")
    mail = next(folder.glob("mail/*.eml"))
    mail.write_bytes(mail.read_bytes().replace(b"Subject: ", b"Subject: x", 1))
    broken = _check(folder)
    stage.insist(broken == f"This does not hold: mail/{mail.name} was changed.", broken)
    stage.tell(f"With one letter added to the mail: {broken}")
    whole = stage.world.data_dir / "evidence-whole.zip"
    stage.world.run("evidence", "--version", version, "-o", str(whole))
    stage.insist("All holds" in stage.world.run("evidence", "verify", str(whole)), "the evidence of the version holds")


def _check(folder: Path) -> str:
    """What the bundle's own program says first, run as a stranger would run it."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()[0]


def _tampered(stage: Stage) -> str:
    """Verify a copy in which one byte of one entry was changed."""
    copy = stage.world.data_dir / "ledger-copy.jsonl"
    stage.world.run("ledger", "export", "-o", str(copy))
    stage.insist("whole" in stage.world.run("ledger", "verify", str(copy)), "the copy is whole")
    text = copy.read_bytes()
    at = text.index(b"con_0", len(text) // 2)
    copy.write_bytes(text[:at] + b"con_1" + text[at + 5 :])
    return stage.world.run("ledger", "verify", str(copy), fails=True)


def _agreed(stage: Stage, reference: str) -> bool:
    standing = stage.trac.ask(f"/api/contacts/{reference}/standing")
    notices = [notice for policy in standing["policies"] for notice in policy["notices"] if notice["version"] == 2]
    return bool(notices) and all(notice["deemed_to_agree"] for notice in notices)


def _standing_agreed(stage: Stage, references: tuple[str, ...]) -> int | None:
    count = sum(_agreed(stage, reference) for reference in references)
    return count if count == len(references) else None


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
