"""What class a change looks like: minor only where nothing of weight changed, material where a cue was touched."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from click.testing import CliRunner

from mailer.demo.company import text_of
from mailer.policies.advice import Advice, Advised, Cue, advise, cues
from mailer.policies.advice.advising import ENOUGH
from mailer.policies.cli import policy
from mailer.policies.diff import diff
from mailer.policies.documents import read_document
from mailer.policies.rules import QUESTIONS

PAGE = """# Privacy statement

Last updated: 1 May 2026

## What we keep

{}

## Questions

Write to privacy@company.example.
"""

LONG = 3_000
"""More changes than anybody lists."""

MINOR = [
    ("We keep your data for two years.", "We keep your data, for two years!"),
    ("We keep your data for two years.", "We  keep *your data*\nfor two years."),
    ("We keep Your Data for two years.", "We keep your data for two years."),
    ("We don’t sell your data.", "We do not sell your data."),
    ("Notes & questions are kept.", "Notes and questions are kept."),
    ("Cancelled accounts are erased.", "Canceled accounts are erased."),
    ("Your account becomes inaccesible.", "Your account becomes inaccessible."),
    ("We keep the the data you give us.", "We keep the data you give us."),
    ("See [our help](/help/export).", "See [our help](../help/export.html)."),
    ("Wij bewaren uw gegevns twee jaar.", "Wij bewaren uw gegevens twee jaar."),
    ("Wir speichern Ihre Daten, daß Sie sie finden.", "Wir speichern Ihre Daten, dass Sie sie finden."),
    (
        "You write to us when you please.\n\nWe answer each letter, as best we can, on the day it comes in.",
        "You write to us when you please. We answer each letter, as best we can, on the day it comes in.",
    ),
]
MATERIAL = [
    ("We keep your data for 24 months.", "We keep your data for 36 months.", "period", "retention"),
    ("We keep your data for two years.", "We keep your data for seven years.", "period", "retention"),
    ("We keep your data within 30 days.", "We keep your data after 30 days.", "period", "retention"),
    ("We erase your data in 10 working days.", "We erase your data in 10 days.", "period", "retention"),
    ("We do not sell your data.", "We do sell your data.", "negation", None),
    ("We may erase your account.", "We must erase your account.", "modal", None),
    ("We will erase your data.", "We may erase your data.", "modal", "retention"),
    ("We share data with our bank.", "We share data with our bank and with data brokers.", "recipients", "recipients"),
    ("Data stay here.", "Data stay here. We also share them with advertisers.", "recipients", "recipients"),
    ("Data stay here.", "Data stay here. We transfer them to the United States.", "transfers", "transfers"),
    ("We use data to bill you.", "We use data to bill you or train our models.", "purposes", "purposes"),
    ("You pay € 10.", "You pay € 12.", "number", "duties"),
    ("Be kind.", "Be kind. You must be 18 years old to have an account.", "duties", "duties"),
    ("You may complain to us.", "Be well.", "exercise", "exercise"),
    ("The controller is Alpha.", "The controller is Omega.", "controller", "controller"),
    ("We bewaren uw gegevens 24 maanden.", "We bewaren uw gegevens 36 maanden.", "period", "retention"),
    ("Wij verkopen uw gegevens niet.", "Wij verkopen uw gegevens.", "negation", "recipients"),
    (
        "Wij delen gegevens met de bank.",
        "Wij delen gegevens met de bank en met adverteerders.",
        "recipients",
        "recipients",
    ),
    (
        "Gegevens blijven hier.",
        "Gegevens blijven hier. Wij geven ze door buiten de Europese Unie.",
        "transfers",
        "transfers",
    ),
    ("Wir speichern Ihre Daten sechs Monate.", "Wir speichern Ihre Daten zwölf Monate.", "period", "retention"),
    ("Wir geben keine Daten an Dritte weiter.", "Wir geben Daten an Dritte weiter.", "negation", "recipients"),
    ("Sie können widersprechen.", "Sie müssen per Brief widersprechen.", "modal", "exercise"),
]
UNSURE = [
    ("We keep your notes.", "We keep your papers."),
    ("We retain personal data.", "We retain personnel data."),
    ("See the list below.", "See the catalogue there."),
    ("Mail goes by Stripo alone.", "Mail goes by Stripe alone."),
    ("Data are sent to us by you.", "Data are sent to US by you."),
    ("Take 30-60 steps.", "Take 3060 steps."),
    ("Effective Monday.", "Effective Monday. Effective at once all is ours."),
    ("Hello, [see below](#what-we-keep) for more.", "Hello."),
    (
        "We pass on:\n\n- the number of a bill\n\nNot so:\n\n- the number of a bill that we owe\n- all else you wrote",
        "We pass on:\n\n- the number of a bill\n- all else you wrote\n\nNot so:\n\n- the number of a bill that we owe",
    ),
    ("Call us at 020 555 0100.", "Call us at 020 555 0199."),
    ("Write to [us](https://one.example/a).", "Write to [us](https://two.example/b)."),
]
LINKS = [
    ("You may [complain](/complaints).", "You may [complain](/contact).", "exercise"),
    (
        "See the [supervisory authority](https://ap.example/a).",
        "See the [supervisory authority](https://ap.example/b).",
        "exercise",
    ),
    ("The [DPA](/dpa-2025.pdf) applies.", "The [DPA](/dpa-2026.pdf) applies.", "recipients"),
    ("See our [cookies](/cookies).", "See our [cookies](/cookie-list).", "purposes"),
    ("Dien een [klacht](/klachten) in.", "Dien een [klacht](/contact) in.", "exercise"),
    ("Siehe [Anlage 1](/a1).", "Siehe [Anlage 1](/a2).", "recipients"),
    ("You have the right to object [here](/form).", "You have the right to object [here](/page).", "exercise"),
    ("Ask privacy@a.example.", "Ask privacy@b.example.", "exercise"),
]


def advised(old: str, new: str) -> Advised:
    return advise(diff(PAGE.format(old), PAGE.format(new)))


@pytest.mark.parametrize(("old", "new"), MINOR)
def test_what_is_only_written_otherwise_looks_minor(old: str, new: str) -> None:
    assert advised(old, new).advice is Advice.MINOR


@pytest.mark.parametrize(("old", "new", "cue", "question"), MATERIAL)
def test_a_touched_cue_looks_material_and_names_its_question(
    old: str, new: str, cue: str, question: str | None
) -> None:
    found = advised(old, new)
    assert found.advice is Advice.MATERIAL
    reasons = [reason for reason in found.reasons if reason.cue == cue]
    assert reasons, found.reasons
    assert question is None or question in {reason.question for reason in reasons}
    assert all(reason.anchor.startswith("change-") and reason.title == "What we keep" for reason in found.reasons)


@pytest.mark.parametrize(("old", "new"), UNSURE)
def test_what_words_alone_cannot_tell_is_left_to_people(old: str, new: str) -> None:
    assert advised(old, new).advice is Advice.UNSURE


@pytest.mark.parametrize(("old", "new", "question"), LINKS)
def test_a_link_people_depend_on_never_changes_unseen(old: str, new: str, question: str) -> None:
    found = advised(old, new)
    assert found.advice is not Advice.MINOR
    assert (Cue.LINK, question) in {(reason.cue, reason.question) for reason in found.reasons}


def test_the_date_of_the_text_alone_looks_minor() -> None:
    found = advise(diff(PAGE.format("Hello."), PAGE.format("Hello.").replace("1 May", "2 June")))
    assert (found.advice, [reason.cue for reason in found.reasons]) == (Advice.MINOR, [Cue.DATE])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Laatst bijgewerkt: 1 mei 2026", "Laatst bijgewerkt: 2 juni 2026"),
        ("Effective date: 2026-05-01", "Effective date: 2026-06-02"),
        ("Version 2.1, 1 May 2026", "Version 2.2, 2 June 2026"),
        ("Stand: Mai 2026", "Stand: Juni 2026"),
        ("", "Last updated on June 2nd, 2026"),
    ],
)
def test_lines_that_date_the_text_look_minor(old: str, new: str) -> None:
    assert advised(old, new).advice is Advice.MINOR


def test_a_line_that_only_begins_like_a_date_does_not_look_minor() -> None:
    assert advised("Effective fee: 5 euro.", "Effective fee: 6 euro.").advice is Advice.MATERIAL
    assert advised("", "Effective immediately we sell your data.").advice is Advice.MATERIAL


def test_a_section_may_move_but_a_paragraph_may_not_change_its_section_unseen() -> None:
    words = "Everything in this paragraph is about one thing, and it is said in a good many words. " * 2
    one, two, three = (
        f"## One\n\n{words}\n\n",
        "## Two\n\nAnother thing that is said here.\n\n",
        "## Three\n\nA third thing.\n",
    )
    assert advise(diff(one + two + three, two + three + one)).advice is Advice.MINOR
    assert advise(diff(one + two + three, f"## One\n\n{two}{three}\n{words}\n")).advice is Advice.UNSURE


def test_the_same_text_has_no_changed_word() -> None:
    text = PAGE.format("Hello.")
    assert advise(diff(text, text)).as_json() == {
        "advice": "minor",
        "reasons": [
            {"cue": "none", "question": None, "words": "", "title": "", "anchor": "", "text": "No word changed."}
        ],
    }


def test_cue_words_are_found_in_three_languages_and_never_overlap() -> None:
    text = "We don’t keep data for 24 months; wij delen niets met derden; Sie müssen nicht zahlen."
    found = cues.spans(text)
    assert {(text[start:end], cue.value) for start, end, cue in found} == {
        ("don’t", "negation"),
        ("keep", "retention"),
        ("24 months", "period"),
        ("delen", "recipients"),
        ("niets", "negation"),
        ("derden", "recipients"),
        ("Sie müssen", "duties"),
        ("nicht", "negation"),
        ("zahlen", "duties"),
    }
    assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_anyone_gets_the_advice_on_two_files(tmp_path: Path) -> None:
    old, new = tmp_path / "old.md", tmp_path / "new.md"
    old.write_text(PAGE.format("We keep your data for 24 months."))
    new.write_text(PAGE.format("We keep your data for 36 months."))
    shown = CliRunner().invoke(policy, ["advise", str(old), str(new)], catch_exceptions=False).output
    assert "This change looks material" in shown
    assert f"- What we keep: A period changed. “24 months” became “36 months”. {QUESTIONS['retention']}" in shown
    answer = json.loads(CliRunner().invoke(policy, ["advise", str(old), str(new), "--json"]).output)
    assert answer["advice"] == "material"
    assert {"cue", "question", "words", "title", "anchor", "text"} == set(answer["reasons"][0])


def test_no_material_change_of_the_real_histories_looks_minor(shared: Path) -> None:
    """The measure that the advice is held to; the table is printed with `-s`."""
    folder = shared / "data" / "policies"
    pairs = [pair for pair in json.loads((folder / "manifest.json").read_text())["pairs"] if pair.get("label")]
    table: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        old, new = (read_document((folder / pair[side]).read_bytes()) for side in ("old", "new"))
        table[pair["label"], advise(diff(old, new)).advice.value] += 1
    print("\n".join(f"labelled {label:<9} advised {advice:<9} {n:>3}" for (label, advice), n in sorted(table.items())))
    labelled = Counter(pair["label"] for pair in pairs)
    assert table["material", "minor"] == 0
    assert table["minor", "material"] <= labelled["minor"] / 3
    assert table["material", "material"] >= labelled["material"] * 0.8
    assert table["minor", "minor"] >= labelled["minor"] / 2


def test_a_sentence_about_several_things_is_about_what_its_section_is_about() -> None:
    questions = {(reason.title, reason.question) for reason in advise(diff(text_of(1), text_of(2))).reasons}
    assert questions == {("Usage details", "retention"), ("With whom we share data", "recipients")}


def many(wording: str) -> tuple[str, str]:
    """A paragraph of many sentences without a heading, and the same with another word in place of “green” in each."""
    olds = [f"{wording} of house {number} today." for number in range(LONG)]
    letters = str.maketrans("0123456789", "bcdfghjklm")
    news = [old.replace("green", f"a{number}".translate(letters)) for number, old in enumerate(olds)]
    return " ".join(olds), " ".join(news)


def test_a_text_changed_all_over_is_advised_on_at_once_and_says_that_reasons_are_left_out() -> None:
    found = diff(*many("We paint the green door"))
    started = process_time()
    unsure = advise(found)
    assert process_time() - started < 5, "seconds: it took a minute once"
    assert (unsure.advice, len(unsure.reasons)) == (Advice.UNSURE, ENOUGH + 1)
    assert unsure.reasons[-1].text.startswith(f"No more than {ENOUGH} reasons are listed.")
    assert unsure.reasons[-1].anchor == "change-1"
    assert advise(found) is unsure


def test_what_weighs_most_is_among_the_reasons_however_late_it_comes() -> None:
    old, new = many("We paint the green door")
    late = advise(diff(f"{old} We keep your data for two years.", f"{new} We keep your data for seven years."))
    assert late.advice is Advice.MATERIAL
    assert [reason.words for reason in late.reasons if reason.cue is Cue.PERIOD] == ["seven years"]
    assert len(late.reasons) == ENOUGH + 2


@pytest.mark.parametrize(
    ("old", "new", "cue"),
    [
        ("| Data | Sold |\n|---|---|\n| name | ✗ |", "| Data | Sold |\n|---|---|\n| name | ✓ |", "sign"),
        ("Age < 16 is too young.", "Age > 16 is too young.", "sign"),
        (
            "| Data | Shared | Sold |\n|---|---|---|\n| name | yes | |",
            "| Data | Shared | Sold |\n|---|---|---|\n| name | | yes |",
            "place",
        ),
        ("1. We never:\n   - sell data\n   - rent data", "1. We never:\n   - sell data\n2. rent data", "place"),
        ("| Data | Kept |\n|---|---|\n| name | 2 years |", "| Data | Kept |\n|---|---|\n| name | 3 years |", "period"),
    ],
)
def test_what_changed_without_a_word_that_says_so_is_never_minor(old: str, new: str, cue: str) -> None:
    advised = advise(diff(old, new))
    assert advised.advice is not Advice.MINOR
    assert cue in {reason.cue for reason in advised.reasons}
