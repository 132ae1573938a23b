"""What words are enough to end a contract, and what beside them leaves it to a person."""

import pytest

from mailer.inbound import doubts, sentences, wording
from mailer.inbound.child import read_here
from mailer.inbound.rules import FOR_A_PERSON, MACHINE, Kind
from tests.benchmarks.mail import terminations

from .letters import letter


@pytest.mark.parametrize("name", ["tune", "final"])
def test_the_corpus_is_read_as_its_writers_meant_it(name: str) -> None:
    replies = terminations.rows(name)
    score = terminations.measure(replies)
    assert score.discarded == 0, list(terminations.misread(replies))
    assert score.recorded_wrongly == 0, list(terminations.misread(replies))
    assert score.recall >= 0.8, list(terminations.misread(replies))


def test_the_corpus_is_large_enough_and_a_third_of_it_was_never_tuned_on() -> None:
    tune, final = (terminations.rows(name) for name in ("tune", "final"))
    assert len(tune) + len(final) >= 300
    assert len(final) >= (len(tune) + len(final)) // 3
    assert not {row.get("text") for row in tune} & {row.get("text") for row in final} - {None, ""} - _NOTICES
    assert {row["language"] for row in tune + final} == {"nl", "en", "de", "fr"}
    assert {row["expected"] for row in final} == set(terminations.KINDS)


# A quoted notice alone is the same text in both.
_NOTICES = {row["text"] for row in terminations.rows("tune") if row["why"].startswith("quoted notice only")}


def test_what_only_sounds_like_it_is_never_recorded() -> None:
    texts = (terminations.FOLDER / "never.txt").read_text("utf-8").splitlines()
    seen = {text: read_here(letter(text.replace("\\n", "\n"))).kind for text in texts}
    wrong = [text for text, kind in seen.items() if kind not in FOR_A_PERSON | {Kind.LEAVE_NEWSLETTERS}]
    assert len(texts) > 150
    assert wrong == []


def test_the_common_ways_of_saying_it_are_recorded() -> None:
    texts = (terminations.FOLDER / "plain.txt").read_text("utf-8").splitlines()
    missed = [text for text in texts if read_here(letter(text.replace("\\n", "\n"))).kind is not Kind.TERMINATION]
    assert len(texts) > 80
    assert missed == []


DOUBTED = (
    ("I do not terminate the contract. I terminate the contract.", "speaks of ending elsewhere"),
    ("If the price goes up, I terminate the contract.", "a condition: if"),
    ("I terminate the contract. Unless you call me.", "a condition: unless"),
    ("Maybe I terminate the contract.", "not certain: maybe"),
    ("One more mail and I terminate the contract.", "a threat: one more"),
    ("I terminate the contract. Just kidding.", "another turn: kidding"),
    ("Sure, I terminate the contract.", "perhaps not in earnest"),
    ("I terminate the contract ;-)", "perhaps not in earnest: ;-)"),
    ("On behalf of Ann I terminate the contract.", "for somebody else: on behalf"),
    ("I terminate the contract for the second module.", "only a part"),
    ("He said I terminate the contract.", "what others say: said"),
    ("I already said it, I terminate the contract.", "in the past: already"),
    ("I terminate the contract of our landlord in TRAC.", None),
    ("I terminate the contract and want a new contract.", "another thing instead: new contract"),
    ("Tell me how I terminate the contract.", "an indirect question"),
    ("I terminate the contract, but not today.", "something is added with a but"),
    ("Lower the price or I terminate the contract.", "an alternative or a consequence"),
    ("I terminate the contract. No.", "a negation follows"),
    ("I terminate the contract. Only for Ann.", "only a part: only"),
    ("I terminate the contract. We agree to the rest.", "agrees: we agree"),
    ("I terminate the contract. What happens to my files?", "a question"),
    ('We read "New terms". I terminate the contract.', "words in quotation marks"),
)


@pytest.mark.parametrize(("text", "doubt"), DOUBTED)
def test_every_doubt_is_named(text: str, doubt: str | None) -> None:
    said = wording.read(text)
    assert (said.terminates is None) is (doubt is None)
    assert doubt is None or any(named.startswith(doubt) for named in said.doubts), said.doubts


CERTAIN = (
    "I do not agree with the new terms, so I terminate the contract.",
    "I terminate the contract. If you need anything else, call me.",
    "I terminate the contract. Can you confirm this?",
    "Could you please terminate our contract?",
    "I hereby\nterminate the\nagreement.",
    "Omdat wij niet akkoord gaan, zeggen wij het contract op. Mocht u nog vragen hebben, dan hoor ik het graag.",
    "Zeg s.v.p. mijn contract op.",
)


@pytest.mark.parametrize("text", CERTAIN)
def test_what_people_add_who_do_leave_is_no_doubt(text: str) -> None:
    said = wording.read(text)
    assert said.terminates is not None
    assert said.doubts == ()


def test_a_long_story_waits_for_a_person() -> None:
    said = wording.read("I terminate the contract. " + "It was a good time with good people. " * 40)
    assert f"longer than {doubts.MOST_WORDS} words" in said.doubts


SLIPS = (
    ("acount", "account"), ("subscribtion", "subscription"), ("opzegen", "opzeggen"), ("overeenkomts", "overeenkomst"),
    ("TERMIANTE", "TERMINATE"), ("beindig", "beëindig"),
)  # fmt: skip


@pytest.mark.parametrize(("slip", "meant"), SLIPS)
def test_a_slip_of_the_keyboard_is_mended(slip: str, meant: str) -> None:
    assert sentences.squeezed(slip) == meant


@pytest.mark.parametrize("word", ["contact", "accounts", "contrat", "terminated", "opzegt", "amount", "abonnementen"])
def test_a_word_of_its_own_is_left_alone(word: str) -> None:
    assert sentences.squeezed(word) == word


def test_sentences_end_where_a_reader_would_end_them() -> None:
    text = sentences.squeezed("Ik zeg s.v.p. op per 3. november. Dank!  Tot ziens\n\nJan")
    assert sentences.split(text) == ["Ik zeg svp op per 3 november.", "Dank!", "Tot ziens", "Jan"]


def test_greeting_closing_and_thanks_are_no_part_of_what_is_said() -> None:
    text = "Beste Leadmark,\n\nIk zeg op. Alvast bedankt!\n\nMet vriendelijke groet,\nJan de Wit\nInkoop"
    head, body, tail = sentences.parts(text)
    assert (head, body) == ("Beste Leadmark,", "Ik zeg op.")
    assert tail.startswith("Alvast bedankt!")
    assert tail.endswith("Inkoop")


AROUND = (
    "Ik zeg op.\n\nGroet,\nJan\n\nPS: alleen als de prijs stijgt.",
    "Ik zeg op.\n\nGroet, Jan (grapje)",
    "Hallo, als jullie dit doen\nDan zeg ik het contract op.",
    "Ik zeg op.\n\nGroeten,\nJan\nWanneer krijg ik antwoord?",
    "opzeggen\n\nmvg\nnamens mijn moeder",
    "Ik zeg op.\n\nDit is vertrouwelijk: alleen als de prijs stijgt.",
)


@pytest.mark.parametrize("text", AROUND)
def test_a_doubt_in_the_greeting_or_below_the_name_counts(text: str) -> None:
    assert read_here(letter(text)).kind in FOR_A_PERSON


def test_nobody_s_mail_in_the_corpus_is_taken_for_a_machine_s() -> None:
    persons = [row for name in ("tune", "final") for row in terminations.rows(name) if row["expected"] != "auto"]
    assert [row["id"] for row in persons if read_here(terminations.as_mail(row)).kind in MACHINE] == []
