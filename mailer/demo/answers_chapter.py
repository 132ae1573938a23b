"""Steps 8 and 9: a notice that bounces, a person who terminates, a machine that answers, a question."""

from __future__ import annotations

import csv
from email.message import EmailMessage

from mailer.demo import company
from mailer.demo.change_chapter import NOTICE
from mailer.demo.people_chapter import hears
from mailer.demo.stage import Caught, Stage
from mailer.demo.world import eventually
from mailer.services.rules import EventOut


def bounced(stage: Stage) -> None:
    """A DSN comes in: that person counts as unreached, and a task stands on the officer's page."""
    notice = _notice(stage, "trac-1001")
    office = stage.visitor().open(f"/post-office/{notice.id}")
    office.press("Bounce this")
    hears(stage, EventOut.NOTICE_UNREACHED)
    officer = stage.staff("policy").open("/admin/tasks/")
    stage.insist(officer.says(_row("trac-1001")["name"]) or officer.says("reached"), "a task stands")
    stage.remembered["unreached"] = "trac-1001"
    standing = stage.trac.ask("/api/contacts/trac-1001/standing")
    stage.insist("unreached" in str(standing), f"the standing says unreached: {standing}")
    stage.tell(f"The notice to {notice.recipient} came back: unreached, and a task waits. Look: {officer.url}")


def answered(stage: Stage) -> None:
    """“Ik zeg op” is recorded and confirmed once; an auto-reply is kept; a question waits for staff."""
    leaving, away, asking = (_notice(stage, ref) for ref in ("trac-1002", "trac-1003", "trac-1004"))
    _reply(stage, leaving, "Ik zeg op.")
    receipt = stage.wait_for_mail("opzegging", leaving.recipient)
    stage.insist(receipt.mail["List-Unsubscribe"] is None, "the receipt is essential mail")
    hears(stage, EventOut.TERMINATION_RECEIVED)
    hears(stage, EventOut.TERMINATION_CONFIRMED)
    stage.world.send(away.recipient, str(away.mail["Reply-To"]), _auto_reply(away))
    _reply(stage, asking, "Does this also concern the suppliers that we entered ourselves?")
    desk = stage.staff("operator")
    eventually(
        lambda: desk.open("/admin/replies/").says("suppliers") or desk.says(asking.recipient),
        "the question is on the desk",
    )
    everything = desk.open("/admin/replies/?state=settled").words
    stage.insist(away.recipient in everything, "the auto-reply is kept, and settled")
    stage.insist(len(stage.caught("opzegging", leaving.recipient)) == 1, "confirmed once")
    stage.insist(not stage.caught("opzegging", away.recipient), "an auto-reply terminates nothing and is not answered")
    stage.remembered |= {"terminated": "trac-1002", "asked": "trac-1004"}
    stage.tell(
        f"{leaving.recipient} wrote “Ik zeg op”: recorded in time, confirmed once, told to TRAC by signed webhook."
    )
    stage.tell("An auto-reply was kept and did nothing; a question waits for staff.")
    stage.tell(f"Look: {stage.look('/admin/replies/')}")


def _notice(stage: Stage, reference: str) -> Caught:
    return stage.wait_for_mail(NOTICE, _row(reference)["email"])


def _row(reference: str) -> dict[str, str]:
    with company.PEOPLE.open(encoding="utf-8") as file:
        return next(row for row in csv.DictReader(file) if row["reference"] == reference)


def _reply(stage: Stage, notice: Caught, words: str) -> None:
    """Press “Reply to this” in the post office."""
    stage.visitor().open(f"/post-office/{notice.id}").press("Send the answer", text=words)


def _auto_reply(notice: Caught) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = notice.recipient, str(notice.mail["Reply-To"])
    mail["Subject"] = f"Automatisch antwoord: {notice.mail['Subject']}"
    mail["In-Reply-To"] = str(notice.mail["Message-ID"])
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Ik ben met vakantie tot 4 januari. Ik zeg op dat moment wat ik ervan vind.")
    return mail.as_bytes()
