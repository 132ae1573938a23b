"""One version in several languages: approved together, released together, as immutable as the text that counts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer.errors import MailerError
from mailer.ledger.models import LedgerEntry
from mailer.policies import actions, languages, queries, rules, wording, written
from mailer.policies.actions import Translation, Wording
from mailer.policies.cli import policy as policy_command
from mailer.policies.models import Draft, Policy, VersionTranslation
from tests import factories

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LAWFUL = date(2027, 1, 8)
TEXT = factories.POLICY_TEXT
OLD_DUTCH = "# Privacyverklaring\n\n## Wat wij bewaren\n\nWij bewaren uw naam en uw adres twee jaar.\n"
DUTCH = Translation("Privacyverklaring", OLD_DUTCH)
NEW_DUTCH = Translation(
    "Privacyverklaring",
    OLD_DUTCH.replace("Wat wij bewaren", "Wat wij houden").replace("twee jaar", "zeven jaar"),
    "Wij bewaren uw gegevens zeven jaar.",
)
GERMAN = Translation("Datenschutz", "# Datenschutz\n\nWir speichern Ihren Namen sieben Jahre.\n", "Sieben Jahre.")
MATERIAL = Wording(
    TEXT.replace("two years", "seven years"),
    effective_on=LAWFUL,
    summary="Seven years.",
    translations={"nl": NEW_DUTCH},
)


@pytest.fixture
def policy(session: Session) -> Policy:
    """A policy in English with a Dutch translation."""
    version = actions.import_first(
        session, slug="privacy", title="Privacy", text=TEXT, effective_on=None, at=AT, translations={"nl": DUTCH}
    )
    return version.policy


@pytest.fixture
def people(session: Session) -> tuple[str, str]:
    """The author and another person."""
    return factories.staff(session).id, factories.staff(session).id


def ready(session: Session, policy: Policy, people: tuple[str, str], words: Wording = MATERIAL) -> Draft:
    """A draft that the other person approved."""
    draft = actions.draft(session, policy, words.text, people[0], AT, words)
    actions.submit(session, draft, people[0], AT)
    actions.approve(session, draft, people[1], AT)
    return draft


def test_a_version_is_released_in_every_language_at_once(
    session: Session, policy: Policy, people: tuple[str, str]
) -> None:
    words = replace(MATERIAL, translations={"nl": NEW_DUTCH, "de": GERMAN})
    version = actions.release(session, ready(session, policy, people, words), people[0], AT)
    session.commit()
    assert version.languages == ["en", "de", "nl"]
    assert version.in_language("en") is version
    assert version.in_language("fr") is None
    dutch = version.in_language("nl")
    assert isinstance(dutch, VersionTranslation)
    assert (dutch.title, dutch.text, dutch.summary) == (NEW_DUTCH.title, NEW_DUTCH.text, NEW_DUTCH.summary)
    released = select(LedgerEntry).where(LedgerEntry.kind == "policy.released").order_by(LedgerEntry.seq)
    entry = session.scalars(released).all()[-1]
    digests = json.loads(entry.subjects)["translations"]
    assert digests == {row.language: row.sha256 for row in version.translations}
    assert len(digests["nl"]) == 64


def test_a_section_keeps_its_id_when_its_heading_is_reworded_in_every_language(
    session: Session, policy: Policy, people: tuple[str, str]
) -> None:
    words = replace(MATERIAL, text=MATERIAL.text.replace("## What we keep", "## What we hold"))
    version = actions.release(session, ready(session, policy, people, words), people[0], AT)
    assert version.anchors == ["privacy-statement", "what-we-keep"]
    dutch = version.in_language("nl")
    assert dutch is not None
    assert dutch.anchors == ["privacyverklaring", "wat-wij-bewaren"]


def test_a_new_draft_begins_with_the_translations_of_its_base(
    session: Session, policy: Policy, people: tuple[str, str]
) -> None:
    draft = actions.draft(session, policy, MATERIAL.text, people[0], AT, replace(MATERIAL, translations=None))
    assert wording.translations_of(draft) == {"nl": DUTCH}
    base = queries.shelf(session, policy).latest()
    assert wording.stale_translations(draft, base) == ["nl"]
    with pytest.raises(written.BadText, match="summary_nl: say in Nederlands too") as raised:
        actions.submit(session, draft, people[0], AT)
    assert raised.value.field == "summary_nl"
    actions.edit(session, draft, replace(MATERIAL, translations=None), people[0], AT)
    assert wording.translations_of(draft) == {"nl": DUTCH}, "an edit that says nothing of them leaves them"
    actions.edit(session, draft, MATERIAL, people[0], AT)
    assert wording.stale_translations(draft, base) == []
    actions.edit(session, draft, replace(MATERIAL, translations={}), people[0], AT)
    session.commit()
    assert session.get_one(Draft, draft.id, populate_existing=True).translations == [], "a translation may be left out"


def test_a_translation_alone_may_change(session: Session, policy: Policy, people: tuple[str, str]) -> None:
    same = replace(MATERIAL, text=TEXT, translations={"nl": DUTCH})
    with pytest.raises(rules.NothingChanged, match="in every language"):
        ready(session, policy, people, same)
    version = actions.release(session, ready(session, policy, people, replace(MATERIAL, text=TEXT)), people[0], AT)
    assert (version.number, version.text) == (2, TEXT)


@pytest.mark.parametrize(
    "changed",
    [
        {"nl": replace(NEW_DUTCH, text=OLD_DUTCH)},
        {"nl": replace(NEW_DUTCH, title="Privacy")},
        {"nl": replace(NEW_DUTCH, impact="Niets.")},
        {"nl": NEW_DUTCH, "de": GERMAN},
        {},
    ],
)
def test_an_approval_covers_every_language(
    session: Session, policy: Policy, people: tuple[str, str], changed: dict[str, Translation]
) -> None:
    draft = ready(session, policy, people)
    before = actions.fingerprint(draft, None)
    draft.revision -= 1  # so that nothing but the words differs
    actions.edit(session, draft, replace(MATERIAL, translations=changed), people[0], AT)
    assert actions.fingerprint(draft, None) != before


@pytest.mark.parametrize(
    ("language", "said", "field", "words"),
    [
        ("en", DUTCH, "language", "the policy itself is written in English"),
        ("xx", DUTCH, "language", "“xx” is not a language known here"),
        ("nl", replace(DUTCH, title=" "), "title_nl", "in Nederlands"),
        ("nl", replace(DUTCH, title="a\r\nBcc: b"), "title_nl", "line end"),
        ("nl", replace(DUTCH, text=" "), "text_nl", "no words"),
        ("nl", replace(DUTCH, why="\x07"), "why_nl", "control character"),
    ],
)
def test_a_translation_that_cannot_be_kept_is_refused_at_its_field(
    session: Session, policy: Policy, people: tuple[str, str], language: str, said: Translation, field: str, words: str
) -> None:
    with pytest.raises(MailerError, match=words) as raised:
        actions.draft(session, policy, MATERIAL.text, people[0], AT, replace(MATERIAL, translations={language: said}))
    assert raised.value.field == field


def test_a_policy_may_be_written_in_another_language_than_english(session: Session) -> None:
    version = actions.import_first(
        session,
        slug="voorwaarden",
        title="Voorwaarden",
        text=OLD_DUTCH,
        effective_on=None,
        at=AT,
        language="NL",
        translations={"en": Translation("Terms", TEXT)},
    )
    assert (version.language, version.languages) == ("nl", ["nl", "en"])
    with pytest.raises(languages.UnknownLanguage):
        actions.create(session, slug="other", title="Other", concerns=["subscriber"], at=AT, language="xx")


def test_the_database_refuses_to_change_a_translation_of_a_version(session: Session, policy: Policy) -> None:
    session.commit()
    for statement in ("UPDATE version_translations SET text = 'x'", "DELETE FROM version_translations"):
        with pytest.raises(DatabaseError, match="append-only"):
            session.execute(text(statement))
        session.rollback()
    assert session.scalars(select(VersionTranslation.text)).all() == [OLD_DUTCH]


def test_every_language_has_its_own_name_and_direction() -> None:
    assert all(len(code) == 2 and name for code, name in rules.LANGUAGES.items())
    assert set(rules.LANGUAGES) >= languages.RIGHT_TO_LEFT
    assert [rules.is_right_to_left(code) for code in ("ar", "nl")] == [True, False]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_files_bring_a_policy_in_with_its_translations(session: Session, tmp_path: Path) -> None:
    english, dutch, new = tmp_path / "en.md", tmp_path / "nl.html", tmp_path / "new.txt"
    english.write_text(TEXT)
    dutch.write_text("<h1>Privacyverklaring</h1><h2>Wat wij bewaren</h2><p>Uw naam, twee jaar.</p>")
    new.write_text(MATERIAL.text)
    who = factories.staff(session)
    session.commit()

    def bring(*words: str) -> None:
        result = CliRunner().invoke(policy_command, ["import", *words, "--slug", "privacy"], catch_exceptions=False)
        assert result.exit_code == 0, result.output

    bring(str(dutch), "--language", "nl", "--translation", "en", str(english))
    bring(str(new), "--author", who.email, "--translation", "en", str(new))
    version = queries.shelf(session, queries.get(session, "privacy")).get(1)
    assert (version.language, version.title, version.languages) == ("nl", "Privacyverklaring", ["nl", "en"])
    found = session.scalars(select(Draft)).one()
    assert wording.translations_of(found) == {"en": Translation("Privacy statement", MATERIAL.text)}
