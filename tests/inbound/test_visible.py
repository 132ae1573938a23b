"""The sender's words, told from quotation and signature."""

import json
import re

import pytest

from mailer.inbound.htmltext import to_text
from mailer.inbound.parse import parse
from mailer.inbound.visible import Shape, separate, visible_text

from .letters import corpus

QUOTE = "> Our terms change.\n> Reply to leave."
OWN = "Dank voor het bericht.\n\nGroet, Jan"

ABOVE = (
    f"On Mon, 3 Nov 2025 at 10:00, Sample BV <info@example.com> wrote:\n{QUOTE}",
    f"On Mon, 3 Nov 2025 at 10:00, A Company With Quite A Long Name <information@example.com>\nwrote:\n\n{QUOTE}",
    f"Op ma 3 nov. 2025 om 10:00 schreef Sample BV <info@example.com>:\n{QUOTE}",
    f"> Op 3 nov. 2025 om 10:00 heeft Sample BV <info@example.com> het volgende geschreven:\n>\n{QUOTE}",
    f"Am 03.11.2025 um 10:00 schrieb Sample BV:\n{QUOTE}",
    f"Le lun. 3 nov. 2025 à 10:00, Sample BV <info@example.com> a écrit :\n{QUOTE}",
    f"El lun, 3 nov 2025 a las 10:00, Sample BV (<info@example.com>) escribió:\n{QUOTE}",
    "Op 3 nov. 2025 om 10:00 schreef Sample BV <info@example.com>:\n\nOur terms change.\nReply to leave.",
    "Van: Sample BV <info@example.com>\nVerzonden: maandag 3 november 2025 10:00\nAan: Jan\nOnderwerp: Terms\n\nTerms.",
    "From: Sample BV\nSent: Monday, November 3, 2025 10:00 AM\nTo: Jan\nSubject: Terms\n\nOur terms change.",
    "*Von:* Sample BV\n*Gesendet:* Montag, 3. November 2025 10:00\n*An:* Jan\n*Betreff:* Terms\n\nOur terms.",
    "De : Sample BV\nEnvoyé : lundi 3 novembre 2025 10:00\nÀ : Jan\nObjet : Terms\n\nOur terms.",
    "De: Sample BV\nEnviado: lunes, 3 de noviembre de 2025\nPara: Jan\nAsunto: Terms\n\nOur terms.",
    "Gesendet: Montag\nVon: Sample BV\nAn: Jan\nBetreff: Terms\n\nOur terms.",
    "-----Original Message-----\nOur terms change.",
    "-----Oorspronkelijk bericht-----\nOur terms change.",
    f"-------- Original Message --------\nOn 03/11/2025 10:00, Sample BV wrote:\n\n{QUOTE}",
    "________________________________\nVan: Sample BV\nVerzonden: maandag\nAan: Jan\nOnderwerp: Terms\n\nOur terms.",
    f"Sent with Proton Mail secure email.\n\nOn Monday, November 3rd, 2025 at 10:00, Sample wrote:\n\n{QUOTE}",
    f"Verzonden vanaf mijn iPhone\n\nOp 3 nov 2025 om 10:00 schreef Sample:\n{QUOTE}",
    "-- \nJan de Wit\nExample BV",
    "Get Outlook for iOS",
    QUOTE,
)


@pytest.mark.parametrize("below", ABOVE)
def test_only_the_words_above_a_quotation_are_the_sender_s(below: str) -> None:
    visible = separate(f"{OWN}\n\n{below}\n")
    assert visible.text == OWN
    assert visible.shape in (Shape.ABOVE, Shape.ALONE)


def test_words_below_a_quotation_count() -> None:
    visible = separate(f"On 3 Nov 2025, Sample wrote:\n{QUOTE}\n\n{OWN}\n-- \nJan")
    assert (visible.text, visible.shape) == (OWN, Shape.BELOW)


def test_words_that_touch_the_quotation_are_not_certain() -> None:
    assert separate(f"{QUOTE}\nterminates it").shape is Shape.BETWEEN


def test_inline_answers_are_all_shown() -> None:
    visible = separate("Dag,\n> een?\nja\n> twee?\nnee")
    assert (visible.text, visible.shape) == ("Dag,\n\nja\n\nnee", Shape.BETWEEN)


@pytest.mark.parametrize("line", ["Ik ga weg.", "Hi,", "On Monday I leave."])
def test_a_line_right_above_an_attribution_is_kept(line: str) -> None:
    assert visible_text(f"{line}\nOn Tue, 4 Nov 2025 at 10:00, Sample <i@example.com> wrote:\n{QUOTE}") == line


@pytest.mark.parametrize(
    "text",
    [
        "On your side you can run:\n\n    this",
        "Van: hier tot daar loopt de lijn.",
        "Sent from my desk, which is easier than my telephone.",
        "Von Berlin",
        "- first\n- second",
        "We spoke at 10:30:\nall is well",
    ],
)
def test_a_person_s_words_are_not_taken_for_a_quotation(text: str) -> None:
    assert visible_text(text) == text


def test_nothing_is_shown_where_nothing_was_written() -> None:
    assert separate(f"On 3 Nov 2025, Sample wrote:\n{QUOTE}") == separate(QUOTE)
    assert separate(QUOTE).shape is Shape.NOTHING


def test_words_below_an_unmarked_quotation_are_never_hidden() -> None:
    visible = separate("From: Sample\nSent: Monday\nTo: Jan\nSubject: Terms\n\nOur terms.\n\nIk zeg op.")
    assert visible.shape is Shape.UNCLEAR
    assert "Ik zeg op." in visible.text


def test_a_mail_that_is_all_signature_is_shown() -> None:
    assert visible_text("-- \nIk zeg op") == "--\nIk zeg op"


def test_html_is_read_where_there_is_no_text() -> None:
    html = "<p>Ik zeg op</p><div>Op 3 nov 2025 om 10:00 schreef Sample:<blockquote><p>Terms</p></blockquote></div>"
    assert visible_text("", html) == "Ik zeg op"
    assert visible_text(" \n", html) == "Ik zeg op"


@pytest.mark.parametrize(
    "html", ["", "<", "<!-- x", "<div>" * 5_000 + "x", "\0<p>x", "<?xml version='1.0' encoding='x'?><p>x"]
)
def test_any_html_gives_some_text(html: str) -> None:
    assert isinstance(to_text(html), str)


def test_visible_text_of_real_replies() -> None:
    """The stated expectations of three collections; they disagree among themselves on greetings and inline answers."""
    stated = met = 0
    for name in ("mail-parser-reply", "github-email-reply-parser", "extended-email-reply-parser"):
        folder = corpus(name)
        for entry in json.loads((folder / "manifest.json").read_text())["entries"]:
            raw = (folder / entry["file"]).read_bytes()
            text = parse(raw).text if entry["format"] == "eml" else raw.decode("utf-8", "replace")
            own = visible_text(text)
            assert own, f"{entry['file']} shows nothing"
            if expected := entry.get("expected"):
                stated += 1
                met += (
                    own == expected.get("visible", own).strip()
                    and all(part in own for part in expected.get("contains", []))
                    and not any(part in own for part in expected.get("not_contains", []))
                    and all(re.search(start, own) for start in expected.get("first_fragment_matches", []))
                )
    print(f"\nreply collections: {met} of {stated} expectations met")
    assert met >= 0.8 * stated
