"""The pages behind the links, on an app that wants CSRF tokens where the pages of staff do."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from mailer import clock, db, signing
from mailer.consent import links, queries
from mailer.consent.models import ConsentEvent
from mailer.consent.rules import SuppressionReason
from mailer.contacts import actions as contacts
from mailer.contacts.rules import Origin
from mailer.ledger.models import Event, LedgerEntry
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MESSAGE = "msg_0000000000001"
FORGED = "con_01m81f7rk4xzgyhke9fk96atsy.msg_0000000000001.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@dataclass(frozen=True)
class Reader:
    """Somebody with a mail of ours, and the links in it."""

    id: str
    leave: str
    preferences: str


@pytest.fixture
def client(guarded_app: Flask) -> FlaskClient:
    return guarded_app.test_client(use_cookies=False)


def reader(*topics: str, origin: Origin = Origin.SUBSCRIBER, erased: bool = False) -> Reader:
    with db.transaction() as session:
        for key in ("news", "releases"):
            factories.topic(session, key)
        made = factories.contact(session, topics=topics, origin=origin)
        if erased:
            contacts.erase(session, made, clock.now())
    key_id = signing.newest_key_id()
    return Reader(
        made.id,
        links.leave_url("", made.id, MESSAGE, key_id),
        links.preferences_url("", made.id, MESSAGE, key_id),
    )


def subscribed(who: Reader) -> set[str]:
    with db.reading() as session:
        contact = contacts.queries.get(session, who.id)
        standing = queries.standing(session, contact)
    return set() if SuppressionReason.UNSUBSCRIBED in standing.suppressed else set(standing.subscribed)


def everything() -> tuple[int, ...]:
    with db.reading() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(t)) or 0 for t in (ConsentEvent, LedgerEntry, Event)
        )


def nonce(page: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return {"csrf_token": found[1]}


def without_marks(page: str, *marks: str) -> str:
    for mark in (*marks, nonce(page)["csrf_token"]):
        page = page.replace(mark, "")
    return page


def test_one_click_needs_neither_cookie_nor_token(client: FlaskClient) -> None:
    anna = reader("news", "releases")
    answer = client.post(anna.leave, data=ONE_CLICK)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert "Set-Cookie" not in answer.headers
    assert subscribed(anna) == set()


def test_one_click_as_multipart_counts_too(client: FlaskClient) -> None:
    anna = reader("news")
    assert client.post(anna.leave, data=ONE_CLICK, content_type="multipart/form-data").status_code == 200
    assert subscribed(anna) == set()


def test_one_click_twice_is_one_effect(client: FlaskClient) -> None:
    anna = reader("news")
    client.post(anna.leave, data=ONE_CLICK)
    before = everything()
    assert client.post(anna.leave, data=ONE_CLICK).status_code == 200
    assert everything() == before


def test_many_one_clicks_from_one_address_all_count(client: FlaskClient) -> None:
    readers = [reader("news") for _ in range(40)]
    assert {client.post(one.leave, data=ONE_CLICK).status_code for one in readers} == {200}
    assert not any(subscribed(one) for one in readers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_scanner_that_looks_changes_nothing(client: FlaskClient, method: str) -> None:
    anna = reader("news")
    before = everything()
    for link in (anna.leave, anna.preferences, f"{anna.leave}?List-Unsubscribe=One-Click"):
        answer = client.open(link, method=method)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert everything() == before


@pytest.mark.parametrize(
    "said", [{}, {"List-Unsubscribe": "1"}, {"list-unsubscribe": "One-Click"}, {"csrf_token": "guessed"}]
)
def test_a_post_without_the_button_of_the_page_changes_nothing(client: FlaskClient, said: dict[str, str]) -> None:
    anna = reader("news")
    answer = client.post(anna.leave, data=said)
    assert answer.status_code == 400
    assert "Unsubscribe</button>" in answer.text
    assert subscribed(anna) == {"news"}


def test_the_button_of_one_page_does_not_press_another(client: FlaskClient) -> None:
    anna, piet = reader("news"), reader("news")
    assert client.post(anna.leave, data=nonce(client.get(piet.leave).text)).status_code == 400
    assert subscribed(anna) == {"news"}


def test_the_page_leaves_says_what_stopped_and_takes_it_back(client: FlaskClient) -> None:
    anna = reader("news", "releases")
    page = client.get(anna.leave).text
    assert page.count('class="big"') == 1
    left = client.post(anna.leave, data=nonce(page))
    assert left.status_code == 200
    assert "<li>News</li>" in left.text
    assert "<li>Releases</li>" in left.text
    assert "Essential messages continue" in left.text
    assert subscribed(anna) == set()
    undone = client.post(f"{anna.leave}/undo", data=nonce(left.text))
    assert undone.status_code == 200
    assert subscribed(anna) == {"news", "releases"}


def test_undo_wants_the_button_too(client: FlaskClient) -> None:
    anna = reader("news")
    client.post(anna.leave, data=ONE_CLICK)
    assert client.post(f"{anna.leave}/undo", data=ONE_CLICK).status_code == 400
    assert client.get(f"{anna.leave}/undo").status_code == 405
    assert subscribed(anna) == set()


def test_who_left_by_one_click_finds_undo_behind_the_link_of_the_mail(client: FlaskClient) -> None:
    anna = reader("news")
    client.post(anna.leave, data=ONE_CLICK)
    client.post(f"{anna.leave}/undo", data=nonce(client.get(anna.leave).text))
    assert subscribed(anna) == {"news"}


def test_the_page_before_the_button_is_the_same_for_every_link(client: FlaskClient) -> None:
    anna, gone = reader("news"), reader("news", erased=True)
    left = reader("news")
    client.post(left.leave, data=ONE_CLICK)
    links_of_all = (anna.leave, gone.leave, left.leave, f"/u/{FORGED}", anna.leave[:-1], "/u/x")
    pages = set()
    for link in links_of_all:
        answer = client.get(link)
        assert answer.status_code == 200
        pages.add(without_marks(answer.text, link))
    assert len(pages) == 1


def test_an_erased_person_gets_the_answer_that_a_known_one_gets(client: FlaskClient) -> None:
    anna, gone = reader(), reader("news", erased=True)
    answers = []
    for one in (anna, gone):
        answer = client.post(one.leave, data=nonce(client.get(one.leave).text))
        url = re.search(r'href="(/preferences/[^"]+)"', answer.text)
        assert url
        answers.append((answer.status_code, without_marks(answer.text, one.leave, url[1])))
    assert answers[0] == answers[1]
    one_clicks = [client.post(one.leave, data=ONE_CLICK) for one in (anna, gone)]
    assert one_clicks[0].data == one_clicks[1].data


def test_forged_foreign_and_cut_off_links_get_one_page(client: FlaskClient) -> None:
    anna = reader("news")
    foreign = anna.preferences.replace("/preferences/", "/u/")
    answers = set()
    for link in (f"/u/{FORGED}", foreign, anna.leave[:-3], "/u/x"):
        answer = client.post(link, data=ONE_CLICK)
        answers.add((answer.status_code, answer.text))
    for link in (f"/preferences/{FORGED}", anna.leave.replace("/u/", "/preferences/"), anna.preferences[:-3]):
        answer = client.get(link)
        answers.add((answer.status_code, answer.text))
    assert len(answers) == 1
    status, page = answers.pop()
    assert status == 404
    assert "not one of ours" in page
    assert subscribed(anna) == {"news"}


def test_preferences_show_and_save_the_topics(client: FlaskClient) -> None:
    anna = reader("news")
    page = client.get(anna.preferences).text
    assert re.search(r'value="news"[^>]* checked', page)
    assert not re.search(r'value="releases"[^>]* checked', page)
    assert "Yes, send me releases." in page
    saved = client.post(anna.preferences, data={"topic": ["releases", "no-such-topic"], **nonce(page)})
    assert (saved.status_code, "Saved." in saved.text) == (200, True)
    assert subscribed(anna) == {"releases"}
    client.post(anna.preferences, data=nonce(saved.text))
    assert subscribed(anna) == set()


def test_preferences_want_the_button(client: FlaskClient) -> None:
    anna = reader("news")
    assert client.post(anna.preferences, data={"topic": "releases"}).status_code == 400
    assert subscribed(anna) == {"news"}


def test_ticking_a_topic_takes_a_former_leaving_back(client: FlaskClient) -> None:
    anna = reader("news")
    client.post(anna.leave, data=ONE_CLICK)
    page = client.get(anna.preferences).text
    assert " checked" not in page
    client.post(anna.preferences, data={"topic": "news", **nonce(page)})
    assert subscribed(anna) == {"news"}


def test_third_parties_are_offered_nothing(client: FlaskClient) -> None:
    kim = reader(origin=Origin.THIRD_PARTY)
    page = client.get(kim.preferences).text
    assert "never used for newsletters" in page
    assert 'type="checkbox"' not in page


def test_an_erased_person_may_save_and_nothing_is_kept(client: FlaskClient) -> None:
    gone = reader("news", erased=True)
    before = everything()
    page = client.get(gone.preferences).text
    assert client.post(gone.preferences, data={"topic": "news", **nonce(page)}).status_code == 200
    assert everything() == before


def test_the_page_speaks_the_readers_language(client: FlaskClient) -> None:
    anna = reader("news")
    answer = client.get(anna.leave, headers={"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.5"})
    assert '<html lang="nl"' in answer.text
    assert "Afmelden</button>" in answer.text
    assert "Accept-Language" in answer.vary


def test_a_link_signed_by_an_older_key_still_works(client: FlaskClient, configure: Callable[..., object]) -> None:
    configure(secret_keys="an-older-key-" * 3)
    anna = reader("news")
    configure(secret_keys=f"{'a-newer-key-' * 3},{'an-older-key-' * 3}")
    assert client.post(anna.leave, data=ONE_CLICK).status_code == 200
    assert subscribed(anna) == set()
