"""Staff write and approve versions; what is wrong is said at its field and nothing typed is lost."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.db import reading
from mailer.policies import actions, queries
from mailer.policies.models import Draft, DraftTranslation, Policy
from mailer.policies.rules import QUESTIONS, DraftState
from mailer.staff.rules import Role
from tests import factories

SignIn = Callable[..., FlaskClient]
NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
FILLED = {"text": NEW_TEXT, "summary": "Seven years.", "change_class": "material", "effective_on": "2099-01-01"}
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def policy(session: Session) -> Policy:
    made = factories.policy(session)
    session.commit()
    return made


def drafts() -> list[Draft]:
    """What is kept by now; a session of its own, for an open one would keep the doors waiting."""
    with reading() as session:
        return list(session.scalars(select(Draft)))


def only_draft() -> Draft:
    [draft] = drafts()
    return draft


def test_a_policy_is_added_with_the_text_in_force(signed_in: SignIn) -> None:
    officer = signed_in(Role.POLICY)
    filled = {"title": "Terms", "slug": "terms", "concerns": ["subscriber"], "text": "# Terms\n\nBe kind."}
    assert officer.get("/admin/policies/new").status_code == 200
    answer = officer.post("/admin/policies/new", data=filled)
    assert answer.headers["Location"] == "/admin/policies/terms"
    assert "Version 1 is in force" in officer.get("/admin/policies/terms").text
    assert "Terms" in officer.get("/admin/policies/").text
    again = officer.post("/admin/policies/new", data=filled)
    assert (again.status_code, "has a first version already" in again.text, "Be kind." in again.text) == (
        409,
        True,
        True,
    )
    empty = officer.post("/admin/policies/new", data={})
    assert (empty.status_code, "Write what people call this policy." in empty.text) == (422, True)


def test_a_draft_goes_from_writing_to_approval_by_another(signed_in: SignIn, session: Session, policy: Policy) -> None:
    author, other = signed_in(Role.POLICY), signed_in(Role.POLICY)
    page = author.get("/admin/policies/privacy/drafts/new").text
    assert "two years" in page
    where = author.post("/admin/policies/privacy/drafts/new", data=FILLED).headers["Location"]
    review = author.get(where).text
    assert "1 change: 1 word removed, 1 added." in review
    assert "Ask for review" in review
    author.post(f"{where}/submit")
    author.post(f"{where}/approve")
    assert "You wrote this text" in author.get(where).text
    assert only_draft().state is DraftState.IN_REVIEW
    other.post(f"{where}/approve")
    assert "Go on to release version 2" in other.get(where).text
    author.post(f"{where}/edit", data=FILLED | {"summary": "Other words."})
    assert only_draft().state is DraftState.DRAFT
    assert "Other words." in author.get(f"{where}/edit").text
    author.post(f"{where}/discard")
    assert only_draft().state is DraftState.DISCARDED
    assert "nothing can be done with it" in author.get(where).text


def test_an_uploaded_file_takes_the_place_of_the_text(signed_in: SignIn, session: Session, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    filled = FILLED | {
        "text": "",
        "file": (io.BytesIO(b"\xef\xbb\xbfPrivacy\r\n\r\nWho we are\r\n\r\nA company."), "p.txt"),
    }
    assert officer.post("/admin/policies/privacy/drafts/new", data=filled).status_code == 303
    assert only_draft().text == "# Privacy\n\n## Who we are\n\nA company.\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": ""}, "The policy has no words"),
        ({"file": (io.BytesIO("Privé".encode("latin-1")), "p.txt")}, "is not UTF-8"),
        ({"summary": "x" * 4001}, "4,001 characters are too many"),
        ({"change_class": "tiny"}, "Not a valid choice"),
        ({"effective_on": "soon"}, "Not a valid date"),
    ],
)
def test_a_mistake_stands_at_its_field_and_keeps_what_was_typed(
    signed_in: SignIn, session: Session, policy: Policy, change: dict[str, object], words: str
) -> None:
    answer = signed_in(Role.POLICY).post(
        "/admin/policies/privacy/drafts/new", data=FILLED | {"why": "Because."} | change
    )
    assert answer.status_code == 422
    assert words in answer.text
    assert "Because." in answer.text
    assert drafts() == []


def test_a_preview_needs_no_script_and_keeps_nothing(signed_in: SignIn, session: Session, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    page = officer.post(
        "/admin/policies/privacy/drafts/new", data=FILLED | {"text": "# New <script>\n\n**bold**", "preview": "en"}
    )
    assert (page.status_code, "<strong>bold</strong>" in page.text, "<script>\n" in page.text) == (200, True, False)
    assert drafts() == []


def test_a_keystroke_is_answered_with_the_text_and_its_changes(signed_in: SignIn, policy: Policy) -> None:
    officer = signed_in(Role.POLICY)
    part = officer.post("/admin/policies/privacy/preview", data={"text": NEW_TEXT}).text
    assert "<html" not in part
    assert "We keep your name and your address for seven years." in part
    assert "1 change: 1 word removed, 1 added." in part
    assert re.search(r"<mark class=\"cue\" title=\"number\">seven<", part)
    found = re.search(r'id="found-retention" hx-swap-oob="true">(.*?)</span>', part, re.DOTALL)
    assert found is not None
    assert '<a href="#change-1">“seven years”</a> (period, in What we keep)' in found[1]
    assert "no words" in officer.post("/admin/policies/privacy/preview", data={"text": ""}).text
    assert drafts() == []


WORDLESS = factories.POLICY_TEXT.replace("for two years.", "for two years!")


@pytest.mark.parametrize(
    ("text", "chosen", "was", "checked"),
    [
        (WORDLESS, "material", "material", "minor"),
        (WORDLESS, "ordinary", "material", "ordinary"),
        (WORDLESS, "material", "minor", "material"),
        (WORDLESS, "material", "", "material"),
        (NEW_TEXT, "minor", "minor", "material"),
        (NEW_TEXT, "minor", "material", "minor"),
        (factories.POLICY_TEXT, "material", "material", "material"),
    ],
)
def test_only_a_wordless_change_fills_in_minor_and_never_over_a_choice(
    signed_in: SignIn, policy: Policy, text: str, chosen: str, was: str, checked: str
) -> None:
    filled = {"text": text, "change_class": chosen, "class_was": was}
    part = signed_in(Role.POLICY).post("/admin/policies/privacy/preview", data=filled).text
    assert re.findall(r"<input checked[^>]*name=\"change_class\"[^>]*value=\"(\w+)\"", part) == [checked]


def test_translations_are_added_written_and_removed_without_script(signed_in: SignIn, policy: Policy) -> None:
    officer, where = signed_in(Role.POLICY), "/admin/policies/privacy/drafts/new"
    added = officer.post(where, data=FILLED | {"add_language": "1", "new_language": "nl"})
    assert (added.status_code, 'name="text_nl"' in added.text, "Seven years." in added.text) == (200, True, True)
    dutch = {
        "languages": "nl",
        "title_nl": "Privacyverklaring",
        "text_nl": "# Privacy\n\nZeven jaar.",
        "summary_nl": "Zeven jaar.",
    }
    removed = officer.post(where, data=FILLED | dutch | {"remove_language": "nl"})
    assert (removed.status_code, 'name="text_nl"' in removed.text) == (200, False)
    faulty = officer.post(where, data=FILLED | dutch | {"text_nl": ""})
    assert (faulty.status_code, 'id="text_nl-error"' in faulty.text) == (422, True)
    assert drafts() == []
    show = officer.post(where, data=FILLED | dutch).headers["Location"]
    page = officer.get(f"{show}?lang=nl").text
    assert "Privacyverklaring" in page
    assert "Zeven jaar." in officer.get(f"{show}/edit").text
    kept = officer.post(f"{show}/edit", data=FILLED | {"seen": seen_on(officer.get(f"{show}/edit").text)})
    assert kept.status_code == 303
    with reading() as session:
        assert session.scalars(select(DraftTranslation)).all() == []


def test_a_file_of_a_translation_takes_the_place_of_its_text(signed_in: SignIn, policy: Policy) -> None:
    dutch = {
        "languages": "nl",
        "title_nl": "Privacy",
        "file_nl": (io.BytesIO(b"<h1>Privacy</h1><p>Kort.</p>"), "p.html"),
    }
    assert signed_in(Role.POLICY).post("/admin/policies/privacy/drafts/new", data=FILLED | dutch).status_code == 303
    with reading() as session:
        assert session.scalars(select(DraftTranslation.text)).all() == ["# Privacy\n\nKort.\n"]


def test_a_draft_in_several_languages_may_be_larger_than_other_requests(signed_in: SignIn, policy: Policy) -> None:
    long = "# Privacy\n\n" + "Words.\n" * 60_000
    filled = FILLED | {"languages": ["nl", "de"], "text": long}
    filled |= {f"{name}_{code}": text for code in ("nl", "de") for name, text in (("text", long), ("title", "Privacy"))}
    assert signed_in(Role.POLICY).post("/admin/policies/privacy/drafts/new", data=filled).status_code == 303
    assert only_draft().text == long


def test_a_preview_in_no_known_language_is_refused(signed_in: SignIn, policy: Policy) -> None:
    answer = signed_in(Role.POLICY).post("/admin/policies/privacy/preview?language=xx", data={"text": "Hello."})
    assert (answer.status_code, "is not a language known here" in answer.text) == (422, True)


def seen_on(page: str) -> str:
    """The fingerprint that an editor's page carries."""
    found = re.search(r'name="seen"[^>]*value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_two_editors_of_one_draft_see_each_others_change_and_lose_nothing(
    signed_in: SignIn, session: Session, policy: Policy
) -> None:
    one, other = signed_in(Role.POLICY), signed_in(Role.POLICY)
    show = one.post("/admin/policies/privacy/drafts/new", data=FILLED).headers["Location"]
    seen = seen_on(one.get(f"{show}/edit").text)
    theirs = FILLED | {"text": NEW_TEXT.replace("your name", "your nickname"), "summary": "Theirs.", "seen": seen}
    assert other.post(f"{show}/edit", data=theirs).status_code == 303
    mine = FILLED | {"text": NEW_TEXT.replace("your address", "your street"), "summary": "Mine.", "seen": seen}
    answer = one.post(f"{show}/edit", data=mine)
    assert answer.status_code == 409
    assert "Somebody else changed this draft since you opened it" in answer.text
    assert "your street" in answer.text.partition("<textarea")[2]
    theirs = answer.text.partition("kept meanwhile")[2].partition("</section>")[0]
    assert "<dt>Theirs</dt><dd>We keep your nickname and your address for seven years.</dd>" in theirs
    assert "<dd>Theirs.</dd>" in theirs
    assert only_draft().summary == "Theirs."
    again = one.post(f"{show}/edit", data=mine | {"seen": seen_on(answer.text)})
    assert (again.status_code, only_draft().summary) == (303, "Mine.")


def test_a_lesser_change_needs_two_readers_and_says_so(signed_in: SignIn, session: Session, policy: Policy) -> None:
    author, first, second = (signed_in(Role.POLICY) for _ in range(3))
    minor = {
        "text": WORDLESS,
        "change_class": "minor",
        "class_reason": "A mark.",
        **{f"question_{key}": "no" for key in QUESTIONS},
    }
    show = author.post("/admin/policies/privacy/drafts/new", data=minor).headers["Location"]
    author.post(f"{show}/submit")
    assert "Two colleagues must read and approve it" in author.get(show).text
    first.post(f"{show}/approve", data={"seen": approval_of(first.get(show).text)})
    page = first.get(show).text
    assert ("1 of 2" in page, "Another colleague must approve it too" in page) == (True, True)
    assert only_draft().state is DraftState.IN_REVIEW
    second.post(f"{show}/approve", data={"seen": approval_of(second.get(show).text)})
    assert "Go on to release version 2" in author.get(show).text


def approval_of(page: str) -> str:
    """The fingerprint of what a reader is about to approve."""
    return seen_on(page)


def test_what_was_not_read_cannot_be_approved(signed_in: SignIn, session: Session, policy: Policy) -> None:
    author, reader = signed_in(Role.POLICY), signed_in(Role.POLICY)
    show = author.post("/admin/policies/privacy/drafts/new", data=FILLED).headers["Location"]
    author.post(f"{show}/submit")
    read = seen_on(reader.get(show).text)
    author.post(f"{show}/edit", data=FILLED | {"summary": "Something else."})
    author.post(f"{show}/submit")
    reader.post(f"{show}/approve", data={"seen": read})
    assert only_draft().state is DraftState.IN_REVIEW
    assert "changed this draft" in reader.get(show).text


def test_a_reader_sends_a_draft_back_with_a_note(signed_in: SignIn, session: Session, policy: Policy) -> None:
    author, reader = signed_in(Role.POLICY), signed_in(Role.POLICY)
    show = author.post("/admin/policies/privacy/drafts/new", data=FILLED).headers["Location"]
    author.post(f"{show}/submit")
    empty = reader.post(f"{show}/send-back", data={"note": ""})
    assert (empty.status_code, "Say what should change" in empty.text) == (422, True)
    reader.post(f"{show}/send-back", data={"note": "Say why <b>seven</b>."})
    assert only_draft().state is DraftState.DRAFT
    page = author.get(show).text
    assert "Say why &lt;b&gt;seven&lt;/b&gt;." in page
    assert "Ask for review" in page


def test_the_review_says_what_the_change_looks_like_and_what_will_happen(
    signed_in: SignIn, session: Session, policy: Policy
) -> None:
    factories.contact(session)
    silent = factories.contact(session, name="Piet Stil")
    consent.suppress(session, silent.primary.email_key, SuppressionReason.HARD_BOUNCE, source="test", at=clock.now())
    session.commit()
    officer = signed_in(Role.POLICY)
    text = f"{NEW_TEXT}\nYou may [complain](/policies/complaints), or see [below](#nowhere).\n"
    show = officer.post("/admin/policies/privacy/drafts/new", data=FILLED | {"text": text}).headers["Location"]
    page = officer.get(show).text
    assert "This change looks material" in page
    assert "“two years” became “seven years”" in page
    assert '<a href="#change-1">' in page
    for row in ("Mail goes out", "Last try", "Earliest lawful date", "Deemed agreement can begin", "Takes effect"):
        assert row in page
    assert "/policies/complaints leads nowhere" in page
    assert "#nowhere leads nowhere" in page
    assert "through it people use their rights" in page
    assert f'<a href="{show}/unreachable">1 person</a>' in page
    assert f'src="{show}/mail?lang=en"' in page
    assert "Piet Stil" in officer.get(f"{show}/unreachable").text


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


def release(author: FlaskClient, other: FlaskClient, session: Session, show: str) -> None:
    """Bring a draft to its release, which tells nobody here."""
    author.post(f"{show}/submit")
    other.post(f"{show}/approve", data={"seen": approval_of(other.get(show).text)})
    draft = queries.get_draft(session, show.rpartition("/")[2])
    actions.release(session, draft, draft.author_id, clock.now())
    session.commit()


def test_only_the_policy_role_writes(signed_in: SignIn, policy: Policy) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/admin/policies/privacy").status_code == 200
    assert "Write version 2" not in auditor.get("/admin/policies/privacy").text
    assert auditor.get("/admin/policies/privacy/drafts/new").status_code == 403
    assert auditor.post("/admin/policies/privacy/drafts/new", data=FILLED).status_code == 403
    assert auditor.get("/admin/policies/nothing").status_code == 404
    assert auditor.get("/admin/policies/drafts/drf_0").status_code == 404
