"""A policy read in its languages, with its neighbours, at addresses that last; whatever its words hold."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.policies import actions
from mailer.policies.models import Version
from mailer.policies.wording import Translation
from tests import factories
from tests.policies import sample

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
URL = "http://127.0.0.1:8025"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
HOSTILE_TEXT = f"""# Title {HOSTILE}

## Section {HOSTILE}

Words {HOSTILE} and [a link {HOSTILE}](javascript:alert(3)) and [another](data:text/html,<script>alert(4)</script>).

- item [x](https://e.example/"onmouseover="alert(5))

```{HOSTILE}
{HOSTILE}
```

| {HOSTILE} | b |
|---|---|
| c | ![d](x"onerror="alert(6)) |
"""


@pytest.fixture
def change(session: Session) -> Version:
    """The sample with its change on its way."""
    version = sample.history(session)
    session.commit()
    return version


def test_a_translation_says_which_text_counts_and_leads_to_it(client: FlaskClient, change: Version) -> None:
    page = client.get("/policies/privacy?lang=nl").text
    assert '<html lang="nl" dir="ltr">' in page
    assert '<article class="prose" lang="nl" dir="ltr"><h1 id="privacyverklaring">Privacyverklaring</h1>' in page
    assert "Dit is een vertaling; de tekst in het Engels is bindend." in page
    assert '<a href="/policies/privacy" hreflang="en">' in page
    assert "This text" not in page
    assert "Bekijk de wijzigingen" in page


def test_the_same_page_is_linked_in_each_language_for_people_and_for_machines(
    client: FlaskClient, change: Version
) -> None:
    for path in ("", "/versions", "/versions/2", "/diff/1..2"):
        page = client.get(f"/policies/privacy{path}?lang=nl").text
        assert f'<a href="/policies/privacy{path}" lang="en" hreflang="en" dir="auto">English</a>' in page
        assert 'dir="auto" aria-current="true">Nederlands</a>' in page
        assert f'<link rel="canonical" href="{URL}/policies/privacy{path}?lang=nl">' in page
        assert f'<link rel="alternate" hreflang="en" href="{URL}/policies/privacy{path}">' in page
        assert f'<link rel="alternate" hreflang="x-default" href="{URL}/policies/privacy{path}">' in page


def test_a_language_without_translation_shows_the_text_that_counts_and_says_so(
    client: FlaskClient, change: Version
) -> None:
    page = client.get("/policies/privacy?lang=de").text
    assert "There is no translation into German. This is the text in English, which is authoritative." in page
    assert f'<link rel="canonical" href="{URL}/policies/privacy">' in page
    assert "for 12 months" in page


def test_translations_are_compared_where_both_versions_have_one(client: FlaskClient, session: Session) -> None:
    policy = sample.first(session)
    sample.released(session, policy, sample.NEW, translations={"nl": sample.DUTCH})
    later = Translation("Privacyverklaring", sample.NEW_DUTCH.replace("24", "36"), "Voortaan 36 maanden.")
    sample.released(session, policy, sample.NEW.replace("24", "36"), translations={"nl": later})
    session.commit()
    both = client.get("/policies/privacy/diff/2..3?lang=nl").text
    assert "1 wijziging: 1 woord verwijderd, 1 toegevoegd." in both
    assert "verwijderd: </bdi>24<" in both
    one = client.get("/policies/privacy/diff/1..2?lang=nl").text
    assert "Niet beide versies hebben een vertaling in het Nederlands." in one
    assert '<bdi class="visually-hidden opens" lang="nl">verwijderd: </bdi>12<' in one
    assert '<p dir="auto" class="block p" lang="en">We keep your name' in one


def test_a_text_from_right_to_left_runs_so(client: FlaskClient, session: Session) -> None:
    sample.first(session, "# بيان الخصوصية\n\nنحتفظ باسمك.\n", title="بيان الخصوصية", language="ar")
    session.commit()
    page = client.get("/policies/privacy").text
    assert '<html lang="en" dir="ltr">' in page, "our own words around it are English"
    assert '<article class="prose" lang="ar" dir="rtl">' in page
    assert '<bdi lang="ar">بيان الخصوصية</bdi>' in client.get("/policies").text


def test_a_section_keeps_its_address_when_its_heading_is_reworded(client: FlaskClient, session: Session) -> None:
    policy = sample.first(session)
    sample.released(session, policy, sample.OLD.replace("## Who helps us", "## Which companies help us"))
    session.commit()
    page = client.get("/policies/privacy/versions/2").text
    assert '<h2 id="who-helps-us">Which companies help us</h2>' in page
    assert '<a class="anchor" href="#who-helps-us" aria-label="Link to this section: Which companies help us"' in page
    assert page.count('<a href="#who-helps-us" dir="auto">Which companies help us</a>') == 2


def test_linked_documents_are_named_with_their_dates_and_what_changes_there(
    client: FlaskClient, session: Session, change: Version
) -> None:
    page = client.get("/policies/privacy").text
    assert "This text refers to:" in page
    linked = page[page.index("This text refers to:") :]
    assert '<a href="/policies/processors"><bdi>List of processors</bdi></a>, last changed on' in linked
    assert "It is referred to by:" in linked, "the list links back"
    back = client.get("/policies/processors").text
    assert "changes on" in back[back.index("It is referred to by:") :]
    assert "/policies/privacy/diff/1..2" in back


def test_a_linked_document_that_changes_makes_the_page_a_new_one(
    client: FlaskClient, session: Session, change: Version
) -> None:
    before = client.get("/policies/privacy")
    processors = actions.queries.get(session, "processors")
    sample.released(session, processors, "# List of processors\n\nNobody at all.\n", summary="Nobody.")
    session.commit()
    since = client.get("/policies/privacy", headers={"If-None-Match": before.headers["ETag"]})
    assert since.status_code == 200
    assert "/policies/processors/diff/1..2" in since.text


def test_a_policy_that_is_only_announced_says_so(client: FlaskClient, session: Session) -> None:
    policy = actions.create(session, slug="cookies", title="Cookies", concerns=["account_holder"], at=clock.now())
    session.commit()
    assert "has no text yet" in client.get("/policies/cookies").text
    sample.released(session, policy, "# Cookies\n\nWe set one cookie.\n", summary="One cookie.")
    session.commit()
    page = client.get("/policies/cookies").text
    assert "This text takes effect on" in page
    assert "no earlier text is in force" in page
    assert "Until when you may answer" not in page
    assert "Not in force yet." in client.get("/policies").text


def test_the_text_of_a_day_points_to_its_version_as_the_lasting_page(client: FlaskClient, change: Version) -> None:
    yesterday = clock.local_day(clock.now(), settings.current().zone) - timedelta(days=1)
    page = client.get(f"/policies/privacy?as_of={yesterday}").text
    assert f'<link rel="canonical" href="{URL}/policies/privacy/versions/1">' in page
    assert f'href="/policies/privacy?as_of={yesterday}&amp;lang=nl"' in page


def test_two_wholly_different_texts_stand_one_after_the_other(client: FlaskClient, session: Session) -> None:
    words = " ".join(f"word{number}" for number in range(60))
    sample.released(session, sample.first(session), f"# What we keep\n\n{words}\n")
    session.commit()
    for view in ("", "?view=marked", "?view=clean"):
        page = client.get(f"/policies/privacy/diff/1..2{view}").text
        assert "The text was rewritten: " in page
        assert '<h2 id="old-what-we-keep">What we keep</h2>' in page
        assert '<h1 id="new-what-we-keep">What we keep</h1>' in page
        assert page.index("Until now: version 1") < page.index("From now on: version 2")
        assert "List of changes" not in page
    assert "De tekst is herschreven: " in client.get("/policies/privacy/diff/1..2?lang=nl").text


def test_no_script_runs_from_a_text_a_title_or_a_note(client: FlaskClient, session: Session) -> None:
    policy = sample.first(session, HOSTILE_TEXT, title=HOSTILE)
    hostile = Translation(HOSTILE, HOSTILE_TEXT.replace("Words", "Woorden"), HOSTILE, HOSTILE, HOSTILE)
    version = sample.released(
        session, policy, HOSTILE_TEXT.replace("Words", "Other"), summary=HOSTILE, translations={"nl": hostile}
    )
    session.commit()
    for path in (
        "/policies",
        "/policies/privacy",
        "/policies/privacy?lang=nl",
        "/policies/privacy/versions",
        "/policies/privacy/versions/2?lang=nl",
        *(f"/policies/privacy/diff/1..2{view}" for view in ("", "?view=marked", "?view=clean", "?lang=nl")),
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert_no_script(answer.text.replace(f'<script src="{static(answer.text)}" defer></script>', ""), path)
    actions.withdraw(session, version, factories.staff(session).id, HOSTILE, clock.now())
    session.commit()
    for path in ("/policies/privacy/versions", "/policies/privacy/versions/2"):
        assert_no_script(client.get(path).text, path)
    for path in ("/policies/privacy/feed.atom", "/policies/privacy.json", "/policies/privacy/banner.json"):
        answer = client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.mimetype in ("application/atom+xml", "application/json")
    assert "<script" not in client.get("/policies/privacy/feed.atom").text


def static(page: str) -> str:
    """The address of our own script, if the page has it."""
    found = re.search(r'<script src="(/static/diff\.js[^"]*)" defer>', page)
    return found[1] if found else "none"


def assert_no_script(page: str, path: str) -> None:
    """No element or attribute that a browser would run."""
    tags = re.findall(r"<[a-zA-Z][^>]*>", page)
    assert not [tag for tag in tags if tag.lower().startswith(("<script", "<img", "<iframe", "<object"))], path
    attributes = [re.sub(r'="[^"]*"', "", tag) for tag in tags]
    assert not [tag for tag in attributes if re.search(r"\son\w+", tag)], path
    assert not re.search(r'href="\s*(?:javascript|data):', page, re.IGNORECASE), path
