"""The public pages: to read, to compare, to follow; cacheable, and honest about every number."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree import ElementTree as xml

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.policies import actions, rules
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from mailer.policies.rules import ChangeClass
from tests import factories
from tests.policies import sample

ATOM = "{http://www.w3.org/2005/Atom}"
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
ALL_NO = dict.fromkeys(rules.QUESTIONS, False)
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def pending(session: Session) -> Version:
    """Version 2, material and on its way; version 1 is in force."""
    author, other = factories.staff(session), factories.staff(session)
    at = clock.now()
    policy = factories.policy(session, at=at - timedelta(days=100))
    effective_on = clock.local_day(at, settings.current().zone) + timedelta(days=40)
    wording = Wording(NEW_TEXT, effective_on=effective_on, summary="We keep it for seven years & more <b>.")
    draft = actions.draft(session, policy, NEW_TEXT, author.id, at, wording)
    actions.submit(session, draft, author.id, at)
    actions.approve(session, draft, other.id, at)
    version = actions.release(session, draft, author.id, at)
    session.commit()
    return version


def test_the_text_in_force_stands_below_the_change_on_its_way(client: FlaskClient, pending: Version) -> None:
    page = client.get("/policies/privacy").text
    assert "two years" in page
    assert page.index("This text changes on") < page.index("two years")
    assert "/policies/privacy/diff/1..2" in page
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert "within 30 days of being told" in page


@ONE_DATABASE
def test_the_list_names_every_policy_and_says_when_there_is_none(client: FlaskClient, session: Session) -> None:
    assert "No policy is published yet" in client.get("/policies").text
    session.rollback()
    factories.policy(session)
    session.commit()
    assert "Privacy statement" in client.get("/policies").text


@ONE_DATABASE
def test_any_day_of_the_past_can_be_read(client: FlaskClient, pending: Version) -> None:
    day = pending.effective_on
    assert "seven years" in client.get(f"/policies/privacy?as_of={day}").text
    assert "two years" in client.get(f"/policies/privacy?as_of={day - timedelta(days=1)}").text
    before = client.get("/policies/privacy?as_of=1999-01-01")
    assert (before.status_code, "no text of" in before.text) == (404, True)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/policies/nothing", 404, "There is no policy “nothing” here"),
        ("/policies/privacy?as_of=tomorrow", 422, "is not a date; write it as year-month-day"),
        ("/policies/privacy?as_of=2026-02-30", 422, "is not a date"),
        ("/policies/privacy/versions/9", 404, "has no version 9; the last is version 2"),
        ("/policies/privacy/versions/0", 404, "has no version 0"),
        ("/policies/privacy/versions/two", 422, "is not the number of a version"),
        ("/policies/privacy/versions/-1", 422, "is not the number of a version"),
        ("/policies/privacy/versions/99999999999999999999", 422, "is not the number of a version"),
        ("/policies/privacy?lang=tlh", 422, "is not a language known here"),
        ("/policies/privacy/diff?old=1&new=", 422, "is not the number"),
        ("/policies/privacy/diff/9..9", 404, "has no version 9"),
        ("/policies/privacy/diff/1..x", 422, "is not the number"),
        ("/policies/privacy/diff/1..7", 404, "has no version 7"),
        ("/policies/privacy/diff/1-2", 404, ""),
    ],
)
def test_bad_numbers_get_one_clear_sentence(
    client: FlaskClient, pending: Version, path: str, status: int, words: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.text


@ONE_DATABASE
def test_the_comparison_says_it_lists_it_and_marks_it(client: FlaskClient, pending: Version) -> None:
    page = client.get("/policies/privacy/diff/1..2").text
    assert "1 change: 1 word removed, 1 added." in page
    assert "<del>" in page
    assert "<ins>" in page
    assert "Until now" in page
    assert "for two years" in page


@ONE_DATABASE
def test_any_two_versions_are_compared_also_backwards_and_one_with_itself(
    client: FlaskClient, pending: Version
) -> None:
    backwards = client.get("/policies/privacy/diff/2..1").text
    assert "from a newer version back to an older one" in backwards
    assert 'href="/policies/privacy/diff/1..2">Compare the other way round' in backwards
    same = client.get("/policies/privacy/diff/2..2").text
    assert "A text does not differ from itself." in same
    assert "<ins>" not in same
    chosen = client.get("/policies/privacy/diff?old=1&new=2&lang=nl")
    assert (chosen.status_code, chosen.location) == (302, "/policies/privacy/diff/1..2?lang=nl")
    assert client.get("/policies/privacy/diff").location == "/policies/privacy/versions"
    assert '<option value="1" selected>' in client.get("/policies/privacy/versions").text


@ONE_DATABASE
def test_a_change_of_the_setting_alone_is_no_change_of_words(client: FlaskClient, session: Session) -> None:
    sample.released(session, sample.first(session), sample.OLD.replace("personal data", "**personal** data"))
    session.commit()
    page = client.get("/policies/privacy/diff/1..2").text
    assert "Between these versions no word changed" in page
    assert "List of changes" not in page


@ONE_DATABASE
def test_the_new_text_reads_on_and_marks_what_changed_at_the_side(client: FlaskClient, pending: Version) -> None:
    page = client.get("/policies/privacy/diff/1..2?view=clean").text
    assert '<p class="touched">We keep your name and your address for seven years.</p>' in page
    assert (
        '<a href="/policies/privacy/diff/1..2#change-1" rel="noopener noreferrer">Change 1 of 1 (changed)</a>' in page
    )
    assert "<del>" not in page


@ONE_DATABASE
def test_the_marked_text_is_whole_and_keeps_tables_and_lists(client: FlaskClient, session: Session) -> None:
    sample.history(session)
    session.commit()
    page = client.get("/policies/privacy/diff/1..2?view=marked").text
    assert "unchanged</summary>" not in page
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    assert [re.findall(r">([^<>]+)</t[dh]>", row) for row in rows] == [
        ["Matter", "Where"],
        ["Complaints", "the authority"],
        ["Questions", "the desk"],
    ]
    assert '<li class="block li">a company that keeps our servers</li>' in page


@ONE_DATABASE
def test_an_unchanged_page_costs_no_second_transfer(client: FlaskClient, pending: Version) -> None:
    for path in (
        "",
        f"?as_of={clock.local_day(clock.now(), settings.current().zone)}",
        "/versions",
        "/versions/1",
        "/diff/1..2",
        "/feed.atom",
        ".json",
        "/banner.json",
    ):
        first = client.get(f"/policies/privacy{path}")
        assert first.headers["ETag"].startswith('"'), "a strong one"
        assert "Set-Cookie" not in first.headers
        again = client.get(f"/policies/privacy{path}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
        head = client.head(f"/policies/privacy{path}")
        assert (head.data, head.headers["ETag"]) == (b"", first.headers["ETag"])
        assert head.headers["Content-Length"] == str(len(first.data))
        dated = client.get(f"/policies/privacy{path}", headers={"If-Modified-Since": first.headers["Last-Modified"]})
        assert dated.status_code == 304, path


@ONE_DATABASE
def test_only_what_can_no_longer_change_is_kept_for_ever(client: FlaskClient, pending: Version) -> None:
    def caching(path: str) -> str:
        return client.get(f"/policies/privacy{path}").headers["Cache-Control"]

    assert "immutable" in caching("/versions/1")
    assert "no-cache" in caching("/versions/2"), "a pending version may be withdrawn"
    assert "no-cache" in caching("/diff/1..2")
    assert "no-cache" in caching("")


@ONE_DATABASE
def test_the_feed_has_every_version_and_withdrawal_under_stable_ids(
    client: FlaskClient, session: Session, pending: Version
) -> None:
    feed = xml.fromstring(client.get("/policies/privacy/feed.atom").data)
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in feed.iter(f"{ATOM}entry")]
    assert [one.rpartition("/")[2] for one in ids] == ["2", "1"]
    assert all(one.startswith("tag:127.0.0.1,") for one in ids)
    assert "more <b>" in (feed.findtext(f"{ATOM}entry/{ATOM}summary") or "")
    actions.withdraw(session, pending, pending.author_id or "", "A mistake.", clock.now())
    session.commit()
    later = xml.fromstring(client.get("/policies/privacy/feed.atom").data)
    newer = [entry.findtext(f"{ATOM}id") or "" for entry in later.iter(f"{ATOM}entry")]
    assert newer[1:] == ids
    assert newer[0].endswith("/withdrawals/2")
    assert "was withdrawn" in client.get("/policies/privacy/versions/2").text
    assert "This text changes on" not in client.get("/policies/privacy").text


@ONE_DATABASE
def test_the_policy_is_data_too(client: FlaskClient, pending: Version) -> None:
    data = json.loads(client.get("/policies/privacy.json").data)
    assert (data["in_force"]["number"], [v["number"] for v in data["pending"]]) == (1, [2])
    assert data["in_force"]["text"] == factories.POLICY_TEXT
    assert data["versions"][1]["sha256"] == pending.sha256
    answer = client.get("/policies/privacy/banner.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    shown = json.loads(answer.data)["notices"]
    assert [(v["number"], v["class"], v["phase"]) for v in shown] == [(2, "material", "pending")]


@ONE_DATABASE
def test_a_minor_correction_changes_page_and_feed_but_no_banner(
    client: FlaskClient, session: Session, pending: Version
) -> None:
    text = NEW_TEXT.replace("your name", "your full name")
    wording = Wording(text, ChangeClass.MINOR, class_reason="A word was missing.", answers=ALL_NO)
    author, other = factories.staff(session), factories.staff(session)
    draft = actions.draft(session, pending.policy, text, author.id, clock.now(), wording)
    actions.submit(session, draft, author.id, clock.now())
    for reader in (other, factories.staff(session)):
        actions.approve(session, draft, reader.id, clock.now())
    actions.release(session, draft, author.id, clock.now())
    session.commit()
    page = client.get("/policies/privacy").text
    assert "2 versions take effect together" in page
    assert "/diff/1..3" in page
    assert "policies/privacy/versions/3</id>" in client.get("/policies/privacy/feed.atom").text
    assert 3 not in [v["number"] for v in json.loads(client.get("/policies/privacy/banner.json").data)["notices"]]
