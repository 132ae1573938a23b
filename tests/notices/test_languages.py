"""Each reader is told in their own language where the version has it, and what counts is always said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.notices import actions as notices
from mailer.notices import preview
from mailer.outbox.models import Content, Mailing, Message
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies import review
from mailer.policies.actions import Translation, Wording
from mailer.policies.models import Version
from mailer.policies.rules import QUESTIONS, Announce, ChangeClass, approvals_needed
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, TEXT, accept, fan_out

ENGLISH = factories.POLICY_TEXT
DUTCH = "# Privacyverklaring\n\n## Wat wij bewaren\n\nWij bewaren uw naam en uw adres twee jaar.\n"
BASE = {"nl": Translation("Privacyverklaring", DUTCH)}
NEW = {
    "nl": Translation(
        "Privacyverklaring",
        DUTCH.replace("twee jaar", "zeven jaar"),
        "Wij bewaren ze zeven jaar.",
        "De fiscus.",
        "Niets.",
    )
}
WORDS = Wording(
    TEXT,
    effective_on=EFFECTIVE_ON,
    summary="We keep them for seven years.",
    why="Tax.",
    impact="Nothing.",
    translations=NEW,
)
ANNOUNCED = replace(
    WORDS,
    change_class=ChangeClass.ORDINARY,
    announce=Announce.EMAIL,
    class_reason="It frees.",
    answers=dict.fromkeys(QUESTIONS, False),
)


def release(
    session: Session, words: Wording = WORDS, base: dict[str, Translation] | None = None, language: str = "en"
) -> tuple[Version, Mailing]:
    """Version 2 of a policy whose first version has these translations, with its mailing."""
    author, *others = (factories.staff(session).id for _ in range(3))
    first = policies.import_first(
        session,
        slug="privacy",
        title="Privacy statement",
        text=ENGLISH if language == "en" else DUTCH,
        effective_on=None,
        at=AT - timedelta(days=300),
        language=language,
        translations=base,
    )
    draft = policies.draft(session, first.policy, words.text, author, AT, words)
    policies.submit(session, draft, author, AT)
    for other in others[: approvals_needed(words.change_class)]:
        policies.approve(session, draft, other, AT)
    version = policies.release(session, draft, author, AT)
    mailing = notices.plan(session, version, AT)
    assert mailing is not None
    return version, mailing


def content(session: Session, mailing: Mailing, locale: str) -> Content:
    return session.get_one(Content, mailing.contents[locale])


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_reader_of_a_translation_is_told_in_it_with_its_own_old_and_new_wording(session: Session) -> None:
    version, mailing = release(session, base=BASE)
    dutch, english = content(session, mailing, "nl"), content(session, mailing, "en")
    assert dutch.subject == "Privacyverklaring: wijziging per 8 januari 2027"
    said = flat(dutch.text)
    for words in (
        "Wij bewaren ze zeven jaar.",
        "Wij bewaren uw naam en uw adres twee jaar.",
        "Wij bewaren uw naam en uw adres zeven jaar.",
        "De fiscus.",
        "U leest een vertaling. De tekst in het Engels is bindend.",
        "/policies/privacy/diff/1..2?lang=nl",
    ):
        assert words in said
    assert "We keep" not in said
    assert "seven years" in flat(english.text)
    assert "translation" not in english.text
    translation = version.in_language("nl")
    assert translation is not None
    assert translation.sha256 in dutch.text
    assert version.sha256 in english.text


def test_a_reader_without_a_translation_gets_the_text_that_counts_and_is_told_so(session: Session) -> None:
    _, mailing = release(session, replace(WORDS, translations={}), base=BASE)
    dutch = content(session, mailing, "nl")
    said = flat(dutch.text)
    assert "We keep them for seven years." in said
    assert "Van deze tekst is er geen Nederlandse vertaling; hij staat hier in het Engels." in said
    assert re.search(r'<p lang="en" dir="ltr"[^>]*>Tax\.</p>', dutch.html)
    assert "?lang=" not in said


@pytest.mark.parametrize("before", [None, NEW], ids=["not translated before", "no word of the translation changed"])
def test_changes_are_quoted_from_the_text_that_counts_where_the_translation_shows_none(
    session: Session, before: dict[str, Translation] | None
) -> None:
    _, mailing = release(session, base=before)
    said = flat(content(session, mailing, "nl").text)
    assert "Wij bewaren ze zeven jaar." in said
    assert "We keep your name and your address for seven years." in said
    assert "De wijzigingen zijn aangehaald uit de tekst in het Engels." in said


def test_where_dutch_counts_the_english_reader_is_told_so(session: Session) -> None:
    words = replace(WORDS, text=NEW["nl"].text, summary="Zeven jaar.", translations={})
    _, mailing = release(session, words, language="nl")
    english = flat(content(session, mailing, "en").text)
    assert "There is no English translation of this text; it is given in Dutch." in english
    assert "vertaling" not in content(session, mailing, "nl").text


def test_an_announcement_speaks_the_readers_language_too(session: Session) -> None:
    _, mailing = release(session, ANNOUNCED, base=BASE)
    dutch = content(session, mailing, "nl")
    assert dutch.kind is MailKind.ANNOUNCEMENT
    assert dutch.subject == "Privacyverklaring verandert vanaf 8 januari 2027"
    assert "De tekst in het Engels is bindend." in flat(dutch.text)
    assert '<div lang="nl" dir="ltr">' in dutch.html
    assert "Wij bewaren ze zeven jaar." in dutch.html


def test_a_withdrawal_speaks_the_language_of_the_notice(session: Session) -> None:
    bas = factories.contact(session, locale="nl")
    version, mailing = release(session, base=BASE)
    fan_out(session, mailing)
    accept(session, version, bas)
    assert notices.withdraw(session, version, version.author_id or "", "Een vergissing.", AT) == 1
    [letter] = session.scalars(select(Message).where(Message.kind == MailKind.WITHDRAWAL))
    assert "Privacyverklaring" in letter.content.subject
    assert "Een vergissing." in letter.content.text


def test_the_sample_of_a_draft_is_the_mail_in_each_language(session: Session) -> None:
    version, _ = release(session, base=BASE)
    words = replace(WORDS, text=f"{TEXT}\nMore.\n", summary="More.", effective_on=EFFECTIVE_ON + timedelta(days=60))
    author = factories.staff(session).id
    draft = policies.draft(session, version.policy, words.text, author, AT, words)
    shown = {locale: preview.of_draft(review.review(session, draft, AT.date()), locale) for locale in ("en", "nl")}
    assert shown["en"] is not None
    assert shown["nl"] is not None
    assert "More." in shown["en"].text
    assert "Wij bewaren ze zeven jaar." in flat(shown["nl"].text)
    assert "aangehaald uit de tekst in het Engels" in flat(shown["nl"].text), "no word of the translation changed"
    assert "/policies/privacy/diff/2..3?lang=nl" in shown["nl"].text
    session.commit()
    numbers = session.scalars(select(Version.number).order_by(Version.number)).all()
    assert numbers == [1, 2], "a sample is never kept"
