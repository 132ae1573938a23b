"""The page of a draft: what a reader must see before saying yes, in every language, and what became of it after."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.policies import actions
from mailer.policies.models import Policy
from mailer.policies.rules import QUESTIONS
from mailer.staff.rules import Role
from tests import factories
from tests.policies.desk import FILLED, NEW_TEXT, WORDLESS, SignIn, release

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


DUTCH_TEXT = "# Privacyverklaring\n\n## Wat wij bewaren\n\nWij bewaren uw naam en uw adres twee jaar.\n"
DUTCH_NEWS = DUTCH_TEXT.replace("twee jaar", "zeven jaar")
LESSER = {
    "change_class": "minor",
    "class_reason": "A mark.",
    **{f"question_{key}": "no" for key in QUESTIONS},
}


@pytest.fixture
def bilingual(session: Session) -> Policy:
    """A policy in English, with a Dutch translation."""
    said = {"nl": actions.Translation("Privacyverklaring", DUTCH_TEXT)}
    words = {"title": "Privacy statement", "text": factories.POLICY_TEXT, "effective_on": None}
    made = actions.import_first(session, slug="privacy", at=clock.now(), translations=said, **words).policy
    session.commit()
    return made


def in_dutch(text: str = DUTCH_TEXT, title: str = "Privacyverklaring") -> dict[str, str]:
    """The fields of the Dutch translation."""
    return {"languages": "nl", "title_nl": title, "text_nl": text, "summary_nl": "Kort."}


@pytest.mark.parametrize(
    ("dutch", "checked", "said"),
    [
        (in_dutch(), "minor", "so “Minor” is filled in"),
        (in_dutch(DUTCH_TEXT.replace("twee jaar.", "twee jaar!")), "minor", "so “Minor” is filled in"),
        (in_dutch(DUTCH_NEWS), "material", "but words did in: Nederlands"),
        (in_dutch(title="Verklaring"), "material", "but words did in: Nederlands"),
        ({}, "material", "but words did in: Nederlands"),
        (
            in_dutch() | {"languages": ["nl", "de"], "title_de": "Datenschutz", "text_de": "# Datenschutz\n"},
            "material",
            "but words did in: Deutsch",
        ),
    ],
)
@pytest.mark.parametrize("typed_in", ["en", "nl"])
def test_minor_is_filled_in_only_if_no_language_changed_a_word(
    signed_in: SignIn, bilingual: Policy, dutch: dict[str, object], checked: str, said: str, typed_in: str
) -> None:
    filled = {"text": WORDLESS, "change_class": "material", "class_was": "material", **dutch}
    officer = signed_in(Role.POLICY)
    for where in (f"/admin/policies/privacy/preview?language={typed_in}", "/admin/policies/privacy/drafts/new"):
        page = officer.post(where, data=filled | {"preview": typed_in}).text
        assert re.findall(r"<input checked[^>]*name=\"change_class\"[^>]*value=\"(\w+)\"", page) == [checked]
        assert said in page


def test_a_translation_that_changes_more_than_the_class_says_is_named(signed_in: SignIn, bilingual: Policy) -> None:
    officer = signed_in(Role.POLICY)
    where = "/admin/policies/privacy/drafts/new"
    german = {"languages": ["nl", "de"], "title_de": "Datenschutz", "text_de": "# Datenschutz\n\nKurz.\n"}
    minor = {"text": WORDLESS} | LESSER | in_dutch(DUTCH_NEWS) | german
    page = officer.get(officer.post(where, data=minor).headers["Location"]).text
    assert "In Nederlands the change looks material" in page
    assert "Deutsch is new: there is no earlier text to compare it with." in page
    for unwarned in (minor | in_dutch(), minor | {"change_class": "material", "effective_on": "2099-01-01"}):
        page = officer.get(officer.post(where, data=unwarned).headers["Location"]).text
        assert "In Nederlands the change looks" not in page


def test_links_are_checked_in_every_language_and_the_language_is_named(signed_in: SignIn, bilingual: Policy) -> None:
    officer = signed_in(Role.POLICY)
    dutch = in_dutch(f"{DUTCH_TEXT}\nU kunt een [klacht](/policies/klachten) indienen; zie [hier](#nergens).\n")
    show = officer.post("/admin/policies/privacy/drafts/new", data=FILLED | dutch).headers["Location"]
    page = officer.get(show).text
    assert "Nederlands: /policies/klachten leads nowhere" in page
    assert "Nederlands: #nergens leads nowhere" in page
    assert "Nederlands: “klacht” was added, to /policies/klachten; through it people use their rights." in page
    assert "Links that lead nowhere: /policies/klachten (Nederlands), #nergens (Nederlands)." in page


def test_a_link_to_a_section_that_keeps_its_id_under_new_words_leads_there(signed_in: SignIn, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    renamed = NEW_TEXT.replace("## What we keep", "## What we keep of you")
    text = f"{renamed}\nSee [there](#what-we-keep), [here](#what-we-keep-of-you) and [away](#what-we-kept).\n"
    show = officer.post("/admin/policies/privacy/drafts/new", data=FILLED | {"text": text}).headers["Location"]
    page = officer.get(show).text
    assert re.findall(r"(#[\w-]+) leads nowhere", page) == ["#what-we-kept"]
    assert "Links that lead nowhere: #what-we-kept (English)." in page


def test_a_first_version_shows_the_mail_and_the_calendar_of_its_release(signed_in: SignIn, session: Session) -> None:
    actions.create(session, slug="terms", title="Terms", concerns=["subscriber"], at=clock.now())
    session.commit()
    officer = signed_in(Role.POLICY)
    show = officer.post("/admin/policies/terms/drafts/new", data=FILLED).headers["Location"]
    page = officer.get(show).text
    assert f'src="{show}/mail?lang=en"' in page
    assert "What will happen when" in page
    assert "Mail goes out" in page
    assert officer.get(f"{show}/mail?lang=en").status_code == 200


def test_a_text_held_back_by_a_pending_version_says_so_in_both_places(
    signed_in: SignIn, session: Session, policy: Policy
) -> None:
    officer, where = signed_in(Role.POLICY), "/admin/policies/privacy/drafts/new"
    release(officer, signed_in(Role.POLICY), session, officer.post(where, data=FILLED).headers["Location"])
    later = FILLED | {"text": NEW_TEXT.replace("seven", "nine"), "effective_on": "2099-02-01"}
    page = officer.get(officer.post(where, data=later).headers["Location"]).text
    assert page.count("ot before version 2, whose text it holds.") == 2
    assert re.search(r"<dt>[^/]*1 January 2099[^/]*</time></dt><dd><strong>Earliest lawful date", page)


def test_a_released_draft_says_what_it_became_and_asks_nothing_more(
    signed_in: SignIn, session: Session, bilingual: Policy
) -> None:
    officer, where = signed_in(Role.POLICY), "/admin/policies/privacy/drafts/new"
    show = officer.post(where, data=FILLED | in_dutch(DUTCH_NEWS)).headers["Location"]
    signed_in(Role.POLICY).post(f"{show}/edit", data=FILLED | {"why": "It helps."} | in_dutch(DUTCH_NEWS))
    release(officer, signed_in(Role.POLICY), session, show)
    later = officer.post(where, data=FILLED | {"text": NEW_TEXT.replace("seven", "nine")} | in_dutch())
    release(officer, signed_in(Role.POLICY), session, later.headers["Location"])
    page = officer.get(show).text
    assert "Privacy statement: the draft of version 2" in page
    assert '<a href="/policies/privacy/versions/2">version 2</a>' in page
    assert re.search(r"Written by [^<]+ and [^<]+, approved by [^<]+; released by ", page)
    assert "What changes since version 1" in page
    assert "1 change: 1 word removed, 1 added." in page
    for untrue in ("What stands in the way", "Approvals", "draft of version 4", "Earliest lawful day", "Discard"):
        assert untrue not in page
    assert "zeven" in officer.get(f"{show}?lang=nl").text


def test_a_discarded_draft_shows_its_words_and_what_it_would_have_changed(
    signed_in: SignIn, session: Session, policy: Policy
) -> None:
    officer, where = signed_in(Role.POLICY), "/admin/policies/privacy/drafts/new"
    show = officer.post(where, data=FILLED).headers["Location"]
    officer.post(f"{show}/discard")
    release(officer, signed_in(Role.POLICY), session, officer.post(where, data=FILLED).headers["Location"])
    page = officer.get(show).text
    assert "Privacy statement: a discarded draft" in page
    assert "Seven years." in page
    assert "What changes since version 1" in page
    assert "1 change: 1 word removed, 1 added." in page
    for untrue in ("What stands in the way", "Approvals", "draft of version", "Earliest lawful day"):
        assert untrue not in page
    assert officer.post(f"{show}/send-back", data={"note": ""}).status_code == 422


def test_the_pages_of_a_policy_ask_no_query_for_each_version_or_policy(
    signed_in: SignIn, session: Session, policy: Policy
) -> None:
    officer, other, where = signed_in(Role.POLICY), signed_in(Role.POLICY), "/admin/policies/privacy/drafts/new"

    def asked() -> list[int]:
        draft = officer.post(where, data=FILLED | {"text": f"{NEW_TEXT}\nMore.\n"}).headers["Location"]
        return [queries_of(lambda at=at: officer.get(at)) for at in ("/admin/policies/privacy", draft)]

    release(officer, other, session, officer.post(where, data=FILLED).headers["Location"])
    before = asked()
    nine = FILLED | {"text": NEW_TEXT.replace("seven", "nine")}
    release(officer, other, session, officer.post(where, data=nine).headers["Location"])
    factories.policy(session, "annex")
    session.commit()
    assert asked() == before


def queries_of(act: Callable[[], object]) -> int:
    """How many statements an act sends to the database."""
    sent: list[str] = []

    def note(*args: object) -> None:
        sent.append(str(args[2]))

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return len(sent)
