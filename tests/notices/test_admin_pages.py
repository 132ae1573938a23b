"""The officer's page of a version: every number opens what it counts, dates and risks are said, people stay hidden."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mailer import clock
from mailer.admin import spreadsheet
from mailer.contacts.models import Contact
from mailer.notices import actions as notices
from mailer.notices import listing, sending
from mailer.notices import queries as notice_queries
from mailer.outbox.models import Attempt
from mailer.outbox.rules import MailingState, Outcome, State
from mailer.policies.models import Version
from mailer.staff.rules import Role
from mailer.terminations.rules import State as TerminationState
from tests import factories
from tests.conftest import Configure
from tests.notices.conftest import AT, Release, accept, fan_out, message_of, settle

SignIn = Callable[..., FlaskClient]
LINK = re.compile(r'<a class="number" href="([^"]+)"><strong>([\d,]+)</strong> ([^<]+)</a>')


@pytest.fixture
def told(session: Session, release: Release, configure: Configure) -> tuple[Version, dict[str, Contact]]:
    """A pending version: one person told, one refused, one who terminated, two waiting."""
    configure(demo=True)
    clock.move_to(AT + timedelta(days=2))
    names = "Anna", "Bas", "Cor", "Dora", "Evi"
    people = {name: factories.contact(session, f"{name.lower()}@people.example", name=name) for name in names}
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    mailing.state, mailing.fanned_out_at = MailingState.FANNED_OUT, AT
    accept(session, version, people["Anna"])
    accept(session, version, people["Cor"])
    bas = message_of(session, version, people["Bas"])
    bas.state = State.REFUSED
    settle(session, bas, State.REFUSED)
    session.add(factories.termination(version, people["Cor"], AT))
    session.commit()
    return version, people


def test_every_number_opens_the_people_it_counts(signed_in: SignIn, told: tuple[Version, dict[str, Contact]]) -> None:
    version, _ = told
    officer = signed_in(Role.POLICY)
    numbers = LINK.findall(officer.get(f"/admin/notices/{version.id}").text)
    said = {label: int(n) for _, n, label in numbers}
    assert said == {
        "concerned": 5,
        "waiting for the mail server": 2,
        "told": 2,
        "unreached": 1,
        "may still answer": 2,
        "terminated": 1,
        "deemed to agree": 0,
    }
    for href, n, label in numbers:
        listed = officer.get(unescape(href)).text.count("/people/con_")
        tasks = 1  # the link to whoever was not reached stands above every list
        assert (label, listed - tasks) == (label, int(n))


def test_the_page_shows_charts_with_their_tables_calendar_and_reasons(
    signed_in: SignIn, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, _ = told
    page = signed_in(Role.POLICY).get(f"/admin/notices/{version.id}").text
    assert "Who was told, day by day" in page
    assert "Who agreed and who terminated, day by day" in page
    assert page.count('<table class="dense">') == 3, "each chart has its table, and the people have theirs"
    assert 'role="img" aria-label="Who was told' in page
    for entry in ("Released", "People are being told", "Last day to tell people in time", "Takes effect"):
        assert f"<strong>{entry}</strong>" in page
    assert "Their mail server refused it" in page
    assert 'style="' not in page


def test_mails_put_off_for_long_are_warned_of(
    signed_in: SignIn, session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{version.id}"
    for name, ago in (("Dora", sending.LONG + timedelta(minutes=1)), ("Evi", sending.LONG - timedelta(minutes=1))):
        message = message_of(session, version, people[name])
        message.attempts, message.due_at = 1, AT + timedelta(days=3)
        since = clock.now() - ago
        session.add(
            Attempt(
                message_row=message.row,
                at=since,
                route="r",
                outcome=Outcome.DEFERRED,
                code=451,
                reply="451 Greylisted.",
            )
        )
    session.commit()
    page = officer.get(here).text
    assert "1 mail is put off by their servers" in page
    assert "451 Greylisted." in page
    asks = re.search(r'hx-get="([^"]+)"', page)
    assert asks is not None
    assert "put off by their servers" in officer.get(unescape(asks[1])).text
    mailing = notice_queries.find_mailing(session, version.id)
    assert mailing is not None
    assert sending.deferred(session, mailing, AT + timedelta(days=3)) is not None
    assert sending.deferred(session, mailing, AT) is None


def test_what_may_be_a_termination_is_pointed_at(
    signed_in: SignIn, session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{version.id}"
    assert "may have terminated" not in officer.get(here).text
    session.add(factories.termination(version, people["Anna"], AT, state=TerminationState.FOR_PERSON))
    session.commit()
    assert "1 person may have terminated" in officer.get(here).text


def test_a_withdrawn_version_shows_what_ended_and_promises_no_day(
    signed_in: SignIn, session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, _ = told
    notices.withdraw(session, version, factories.staff(session).id, "A mistake.", AT + timedelta(days=1))
    session.commit()
    page = signed_in(Role.POLICY).get(f"/admin/notices/{version.id}").text
    said = {label: int(n) for _, n, label in LINK.findall(page)}
    assert (said["concerned"], said["ended"], said["told"], said["may still answer"]) == (5, 5, 0, 0)
    assert "What happens when" not in page
    assert "correct it" not in page
    assert page.count("/people/con_") == 5 + 1, "the five, and whoever was not reached once more as a task"


def test_the_list_of_versions_has_the_same_numbers(signed_in: SignIn, told: tuple[Version, dict[str, Contact]]) -> None:
    version, _ = told
    page = signed_in(Role.POLICY).get("/admin/notices/").text
    for state, n in (("accepted", 2), ("planned", 2), ("unreached", 1), ("deemed", 0)):
        assert f'<a href="/admin/notices/{version.id}?state={state}">{n}</a>' in page
    assert f'<a href="/admin/notices/{version.id}">5</a>' in page


def test_words_never_stand_in_an_address_and_keep_the_filter_and_the_next_page(
    signed_in: SignIn, told: tuple[Version, dict[str, Contact]], monkeypatch: pytest.MonkeyPatch
) -> None:
    version, _ = told
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{version.id}"
    found = officer.post(f"{here}/find?state=accepted", data={"words": "people.example@"})
    assert "Nobody here" in found.text
    monkeypatch.setattr(listing.page, "__defaults__", (2,))
    first = officer.post(f"{here}/find", data={"words": "@people"}).text
    mark = re.search(r'name="after" value="(con_\w+)"', first)
    assert mark is not None
    assert 'name="words" value="@people"' in first
    assert "words=" not in first.replace('name="words="', "")
    second = officer.post(f"{here}/find", data={"words": "@people", "after": mark[1]}).text
    assert ("Cor" in second, "Anna</a>" in second) == (True, False)


def test_what_no_form_of_ours_sends_is_no_error(signed_in: SignIn, told: tuple[Version, dict[str, Contact]]) -> None:
    version, _ = told
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{version.id}"
    for query in ("?after=%00", "?state=late&after=x~%00y", "?state=zzz&reason=%00", f"?after={'x' * 5_000}"):
        assert officer.get(here + query).status_code == 200
    for words in ("\x00", "a\x00b", "x" * 5_000, "\\", "'"):
        assert officer.post(f"{here}/find", data={"words": words, "after": "\x00"}).status_code == 200


def test_the_whole_filtered_list_is_exported_without_formulas(
    signed_in: SignIn,
    session: Session,
    told: tuple[Version, dict[str, Contact]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version, people = told
    people["Anna"].name = "=HYPERLINK(1)"
    session.commit()
    monkeypatch.setattr(spreadsheet, "PIECE", 100)
    monkeypatch.setattr(listing, "BATCH", 2)
    officer = signed_in(Role.AUDITOR)
    rows = _rows(officer, f"/admin/notices/{version.id}/people.csv")
    assert len(rows) == 5
    anna = next(row for row in rows if row["email"] == "anna@people.example")
    assert anna["name"] == "'=HYPERLINK(1)"
    assert (anna["state"], anna["told on"], anna["may answer until"]) == ("accepted", "2026-11-24", "2026-12-24")
    told_only = _rows(officer, f"/admin/notices/{version.id}/people.csv?state=accepted")
    assert {row["email"]: row["terminated"] for row in told_only} == {
        "anna@people.example": "",
        "cor@people.example": "yes",
    }
    assert _rows(officer, f"/admin/notices/{version.id}/people.csv?state=unreached&reason=bounced") == []
    assert officer.get("/admin/notices/ver_0/people.csv").status_code == 404


def _rows(browser: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notices-privacy-2.csv"'
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
