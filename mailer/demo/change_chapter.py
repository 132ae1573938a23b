"""Steps 6, 7 and 10: a material change with thirty days' notice, and a typo that mails nobody."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mailer.demo import company
from mailer.demo.browser import Browser
from mailer.demo.people_chapter import NEWCOMER, hears
from mailer.demo.stage import Stage
from mailer.demo.world import eventually
from mailer.policies.rules import QUESTIONS, earliest_effective, holidays_of, proposed_effective
from mailer.services.rules import EventOut

DRAFTS = f"/admin/policies/{company.SLUG}/drafts/new"
SUMMARY = "We keep usage details for 24 months instead of 12, and a support partner in the Netherlands may read them."
SUMMARY_NL = "Wij bewaren gebruiksgegevens 24 maanden in plaats van 12, en een helpdesk in Nederland mag ze lezen."
NOTICE = "Privacy"  # what the subject of every notice begins with, whatever its language
PERIODS = {"en": ("12 months", "24 months"), "nl": ("12 maanden", "24 maanden")}


def material(stage: Stage) -> None:
    """Version 2: its diff shows the change, a date that is too early is refused, a second person approves, release."""
    officer = stage.staff("policy").open(DRAFTS)
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    holidays = holidays_of("NL")
    words = {
        "summary": SUMMARY,
        "why": "Customers ask for help with older contracts.",
        "impact": "More of your use stays known to us.",
        "summary_nl": SUMMARY_NL,
        "why_nl": "Klanten vragen om hulp bij oudere contracten.",
        "impact_nl": "Er blijft meer van uw gebruik bij ons bekend.",
    }
    _write(officer, 2, today + timedelta(days=10), "material", **words)
    draft = _path(officer)
    stage.insist(officer.says("24"), "the diff of the draft shows the change")
    officer.press("Ask for review")
    stage.staff("counsel").open(draft).press("Approve")
    officer.open(draft).follow("Release")
    earliest = earliest_effective(today, holidays)
    effective_on = proposed_effective(today, holidays)
    officer.press("Release version 2", effective_on=(today + timedelta(days=10)).isoformat())
    said = f"{earliest.day} {earliest:%B %Y}"
    stage.insist(
        officer.status == 422 and officer.says(said), f"too early is refused with the earliest lawful date, {said}"
    )
    refusal = next(line for line in re.findall(r"[^.]*earliest lawful date[^.]*\.", officer.words))
    officer.press("Release version 2", effective_on=effective_on.isoformat())
    hears(stage, EventOut.POLICY_RELEASED)
    page = stage.visitor().open(f"/policies/{company.SLUG}/diff/1..2")
    stage.insist("<ins" in page.text and "<del" in page.text and page.says("24"), "the public diff shows the change")
    stage.remembered["effective_on"] = effective_on.isoformat()
    stage.tell(f"Too early was refused:{refusal}")
    stage.tell(f"Version 2 was approved by a second person and released, effective {effective_on}: {page.url}")


def noticed(stage: Stage) -> None:
    """Everyone concerned is noticed by essential mail, the unsubscribed included, with dates of their own."""
    locales = _concerned()
    concerned = set(locales)
    mails = eventually(
        lambda: found if len(found := stage.caught(NOTICE)) >= len(concerned) else None,
        f"{len(concerned)} notices",
    )
    stage.insist({mail.recipient for mail in mails} == concerned, "all concerned, at the primary address, nobody else")
    stage.insist(stage.remembered["leaver"] in concerned, "the reader who left newsletters is among them")
    for mail in mails:
        text = mail.part("plain")
        stage.insist(mail.mail["List-Unsubscribe"] is None, "essential mail has no List-Unsubscribe header")
        locale = "nl" if locales[mail.recipient] == "nl" else "en"
        stage.insist(all(words in text for words in PERIODS[locale]), f"old and new wording, in {locale}")
        stage.insist(
            "/u/" in text and f"/policies/{company.SLUG}/diff/1..2" in text,
            "a link to leave newsletters, and to the diff",
        )
        stage.insist(mail.mail["Reply-To"].startswith("reply+"), "a reply address of that person")
    stage.tell(
        f"{len(mails)} people were told, each with a last day of their own to answer; {stage.remembered['leaver']} too."
    )
    stage.tell(f"Look: {stage.look('/admin/notices/')} and {stage.look('/post-office/')}")


def minor(stage: Stage) -> None:
    """Version 3 corrects a typo: reason, seven times no, two others approve; no mail leaves; page and feed change."""
    before = len(stage.caught())
    officer = stage.staff("policy").open(DRAFTS)
    reason = {
        "class_reason": "A spelling mistake: “recieve” becomes “receive”. No other word changes.",
        "summary": "A typo.",
    }
    answers = {f"question_{key}": "no" for key in QUESTIONS}
    _write(officer, 3, date.fromisoformat(stage.remembered["effective_on"]), "minor", **reason, **answers)
    draft = _path(officer)
    officer.press("Ask for review")
    stage.staff("counsel").open(draft).press("Approve")
    officer.open(f"{draft}/release").press("Release version 3")
    stage.insist(
        officer.says("needs two approvals by others than its author, and has 1"),
        "a change that nobody is mailed about needs two approvals beside its author's word",
    )
    stage.staff("all").open(draft).press("Approve")
    officer.open(draft).follow("Release")
    officer.press("Release version 3")
    hears(stage, EventOut.POLICY_RELEASED, count=2)
    visitor = stage.visitor()
    diff = visitor.open(f"/policies/{company.SLUG}/diff/2..3").text
    stage.insist("recieve" in diff and "receive" in diff, "the diff shows the typo")
    feed = visitor.open(f"/policies/{company.SLUG}/feed.atom").text
    stage.insist("versions/3" in feed, "the feed has version 3")
    stage.insist(len(stage.caught()) == before, "no mail left")
    stage.tell(f"Version 3 corrected a typo; page, diff and feed changed, no mail left: {visitor.url}")


def _write(browser: Browser, number: int, effective_on: date, change_class: str, **fields: Any) -> None:
    fields |= {"change_class": change_class, "effective_on": effective_on.isoformat()}
    fields |= {"text": company.text_of(number), "text_nl": company.text_of(number, "nl")}
    browser.press("Keep this draft", **fields)


def _path(browser: Browser) -> str:
    return "/" + browser.url.split("/", 3)[3]


def _concerned() -> dict[str, str]:
    """Everybody the statement concerns, by address, with the language of their mail."""
    with company.PEOPLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    good = [r for r in rows if "@" in r["email"] and not (r["topics"] and not r["consent_evidence"])]
    found = {r["email"]: r["locale"] for r in good if r["origin"] in company.CONCERNS}
    return found | {NEWCOMER["email"]: "nl"}
