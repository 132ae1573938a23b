"""Links from one policy to another, read from the text itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from sqlalchemy.orm import Session

from mailer.policies import queries
from mailer.policies.linked import Link, linked_slugs, links_of
from tests import factories

URL = "https://mail.company.example"


def test_every_link_is_found_with_its_words_in_reading_order() -> None:
    text = (
        "# See the [annex](/policies/annex)\n\n- [A *list*\n  of `all`](https://other.example/x)\n\n"
        "| a |\n| - |\n| <https://third.example/> |\n\n`[no](link)` and [bad](javascript:alert)\n"
    )
    assert links_of(text) == [
        Link("annex", "/policies/annex"),
        Link("A list of all", "https://other.example/x"),
        Link("https://third.example/", "https://third.example/"),
    ]


@pytest.mark.parametrize(
    ("target", "slug"),
    [
        ("/policies/cookie-list", "cookie-list"),
        ("/policies/cookie-list#retention", "cookie-list"),
        ("/policies/cookie-list/versions/3", "cookie-list"),
        ("/policies/cookie-list.json", "cookie-list"),
        (f"{URL}/policies/cookie-list?as_of=2026-01-01", "cookie-list"),
        ("HTTPS://Mail.Company.Example/policies/cookie-list", "cookie-list"),
        ("https://other.example/policies/cookie-list", None),
        ("http://mail.company.example/policies/cookie-list", None),
        ("/policies/", None),
        ("/policies/Cookie", None),
        ("/elsewhere/policies/cookie-list", None),
        ("mailto:policies@company.example", None),
    ],
)
def test_a_link_to_a_policy_of_ours_names_it(target: str, slug: str | None) -> None:
    assert linked_slugs(f"See [this]({target}).\n", URL) == ([slug] if slug else [])


def test_a_policy_linked_twice_is_named_once_also_under_a_path() -> None:
    text = "[a](/policies/b) [c](/hub/policies/b) [d](https://x.example/hub/policies/e)\n"
    assert linked_slugs(text, "https://x.example/hub") == ["b", "e"]


def test_a_policy_knows_what_it_links_to_and_what_links_to_it(session: Session) -> None:
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    text = factories.POLICY_TEXT
    annex = factories.policy(session, "annex", at=at)
    linking = factories.policy(
        session, "privacy", f"{text}\nSee [the annex](/policies/annex) and [us](/policies/privacy).\n"
    )
    factories.policy(session, "terms", f"{text}\nSee [elsewhere](https://other.example/policies/annex).\n", at=at)
    version = queries.shelf(session, linking).get(1)
    assert [found.slug for found in queries.linked_from(session, version, URL)] == ["annex"]
    day = version.effective_on
    assert [found.slug for found in queries.linking_to(session, annex, day, URL)] == ["privacy"]
    before = queries.linking_to(session, annex, day - timedelta(days=400), URL)
    assert [found.slug for found in before] == ["privacy"], "a text that is still to come counts too"
    assert queries.linking_to(session, linking, day, URL) == [], "a link to itself is none"


def test_a_text_is_read_for_its_links_once_however_often_it_is_asked() -> None:
    text = "Words and a [link](/policies/annex) among them.\n\n" * 2_000
    started = process_time()
    assert linked_slugs(text, URL) == ["annex"]
    once = process_time() - started
    started = process_time()
    assert linked_slugs(text, URL) == ["annex"]
    assert process_time() - started < once / 5
