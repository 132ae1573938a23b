"""Staff write and approve versions; what is wrong is said at its field and nothing typed is lost."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.db import reading
from mailer.policies.models import DraftTranslation, Policy
from mailer.policies.rules import QUESTIONS, DraftState
from mailer.staff.rules import Role
from tests import factories
from tests.policies.desk import FILLED, NEW_TEXT, WORDLESS, SignIn, approval_of, drafts, only_draft, seen_on

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


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


def test_only_the_policy_role_writes(signed_in: SignIn, policy: Policy) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/admin/policies/privacy").status_code == 200
    assert "Write version 2" not in auditor.get("/admin/policies/privacy").text
    assert auditor.get("/admin/policies/privacy/drafts/new").status_code == 403
    assert auditor.post("/admin/policies/privacy/drafts/new", data=FILLED).status_code == 403
    assert auditor.get("/admin/policies/nothing").status_code == 404
    assert auditor.get("/admin/policies/drafts/drf_0").status_code == 404
