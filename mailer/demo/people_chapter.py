"""Steps 1 to 3: the company, its people, another service."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from mailer.demo import company
from mailer.demo.stage import Stage
from mailer.demo.world import eventually
from mailer.services.rules import EventOut

NEWCOMER = {
    "reference": "trac-9001",
    "email": "nora.nieuw@example.com",
    "name": "Nora Nieuw",
    "company": "Kade Architecten",
}


def policy(stage: Stage) -> None:
    """The company has a privacy statement, version 1, effective, in English and in Dutch, and an annex it links to."""
    since = ("--effective-on", company.EFFECTIVE_ON.isoformat())
    dutch = ("--translation", "nl", str(company.file_of(1, "nl")))
    stage.world.run(
        "policy", "import", str(company.file_of(1)), "--slug", company.SLUG, "--title", company.TITLE, *since, *dutch
    )
    dutch = ("--translation", "nl", str(company.TEXTS / f"{company.ANNEX}.nl.md"))
    stage.world.run(
        "policy", "import", str(company.TEXTS / f"{company.ANNEX}.md"), "--slug", company.ANNEX, *since, *dutch
    )
    page = stage.visitor().open(f"/policies/{company.SLUG}")
    stage.insist(page.status == 200 and page.says("Version 1"), "the public page shows version 1 in force")
    stage.insist(page.says(company.ANNEX_TITLES[0]), "it lists the document it links to")
    stage.insist(
        stage.visitor().open(f"/policies/{company.SLUG}?lang=nl").says(company.DUTCH_TITLE), "it can be read in Dutch"
    )
    stage.tell(f"The privacy statement, version 1, is in force, with its list of cookies: {page.url}")


def people(stage: Stage) -> None:
    """200 people come in by CSV; two faulty rows are reported by line, the rest is imported."""
    said = stage.world.run("contact", "import", str(Path(company.PEOPLE)), "--source", "people.csv")
    stage.insist("200" in said, f"200 people are imported: {said}")
    faulty = [line for line in said.splitlines() if re.search(r"\bline (43|135)\b", line)]
    stage.insist(len(faulty) == 2, f"lines 43 and 135 are reported: {said}")
    stage.tell("200 people are in. Two rows were faulty and are named:")
    for line in faulty:
        stage.tell(f"  {line.strip()}")
    stage.tell(f"Look: {stage.look('/admin/people/')}")


def service(stage: Stage) -> None:
    """Another service, by signed webhook, adds a contact, reports use, asks for an administrative message."""
    endpoint = stage.trac.listen()
    said = stage.world.run("service", "create", "trac", "--endpoint", endpoint)
    stage.trac.secret = _after("Secret:", said)
    stage.trac.token = _after("Token:", said)
    added = stage.trac.call("contact.upserted", NEWCOMER | {"locale": "nl", "origin": "account_holder"})
    stage.insist(added.status_code == 202, f"contact.upserted is taken: {added.status_code} {added.text}")
    used = {"reference": NEWCOMER["reference"], "used_at": datetime.now(UTC).isoformat()}
    stage.insist(stage.trac.call("contact.active", used).status_code == 202, "contact.active is taken")
    wanted = {
        "reference": NEWCOMER["reference"],
        "subject": "Maintenance of TRAC on Sunday",
        "body": "TRAC is away on Sunday from 06:00 to 07:00. Your data are safe.",
    }
    first = stage.trac.call("message.requested", wanted, call_id="evt-maintenance-1")
    again = stage.trac.call("message.requested", wanted, call_id="evt-maintenance-1")
    stage.insist((first.status_code, again.status_code) == (202, 200), "the repeat is answered, without effect")
    wrong = stage.trac.call("message.requested", wanted, secret="whsec_" + "B" * 44)
    stage.insist(wrong.status_code == 401, f"a wrong signature gets 401, not {wrong.status_code}")
    stage.wait_for_mail("Maintenance of TRAC", NEWCOMER["email"])
    stage.insist(len(stage.caught("Maintenance of TRAC")) == 1, "the message went out once")
    stage.tell(
        "TRAC added Nora Nieuw, reported use, and had one administrative message sent; its repeat had no effect."
    )
    stage.tell(f"A wrong signature got 401: {wrong.json()['error']['message']}")
    stage.tell(f"Look: {stage.look('/admin/services/')} and {stage.look('/post-office/')}")


def hears(stage: Stage, kind: EventOut, count: int = 1, **data: object) -> None:
    """Wait until TRAC heard an event."""
    eventually(lambda: len(stage.trac.heard_of(kind.value, **data)) >= count, f"TRAC hears {kind.value} {data}")


def _after(label: str, said: str) -> str:
    return next(line.removeprefix(label).strip() for line in said.splitlines() if line.startswith(label))
