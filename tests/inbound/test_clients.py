"""What mail programs write around an answer, in their languages: only the answer is the sender's own."""

import pytest

from mailer.inbound.visible import CERTAIN, separate

OWN = "Dank voor het bericht, dit is mijn antwoord."
MARKED = "> Our terms change.\n> Reply to leave."
UNMARKED = "Our terms change.\nReply to leave."

ATTRIBUTIONS = (
    "Op 3 nov 2025 om 10:12 heeft Leadmark <info@example.com> het volgende geschreven:",
    "Op 3 nov. 2025, om 10:12 heeft Leadmark <info@example.com> het volgende geschreven:",
    "Am 03.11.2025 um 10:12 schrieb Leadmark <info@example.com>:",
    "Am Mo., 3. Nov. 2025 um 10:12 Uhr schrieb Leadmark <info@example.com>:",
    "El 3 nov 2025, a las 10:12, Leadmark <info@example.com> escribió:",
    "El lun, 3 nov 2025 a las 10:12, Leadmark (<info@example.com>) escribió:",
    "El lunes, 3 de noviembre de 2025 a las 10:12, Leadmark <info@example.com> escribió:",
    "Le 3 nov. 2025 à 10:12, Leadmark <info@example.com> a écrit :",
    "Le 03/11/2025 à 10:12, Leadmark a écrit :",
    "Le lundi 3 novembre 2025 à 10:12, Leadmark <info@example.com> a écrit :",
    "Op 03-11-2025 om 10:12 schreef Leadmark:",
    "Op 3-11-2025 10:12, Leadmark schreef:",
    "Op maandag 3 november 2025 om 10:12 schreef Leadmark <info@example.com>:",
    "Op maandag 3 november 2025 10:12:33 CET schreef Leadmark <info@example.com>:",
    "Am 03.11.25 um 10:12 schrieb Leadmark:",
    "El 3/11/25 a las 10:12, Leadmark escribió:",
    "On Monday, November 3rd, 2025 at 10:12 AM, Leadmark <info@example.com> wrote:",
    "On Monday, 3 November 2025 at 10:12:33 CET, Leadmark <info@example.com> wrote:",
    "On 11/3/25 10:12 AM, Leadmark wrote:",
    "Leadmark <info@example.com> schrieb am Mo., 3. Nov. 2025, 10:12:",
    "Leadmark <info@example.com> schreef op 3 november 2025 10:12:",
    "Leadmark <info@example.com> wrote on Monday, 3 November 2025, 10:12:",
    "Leadmark <info@example.com> escribió el lun. 3 nov 2025 a las 10:12:",
    "Leadmark <info@example.com> a écrit le lun. 3 nov. 2025 à 10:12 :",
    "Leadmark <info@example.com> wrote:",
    "2025-11-03 10:12 GMT+01:00 Leadmark <info@example.com>:",
    "Em seg., 3 de nov. de 2025 às 10:12, Leadmark <info@example.com> escreveu:",
    "Il giorno lun 3 nov 2025 alle ore 10:12 Leadmark <info@example.com> ha scritto:",
    "On Nov 3, 2025, at 10:12 AM, Leadmark <info@example.com> wrote:",
    "On 3 Nov 2025, at 10:12, Leadmark <info@example.com> wrote:",
    "Op di 3 nov. 2025 10:12 schreef Leadmark <info@example.com>:",
    "Op 3 november 2025 10:12:13 CET schreef Leadmark <info@example.com>:",
    "maandag 3 november 2025 om 10:12, Leadmark <info@example.com> schreef:",
    "Op ma 3 nov 2025 om 10:12 schreef Leadmark Contractbeheer <reply+k7abcdefgh@mail.example.com>:",
)


@pytest.mark.parametrize("line", ATTRIBUTIONS)
@pytest.mark.parametrize(
    "quoted",
    [f"{{line}}\n\n{MARKED}", f"{{line}}\n\n{UNMARKED}", f"> {{line}}\n>\n{MARKED}", f"{{wrapped}}\n\n{MARKED}"],
    ids=["marked", "not marked", "marked itself", "wrapped"],
)
def test_the_line_above_a_quotation_is_not_the_sender_s(line: str, quoted: str) -> None:
    head, _, last = line.rpartition(" ")
    wrapped = f"{head}\n{last}" if len(line) > 60 else line
    visible = separate(f"{OWN}\n\n{quoted.format(line=line, wrapped=wrapped)}\n")
    assert visible.text == OWN
    assert visible.shape in CERTAIN


BLOCKS = (
    (
        "-------- Oorspronkelijk bericht --------\nVan: Leadmark <info@example.com>\nDatum: 03-11-2025 "
        "10:12 (GMT+01:00)\nAan: Jan <jan@example.nl>\nOnderwerp: Wijziging"
    ),
    (
        "-------- Ursprüngliche Nachricht --------\nVon: Leadmark <info@example.com>\nDatum: 03.11.25 "
        "10:12 (GMT+01:00)\nAn: Jan\nBetreff: Änderung"
    ),
    (
        "-------- Message d'origine --------\nDe : Leadmark <info@example.com>\nDate : 03/11/2025 10:12 "
        "(GMT+01:00)\nÀ : Jan\nObjet : Modification"
    ),
    (
        "-------- Mensaje original --------\nDe: Leadmark <info@example.com>\nFecha: 3/11/25 10:12 "
        "(GMT+01:00)\nPara: Jan\nAsunto: Cambio"
    ),
    (
        "-------- Original message --------\nFrom: Leadmark <info@example.com>\nDate: 3/11/2025 10:12 "
        "(GMT+01:00)\nTo: Jan\nSubject: Change"
    ),
    (
        "Van: Leadmark <info@example.com>\nDatum: maandag, 3 november 2025 om 10:12\nAan: Jan "
        "<jan@example.nl>\nOnderwerp: Wijziging"
    ),
    (
        "________________________________\nVon: Leadmark <info@example.com>\nGesendet: Montag, 3. "
        "November 2025 10:12:00\nAn: Jan\nBetreff: Änderung"
    ),
    (
        "________________________________\nDe: Leadmark <info@example.com>\nEnviado: lunes, 3 de "
        "noviembre de 2025 10:12\nPara: Jan <jan@example.nl>\nAsunto: Cambio"
    ),
    (
        "________________________________\nDe : Leadmark <info@example.com>\nEnvoyé : lundi 3 novembre "
        "2025 10:12\nÀ : Jan <jan@example.nl>\nCc : Piet\nObjet : Modification"
    ),
    (
        'Gesendet: Montag, 3. November 2025 um 10:12 Uhr\nVon: "Leadmark" <info@example.com>\nAn: '
        "jan@example.de\nBetreff: Änderung"
    ),
    (
        "*Van:* Leadmark <info@example.com>\n*Verzonden:* maandag 3 november 2025 10:12\n*Aan:* Jan\n"
        "*CC:* Piet\n*Onderwerp:* Wijziging\n*Urgentie:* Hoog"
    ),
    "------- Original Message -------\nOn Monday, November 3rd, 2025 at 10:12 AM, Leadmark <info@example.com> wrote:",
    "------- Oorspronkelijk bericht -------\nOp maandag 3 november 2025 om 10:12 schreef Leadmark <info@example.com>:",
    (
        "From: Leadmark <info@example.com> On Behalf Of Team\nSent: maandag 3 november 2025 10:12\nTo: "
        "Jan\nSubject: Wijziging\nImportance: High"
    ),
    "From: Leadmark\n<info@example.com>\nSent: Monday, November 3, 2025 10:12 AM\nTo: Jan\nSubject: Change",
    "Begin doorgestuurd bericht:\n\nVan: Leadmark <info@example.com>\nDatum: 3 november 2025\nAan: Jan\nOnderwerp: x",
)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_headers_of_an_older_mail_are_not_the_sender_s(block: str) -> None:
    assert separate(f"{OWN}\n\n{block}\n\n{UNMARKED}\n").text == OWN


SIGNATURES = (
    "Verstuurd vanaf mijn iPhone",
    "Verzonden vanaf mijn Galaxy",
    "Verzonden vanuit Mail voor Windows",
    "Verstuurd vanuit Outlook voor iOS",
    "Outlook voor iOS downloaden<https://aka.ms/o0ukef>",
    "Download Outlook voor iOS",
    "Outlook voor Android<https://aka.ms/AAb9ysg> downloaden",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Sent from Outlook for Android",
    "Von meinem iPhone gesendet",
    "Gesendet mit der GMX Mail App",
    "Holen Sie sich Outlook für iOS",
    "Laden Sie Outlook für Android herunter",
    "Envoyé de mon iPhone",
    "Télécharger Outlook pour iOS",
    "Obtenez Outlook pour Android",
    "Enviado desde mi iPhone",
    "Obtener Outlook para Android",
    "Sent with Proton Mail secure email.",
    "Verzonden met Proton Mail beveiligde e-mail.",
    "Sent from Proton Mail for iOS",
    "Sent from Yahoo Mail on Android",
    "Verzonden met Ziggo Webmail",
    "Sent from my Samsung Galaxy smartphone.",
    "Mit freundlichen Grüßen\nJan Pol\nTel. +49 30 1234",
    "Met vriendelijke groet,\n\nJan de Wit\nInkoper | Voorbeeld BV\n+31 10 1234567",
    "Kind regards,\nJan Pol",
    "Cordialement,\nJean Martin",
    "Un saludo,\nJuan Pérez",
    "-- \nJan",
    "--\nJan",
)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("below", ["", f"\n\n{ATTRIBUTIONS[0]}\n{MARKED}"], ids=["alone", "above a quotation"])
def test_a_signature_is_not_shown(signature: str, below: str) -> None:
    assert separate(f"{OWN}\n\n{signature}\n{below}").text == OWN


KEPT = (
    "Groet, Jan",
    "Met vriendelijke groet,\nJan\n\nPS: ik zeg ook mijn contract op.",
    "Met vriendelijke groet,\nJan\n\nPS: alleen als de prijs boven 100 euro stijgt",
    "Kind regards,\nand please call me back",
    "Groeten uit Parijs",
    "Best regards to your colleague",
)


@pytest.mark.parametrize("words", KEPT)
def test_words_that_are_more_than_a_signature_are_shown(words: str) -> None:
    assert separate(f"{OWN}\n\n{words}").text == f"{OWN}\n\n{words}"


HTML = {
    "gmail fi": (
        f'<div dir="ltr">{OWN}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">ma 3. marrask. 2025 klo 10.12 Leadmark (<a>info@example.com</a>) '
        f'kirjoitti:<br></div><blockquote class="gmail_quote" style="margin:0">Our terms '
        f"change.</blockquote></div>"
    ),
    "gmail sig": (
        f'<div dir="ltr">{OWN}<div><br></div><span class="gmail_signature_prefix">-- </span><br><div '
        f'dir="ltr" class="gmail_signature">Jan de Wit<br>Voorbeeld</div></div><br><div '
        f'class="gmail_quote"><div class="gmail_attr">On Mon, Nov 3, 2025 at 10:12 AM Leadmark '
        f"&lt;info@example.com&gt; wrote:<br></div><blockquote>Our terms</blockquote></div>"
    ),
    "outlook desktop ru": (
        f"<div class=WordSection1><p class=MsoNormal>{OWN}<o:p></o:p></p><p class=MsoNormal>"
        f'<o:p>&nbsp;</o:p></p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm '
        f'0cm 0cm"><p class=MsoNormal><b>Kimden:</b> Leadmark &lt;info@example.com&gt;<br>'
        f"<b>Gönderildi:</b> 3 Kasım 2025<br><b>Kime:</b> Jan<br><b>Konu:</b> x</p></div><p>Our terms "
        f"change.</p></div>"
    ),
    "outlook web": (
        f'<div class="elementToProof">{OWN}</div><div id="Signature"><p>Jan de Wit</p></div><div '
        f'id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div '
        f'id="divRplyFwdMsg" dir="ltr"><font><b>Kimden:</b> Leadmark<br><b>Konu:</b> x</font>'
        f"<div>&nbsp;</div></div><div>Our terms change.</div>"
    ),
    "outlook mobile": (
        f'<div dir="ltr">{OWN}</div><div id="ms-outlook-mobile-signature" dir="ltr"><div>Outlook voor iOS '
        f'downloaden</div></div><div id="mail-editor-reference-message-container"><hr><div '
        f'id="divRplyFwdMsg"><strong>Van:</strong> Leadmark<br><strong>Verzonden:</strong> maandag<br>'
        f"<strong>Aan:</strong> Jan<br><strong>Onderwerp:</strong> x</div>Our terms change.</div>"
    ),
    "apple": (
        f'<html><body>{OWN}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Verstuurd vanaf mijn '
        f'iPhone</div><div dir="ltr"><br><blockquote type="cite">Op 3 nov 2025 om 10:12 heeft Leadmark '
        f'&lt;i@e.com&gt; het volgende geschreven:<br><br></blockquote></div><blockquote type="cite">'
        f"<div>Our terms change.</div></blockquote></body></html>"
    ),
    "tb": (
        f'<html><body><p>{OWN}</p><div class="moz-cite-prefix">3.11.2025 10.12, Leadmark kirjoitti:<br>'
        f'</div><blockquote type="cite" cite="mid:x"><p>Our terms</p></blockquote><div '
        f'class="moz-signature">-- <br>Jan</div></body></html>'
    ),
    "proton": (
        f'<div style="font-family: Arial">{OWN}</div><div class="protonmail_signature_block"><div '
        f'class="protonmail_signature_block-proton">Verzonden met <a>Proton Mail</a> beveiligde '
        f'e-mail.</div></div><div class="protonmail_quote">Op maandag 3 november 2025 om 10:12 schreef '
        f'Leadmark &lt;i@e.com&gt;:<br><blockquote class="protonmail_quote" type="cite">Our '
        f"terms</blockquote><br></div>"
    ),
    "yahoo": (
        f'<div class="ydp1 yahoo-style-wrap"><div dir="ltr">{OWN}</div></div><div id="yahoo_quoted_123" '
        f'class="yahoo_quoted"><div>Am Montag, 3. November 2025, 10:12:33 MEZ hat Leadmark '
        f"&lt;i@e.com&gt; Folgendes geschrieben:</div><div>Our terms change.</div></div>"
    ),
    "zimbra": (
        f'<div>{OWN}</div><hr id="zwchr"><div><b>Da: </b>Leadmark<br><b>A: </b>Jan<br><b>Inviato: '
        f"</b>x<br><b>Oggetto: </b>x</div><div>Our terms</div>"
    ),
    "samsung": (
        f'<div>{OWN}</div><div id="composer_signature"><div>Verzonden vanaf mijn Galaxy</div></div><div>'
        f"<br></div><div><!-- originalMessage --><div>-------- Oorspronkelijk bericht --------</div>"
        f"<div>Van: Leadmark </div><div>Datum: 03-11-2025  10:12  (GMT+01:00) </div><div>Aan: Jan </div>"
        f"<div>Onderwerp: x </div><div>Our terms</div></div>"
    ),
}


@pytest.mark.parametrize("program", HTML)
def test_an_answer_in_html_alone_is_found(program: str) -> None:
    visible = separate("", HTML[program])
    assert visible.text == OWN
    assert visible.shape in CERTAIN


def test_answers_between_quotations_in_html_are_all_shown() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">Op ma schreef X:</div><blockquote>een?</blockquote>'
        "<div>ja</div><blockquote>twee?</blockquote><div>nee</div></div>"
    )
    assert separate("", html).text == "ja\n\nnee"


def test_an_answer_below_a_signature_mark_alone_is_still_shown() -> None:
    assert separate("", '<div class="gmail_signature">Ik zeg op</div>').text.endswith("Ik zeg op")
