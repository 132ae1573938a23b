"""The phrases of the public pages: each in every language, with the same gaps, and none of them markup."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from mailer.policies.diff.model import Change
from mailer.policies.diff.tongues import DUTCH, ENGLISH, Tongue
from mailer.policies.public.words import WORDS, Words, words_for

GAP = re.compile(r"\{(\w*)\}")


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_every_phrase_with_the_same_gaps(language: str) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()
    for phrase, said in WORDS[language].items():
        for form in said.split("|"):
            assert set(GAP.findall(form)) == set(GAP.findall(WORDS["en"][phrase].split("|")[0])), phrase
        assert said.count("|") == WORDS["en"][phrase].count("|"), phrase


def test_no_phrase_is_markup() -> None:
    assert not [said for phrases in WORDS.values() for said in phrases.values() if set("<>&") & set(said)]


def test_every_remark_on_a_change_is_there_in_dutch() -> None:
    assert DUTCH.remarks.keys() == ENGLISH.remarks.keys()
    assert DUTCH.kinds.keys() == ENGLISH.kinds.keys()
    for field in fields(Tongue):
        ours, theirs = getattr(DUTCH, field.name), getattr(ENGLISH, field.name)
        if isinstance(theirs, str):
            assert GAP.findall(ours) == GAP.findall(theirs), field.name


def test_many_renumberings_are_one_line_in_either_language() -> None:
    many = Change("3 headings and 1 clause renumbered", "renumbered", "change-1", headings=3, items=1)
    assert ENGLISH.title(many) == many.title
    assert DUTCH.title(many) == "3 koppen en 1 bepaling hernummerd"
    one = Change("Cookies", "renumbered", "change-1", headings=1)
    assert DUTCH.title(one) == "Cookies"


def test_numbers_take_their_form_and_what_is_filled_in_is_text() -> None:
    say = Words("en")
    assert say("versions_count", n=1) == "1 version"
    assert say("versions_count", n=2) == "2 versions"
    assert say("versions_of", title="<b>") == "Versions of &lt;b&gt;"
    assert say.plain("versions_of", title="<b>") == "Versions of <b>"


def test_a_language_that_we_do_not_speak_is_answered_in_the_next_best() -> None:
    assert words_for("de").language == "en"
    assert words_for("de", "nl").language == "nl"
    assert words_for("nl").name_of("en") == "Engels"
