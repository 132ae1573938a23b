"""After the whole story: no name and no address in the log, the ledger, the events or any URL (invariant 12)."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from mailer.demo import company
from mailer.demo.browser import Browser
from mailer.demo.stage import Stage
from tests.journeys.conftest import Telling

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
COLLEAGUES = ("marketing", "policy", "operator")
PAGES_A_COLLEAGUE = 50


@pytest.fixture
def told(telling: Telling) -> Stage:
    return telling.to(12)


def people() -> tuple[set[str], set[str]]:
    """The addresses and the full names of the sample people."""
    with company.PEOPLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["email"].lower() for row in rows}, {row["name"].lower() for row in rows if " " in row["name"]}


def personal(text: str) -> set[str]:
    """The addresses and names that a text holds, whoever they belong to."""
    addresses, names = people()
    lower = unquote(text).replace("+", " ").lower()
    return set(ADDRESS.findall(lower)) | {known for known in addresses | names if known in lower}


def test_the_log_names_nobody(told: Stage) -> None:
    log = (told.world.data_dir / "up.log").read_text()
    assert "lane essential is served" in log, "it is the log"
    assert personal(log) == set()


def test_the_ledger_holds_ids_and_digests(told: Stage) -> None:
    copy = told.world.data_dir / "everything.jsonl"
    told.world.run("ledger", "export", "-o", str(copy))
    entries = [json.loads(line) for line in copy.read_text().splitlines()]
    copy.unlink()
    assert {"contact.added", "consent.withdrawn", "notices.accepted", "inbound.read"} <= {e["kind"] for e in entries}
    assert personal(json.dumps(entries, ensure_ascii=False)) == set()


def test_other_services_hear_ids_and_no_addresses(told: Stage) -> None:
    assert told.trac.heard
    assert personal(json.dumps(told.trac.heard, ensure_ascii=False)) == set()


def test_no_link_in_any_mail_says_whom_it_is_for(told: Stage) -> None:
    mails = told.caught()
    assert len(mails) > 300
    found = {link for mail in mails for link in re.findall(rb"https?://[^\s<>\"]+", mail.raw.replace(b"=\r\n", b""))}
    assert found
    assert {link for link in found if personal(link.decode("ascii", "replace"))} == set()


def test_no_url_of_an_admin_page_says_who_is_meant(told: Stage) -> None:
    seen: set[str] = set()
    for who in COLLEAGUES:
        browser = told.staff(who).open("/admin/")
        seen |= set(walk(browser, told.world.base))
    assert any("/admin/people/con_" in url for url in seen), "the walk came as far as people"
    assert any("/admin/replies/inb_" in url for url in seen), "and their mail"
    assert {url for url in seen if personal(url)} == set()


def walk(browser: Browser, base: str) -> Iterator[str]:
    """Every URL that admin pages link to, post to or send on to, page by page from the one that is open."""
    waiting, met = [browser.url], {browser.url}
    opened: dict[str, int] = {}
    while waiting and sum(opened.values()) < PAGES_A_COLLEAGUE:
        url = waiting.pop(0)
        kind = re.sub(r"[a-z]{3}_[0-9a-z]+", "*", urlsplit(url).path)
        if opened.get(kind, 0) >= 3:  # a few of each sort of page will do
            continue
        opened[kind] = opened.get(kind, 0) + 1
        browser.open(url)
        yield browser.url
        for element in browser.page.iter("a", "form", "iframe", "img", "button"):
            for name in ("href", "action", "formaction", "src", "hx-get", "hx-post"):
                if not element.get(name):
                    continue
                found = urljoin(browser.url, element.get(name))
                yield found
                is_page = element.tag == "a" and found.startswith(f"{base}/admin") and "format=csv" not in found
                if is_page and found not in met and not found.endswith(".eml"):
                    met.add(found)
                    waiting.append(found)
