"""Policies for programs and other sites: feeds that hold for years, data, the banner's files, the map of the site."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree as xml

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.policies import actions, queries
from mailer.policies.models import Version
from mailer.policies.public import data
from mailer.policies.public.words import WORDS
from tests import factories
from tests.policies import sample

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
URL = "http://127.0.0.1:8025"


@pytest.fixture
def change(session: Session) -> Version:
    """The sample with its change on its way."""
    version = sample.history(session)
    session.commit()
    return version


def read_feed(client: FlaskClient, path: str) -> xml.Element:
    """A feed with all that RFC 4287 §4.1 wants of it."""
    answer = client.get(path)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    feed = xml.fromstring(answer.data)
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    for part in (feed, *feed.iter(f"{ATOM}entry")):
        for needed in ("id", "title", "updated"):
            assert part.findtext(f"{ATOM}{needed}"), needed
        hrefs = [link.get("href", "") for link in part.findall(f"{ATOM}link")]
        assert hrefs
        assert all(href.startswith(URL) for href in hrefs)
    assert {link.get("rel") for link in feed.findall(f"{ATOM}link")} == {"self", "alternate"}
    return feed


def ids_of(feed: xml.Element) -> list[str]:
    return [entry.findtext(f"{ATOM}id") or "" for entry in feed.iter(f"{ATOM}entry")]


def test_the_feed_of_all_policies_has_the_entries_of_each_under_the_same_ids(
    client: FlaskClient, change: Version
) -> None:
    everything = read_feed(client, "/policies/feed.atom")
    each = ids_of(read_feed(client, "/policies/privacy/feed.atom")) + ids_of(
        read_feed(client, "/policies/processors/feed.atom")
    )
    assert sorted(ids_of(everything)) == sorted(each)
    titles = [entry.findtext(f"{ATOM}title") or "" for entry in everything.iter(f"{ATOM}entry")]
    assert titles[0].startswith("Privacy statement: Version 2 (material change), in effect from ")
    updated = [entry.findtext(f"{ATOM}updated") or "" for entry in everything.iter(f"{ATOM}entry")]
    assert updated == sorted(updated, reverse=True)
    assert everything.findtext(f"{ATOM}updated") == updated[0]


def test_the_feed_of_all_stands_also_before_the_first_policy(client: FlaskClient, session: Session) -> None:
    assert ids_of(xml.fromstring(client.get("/policies/feed.atom").data)) == []


def test_ids_of_entries_stay_when_more_happens_and_when_a_title_changes(
    client: FlaskClient, session: Session, change: Version
) -> None:
    before = ids_of(read_feed(client, "/policies/privacy/feed.atom"))
    change.policy.title = "Privacy notice"
    actions.withdraw(session, change, factories.staff(session).id, "A mistake.", clock.now())
    session.commit()
    assert ids_of(read_feed(client, "/policies/privacy/feed.atom"))[1:] == before


def test_a_feed_in_another_language_is_a_feed_of_its_own(client: FlaskClient, change: Version) -> None:
    own, dutch = (read_feed(client, f"/policies/privacy/feed.atom{lang}") for lang in ("", "?lang=nl"))
    assert own.findtext(f"{ATOM}id") != dutch.findtext(f"{ATOM}id")
    assert set(ids_of(own)).isdisjoint(ids_of(dutch))
    assert dutch.get("{http://www.w3.org/XML/1998/namespace}lang") == "nl"
    assert dutch.findtext(f"{ATOM}entry/{ATOM}summary") == sample.DUTCH.summary
    assert (dutch.findtext(f"{ATOM}title") or "") == "Wijzigingen in Privacyverklaring"


def test_a_character_that_xml_forbids_does_not_break_the_feed(client: FlaskClient, session: Session) -> None:
    sample.released(session, sample.first(session), sample.NEW, summary="More\ufffe words & <b>.")
    session.commit()
    feed = read_feed(client, "/policies/privacy/feed.atom")
    assert feed.findtext(f"{ATOM}entry/{ATOM}summary") == "More words & <b>."


def test_pages_lead_to_their_feeds(client: FlaskClient, change: Version) -> None:
    page = client.get("/policies/privacy").text
    assert 'type="application/atom+xml" title="Changes of Privacy statement" href="/policies/privacy/feed.atom"' in page
    assert 'href="/policies/feed.atom"' in client.get("/policies").text


def test_every_policy_is_data_too(client: FlaskClient, change: Version) -> None:
    answer = client.get("/policies.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = {one["policy"]: one for one in json.loads(answer.data)["policies"]}
    assert set(found) == {"privacy", "processors"}
    assert (found["privacy"]["languages"], found["privacy"]["authoritative_language"]) == (["en", "nl"], "en")
    assert found["privacy"]["pending"][0]["number"] == 2
    assert "text" not in found["privacy"]["in_force"]


def test_data_in_another_language_has_its_words_and_addresses(client: FlaskClient, change: Version) -> None:
    found = json.loads(client.get("/policies/privacy.json?lang=nl").data)
    assert found["title"] == "Privacyverklaring"
    assert found["in_force"]["text"] == sample.OLD_DUTCH
    assert found["pending"][0]["summary"] == sample.DUTCH.summary
    assert found["pending"][0]["changes_url"] == f"{URL}/policies/privacy/diff/1..2?lang=nl"


def test_data_of_a_day_is_not_taken_for_that_of_the_next(client: FlaskClient, change: Version) -> None:
    now = settings.current()
    answer = client.get("/policies/privacy.json")
    assert answer.last_modified is not None
    assert answer.last_modified >= clock.midnight(clock.local_day(clock.now(), now.zone), now.zone)


def test_a_notice_that_leaves_the_banner_by_time_alone_makes_it_a_new_one(change: Version, session: Session) -> None:
    shelf = queries.shelf(session, change.policy)
    last = change.effective_on + timedelta(days=30)
    assert [n["number"] for n in data.banner(shelf, last, URL, "en")["notices"]] == [2]
    gone = last + timedelta(days=1)
    assert data.banner(shelf, gone, URL, "en")["notices"] == []
    assert data.banner_ended_on(shelf, gone) == gone


def test_the_banner_speaks_the_language_of_the_site_that_asks(client: FlaskClient, change: Version) -> None:
    dutch = json.loads(client.get("/policies/privacy/banner.json?lang=nl-BE").data)
    assert dutch["words"]["close"] == WORDS["nl"]["banner_close"]
    assert dutch["notices"][0]["text"].startswith("“Privacyverklaring” verandert op ")
    other = client.get("/policies/privacy/banner.json?lang=tlh")
    assert json.loads(other.data)["notices"][0]["url"] == f"{URL}/policies/privacy/versions/2"


def test_the_banners_files_may_be_used_by_any_site_and_stay_at_their_address(
    client: FlaskClient, database: str
) -> None:
    for name, kind in (("banner.js", "text/javascript"), ("banner.css", "text/css")):
        answer = client.get(f"/policies/{name}")
        assert answer.mimetype == kind
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        again = client.get(f"/policies/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_the_map_of_the_site_names_every_page_that_lasts(client: FlaskClient, change: Version) -> None:
    answer = client.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    pages = [page.text for page in xml.fromstring(answer.data).iter(f"{SITE}loc")]
    assert {f"{URL}/policies", f"{URL}/policies/privacy", f"{URL}/policies/privacy?lang=nl"} <= set(pages)
    assert {f"{URL}/policies/privacy/versions/2", f"{URL}/policies/privacy/versions/2?lang=nl"} <= set(pages)
    assert len(pages) == len(set(pages))
    for page in pages:
        assert client.get((page or "").removeprefix(URL)).status_code == 200
    robots = client.get("/robots.txt")
    assert robots.mimetype == "text/plain"
    assert f"Sitemap: {URL}/sitemap.xml" in robots.text
    assert "Disallow: /u/" in robots.text


def test_nothing_of_this_sets_a_cookie(client: FlaskClient, change: Version) -> None:
    paths = ("/policies.json", "/policies/feed.atom", "/policies/banner.js", "/policies/privacy/banner.json")
    for path in (*paths, "/sitemap.xml", "/robots.txt"):
        answer = client.get(path)
        assert "Set-Cookie" not in answer.headers, path
        assert "Cookie" not in answer.headers.get("Vary", ""), path
