"""Steps 4 and 5: a campaign, and a reader who leaves."""

from __future__ import annotations

import csv
import re

import httpx

from mailer.demo import company
from mailer.demo.people_chapter import hears
from mailer.demo.stage import Caught, Stage
from mailer.demo.world import eventually
from mailer.services.rules import EventOut

SUBJECT = "What is new at Leadmark this autumn"
NEXT_SUBJECT = "Leadmark news for winter"
BODY = """{{ greeting }}

This autumn TRAC learned to **remind you before a contract ends**. Open a contract, choose a date, and that is all.

## Also new

- Search reads inside attachments.
- [All changes](https://www.leadmark.example/news) on one page.

See you in TRAC, {{ first_name }}!
"""


def campaign(stage: Stage) -> None:
    """Marketing writes on *news* and sends; only people who may get it do."""
    readers, _ = _people()
    sent = _send(stage, "Autumn", SUBJECT, len(readers))
    stage.during_send(stage)
    in_doubt = _settled(stage, sent)
    mails = stage.caught(SUBJECT)
    got = [mail.recipient for mail in mails]
    stage.insist(set(got) <= readers and len(got) == len(set(got)), "only readers of news got it, each once")
    stage.insist(len(readers) - len(got) <= in_doubt, f"all of them, but for {in_doubt} in doubt after a fault")
    for mail in mails:
        _check(stage, mail)
    stage.tell(f"{len(mails)} readers of news got “{SUBJECT}”, each a mail of their own; no third party got one.")
    stage.tell(f"Look: {stage.look(sent)}")


def leaving(stage: Stage) -> None:
    """A mail client's one-click unsubscribes one reader; scanners change nothing; the next campaign passes them by."""
    readers, _ = _people()
    mails = sorted(stage.caught(SUBJECT), key=lambda mail: mail.recipient)
    leaver = next(mail for mail in mails if mail.recipient in readers)
    url = re.findall(r"<(http[^>]+)>", leaver.mail["List-Unsubscribe"])[0]
    for _ in range(3):
        stage.insist(httpx.get(url).status_code == 200, "the page opens")
        stage.insist(httpx.head(url).status_code == 200, "HEAD is answered")
    stage.insist(not stage.trac.heard_of("subscription.changed", act="withdrawn"), "GET and HEAD changed nothing")
    answer = httpx.post(url, data={"List-Unsubscribe": "One-Click"})
    stage.insist(answer.status_code == 200, f"one-click is answered with 200, not {answer.status_code}")
    hears(stage, EventOut.SUBSCRIPTION_CHANGED, act="withdrawn", topic="news")
    page = stage.visitor().open(leaver.link("/u/"))
    page.press("Unsubscribe")
    stage.insist(page.says("undo") or page.says("did not mean"), "the page offers undo")
    left = readers - {leaver.recipient}
    sent = _send(stage, "Winter", NEXT_SUBJECT, len(left))
    _settled(stage, sent)
    stage.insist(
        {mail.recipient for mail in stage.caught(NEXT_SUBJECT)} == left,
        "the next campaign passes that reader by, and nobody else",
    )
    stage.remembered["leaver"] = leaver.recipient
    stage.tell(f"{leaver.recipient} left by one click after three GETs and three HEADs had changed nothing.")
    stage.tell(f"“{NEXT_SUBJECT}” went to the other {len(left)}. Look: {stage.look(sent)} and {url}")


def _people() -> tuple[set[str], set[str]]:
    """The addresses of those who may get *news*, and of third parties, as the file says."""
    with company.PEOPLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    readers = {r["email"] for r in rows if "news" in r["topics"].split(";") and r["consent_evidence"]}
    return readers, {r["email"] for r in rows if r["origin"] == "third_party"}


def _send(stage: Stage, name: str, subject: str, expected: int) -> str:
    browser = stage.staff("marketing").open("/admin/campaigns/new")
    browser.press("Begin writing", kind="campaign", name=name, topic="news")
    browser.press("Keep and preview", subject=subject, body="Hello {{ password }}")
    stage.insist(browser.says("password"), "an unknown placeholder is refused and named")
    browser.press("Keep and preview", subject=subject, body=BODY)
    browser.follow(f"Send to {expected}")
    browser.press(f"Send to {expected}")
    return "/" + browser.url.split("/", 3)[3]


def _settled(stage: Stage, report: str) -> int:
    """Wait until the campaign's own page says that nothing waits any more; how many it calls in doubt."""
    page = stage.staff("marketing")

    def is_done() -> bool:
        words = page.open(report).words
        return _number(words, "accepted by the next server") > 0 and not _number(words, "waiting|being sent")

    eventually(is_done, f"{report} is done", 90)
    return _number(page.words, "in doubt after a fault")


def _number(words: str, label: str) -> int:
    found = re.search(rf"([\d,]+) (?:{label})", words)
    return int(found[1].replace(",", "")) if found else 0


def _check(stage: Stage, mail: Caught) -> None:
    _, third_parties = _people()
    stage.insist(mail.recipient not in third_parties, "nobody of origin third_party gets marketing")
    stage.insist(mail.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", "RFC 8058's second header")
    headers = mail.raw.split(b"\r\n\r\n", 1)[0]
    stage.insist(re.search(rb"^List-Unsubscribe: <http\S+/u/\S+>", headers, re.M), "RFC 8058's first header, unfolded")
    stage.insist("/u/" in mail.link("/u/"), "a footer link")
