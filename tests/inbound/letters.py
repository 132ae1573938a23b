"""Mails made for tests: one function that writes the bytes, and a table of replies in our own words."""

import os
from pathlib import Path

import pytest

from mailer.inbound.rules import Kind

SHARED = Path(os.environ.get("MAILER_SHARED") or Path(__file__).parents[3] / "shared")


def corpus(name: str) -> Path:
    """The folder of one collection of real mail; the test is skipped where it is absent."""
    folder = SHARED / "data" / "mail" / name
    if not folder.is_dir():
        pytest.skip(f"the collection {name} is not on this machine")
    return folder


def letter(text: str = "", *headers: str, subject: str = "Re: Wijziging van de voorwaarden") -> bytes:
    """A plain mail from Jan with these further header lines."""
    own = {line.partition(":")[0].lower() for line in headers}
    usual = ("From: Jan <jan@example.nl>", "To: reply+abc@mail.example.com", f"Subject: {subject}")
    lines = [line for line in usual if line.partition(":")[0].lower() not in own]
    if "content-type" not in own:
        lines.append("Content-Type: text/plain; charset=utf-8")
    return "\r\n".join([*lines, *headers, "", text.replace("\n", "\r\n")]).encode()


NOTICE = '> U kunt binnen 30 dagen opzeggen: antwoord met "Ik zeg op".\n> You may reply: I terminate.'

T, Q, U, R, L = Kind.TERMINATION, Kind.QUESTION, Kind.UNSURE, Kind.RIGHTS_REQUEST, Kind.LEAVE_NEWSLETTERS

REPLIES: tuple[tuple[Kind, str], ...] = (
    (T, "Ik zeg op"),
    (T, "Hallo,\n\nIk zeg op.\n\nGroet,\nJan"),
    (T, "Hierbij zeg ik mijn account op."),
    (T, "Hierbij zeg ik de overeenkomst met\njullie per direct op."),
    (
        T,
        "Ik ga niet akkoord met de nieuwe voorwaarden en zeg hierbij mijn abonnement op.\n\nMet vriendelijke groet,",
    ),
    (T, "Ik ga niet akkoord. Ik beëindig hierbij mijn overeenkomst."),
    (T, "Ik wil mijn account graag opzeggen."),
    (T, "Graag mijn account per 1 februari beëindigen."),
    (T, "Bij dezen beeindigen wij de overeenkomst met ingang van 1 januari."),
    (T, "Ik zou graag mijn abonnement willen opzeggen."),
    (T, "opzeggen"),
    (T, "I terminate"),
    (T, "I hereby terminate the agreement."),
    (T, "Dear team,\n\nPlease terminate my account.\n\nKind regards,\nAnn"),
    (T, "I do not agree with the new terms. Please cancel my account."),
    (T, "We would like to cancel our subscription as of 1 March."),
    (T, "I no longer wish to use this and hereby terminate the contract."),
    (T, "Absolutely ridiculous. Cancel my account."),
    (T, "Hiermit kündige ich meinen Vertrag."),
    (T, "Je résilie mon contrat."),
    (T, f"Ik zeg op.\n\nOp ma 3 nov 2025 om 10:00 schreef Voorbeeld BV <reply@mail.example.com>:\n{NOTICE}"),
    (T, f"Op ma 3 nov 2025 om 10:00 schreef Voorbeeld BV:\n{NOTICE}\n\nIk zeg op."),
    (
        T,
        "I terminate.\n\nSent from my iPhone\n\nFrom: Sample BV\nSent: Monday\nTo: Jan\nSubject: New\n\nYou may.",
    ),
    (U, "Ik zeg niet op"),
    (U, "Ik wil mijn account niet opzeggen."),
    (U, "Ik zeg niet langer mijn account op."),
    (U, "I do not want to terminate"),
    (U, "Please do not\ncancel my account."),
    (U, "Als de prijs stijgt zeg ik op."),
    (U, "Unless the price goes down, we terminate the contract."),
    (U, "I might terminate my account."),
    (U, "Hier zeg ik volmondig ja op."),
    (U, "Mijn moeder wil haar account opzeggen."),
    (U, "Haha, ik zeg op"),
    (U, 'The notice says "please terminate my account".'),
    (U, "Please cancel my account manager's visit."),
    (U, "Ik zeg mijn account op.\n\nOf toch maar niet."),
    (U, "Ik trek mijn opzegging in."),
    (U, "Cancel my account. What happens to my data?"),
    (U, "Please cancel my account and delete my personal data."),
    (U, "Bedankt voor het bericht."),
    (U, f"Op ma 3 nov 2025 om 10:00 schreef Voorbeeld BV:\n{NOTICE}"),
    (U, "From: Sample BV\nSent: Monday\nTo: Jan\nSubject: New terms\n\nI terminate."),
    (U, f"Op ma 3 nov 2025 om 10:00 schreef Voorbeeld BV:\n{NOTICE}\nik zeg op"),
    (U, "---------- Forwarded message ----------\nFrom: A\nDate: 1 May\nTo: B\n\nI terminate."),
    (U, "Ik zeg op. " + "Een lang verhaal over de voorwaarden. " * 40),
    (U, ""),
    (Q, "Hoe kan ik opzeggen?"),
    (Q, "How do I terminate my account?"),
    (Q, "I terminate my account?"),
    (Q, "Wat verandert er precies aan de bewaartermijn?"),
    (Q, "Kunt u uitleggen wat artikel 4 betekent"),
    (R, "Graag ontvang ik inzage in mijn gegevens."),
    (R, "Please send me a copy of all my personal data under the GDPR."),
    (R, "Verwijder al mijn persoonsgegevens."),
    (L, "unsubscribe"),
    (L, "Uitschrijven graag."),
    (L, "Hallo,\n\nIk wil geen nieuwsbrief meer ontvangen.\n\nGroeten,\nJan"),
    (L, "Please remove me from the newsletter."),
)
