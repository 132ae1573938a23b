"""The words of the confirm page, in every language that people are written to in."""

from __future__ import annotations

WORDS = {
    "en": {
        "ask_title": "Do you terminate your use of the service?",
        "ask_lead": "A mail of {day} says so. Press the button if it was yours; the date of that mail stands.",
        "ask_next": "We then send you a receipt and end your use of the service.",
        "ask_button": "Yes, I terminate",
        "ask_not": "If it was not yours, close this page; nothing happens.",
        "done_title": "Your termination is recorded",
        "done_lead": "We received it on {day}. You get a receipt by mail.",
        "done_not": "Is this a mistake? Answer the receipt.",
        "closed_title": "This request is closed",
        "closed_lead": "Nothing ends because of it. If you do want to terminate, answer any of our mails.",
    },
    "nl": {
        "ask_title": "Zegt u uw gebruik van de dienst op?",
        "ask_lead": "Dat staat in een mail van {day}. Druk op de knop als die van u kwam; de datum van die mail geldt.",
        "ask_next": "U krijgt dan een bevestiging en wij beëindigen uw gebruik van de dienst.",
        "ask_button": "Ja, ik zeg op",
        "ask_not": "Kwam hij niet van u? Sluit deze pagina; er verandert niets.",
        "done_title": "Uw opzegging is vastgelegd",
        "done_lead": "Wij ontvingen haar op {day}. U krijgt een bevestiging per mail.",
        "done_not": "Klopt dit niet? Antwoord op de bevestiging.",
        "closed_title": "Dit verzoek is gesloten",
        "closed_lead": "Er eindigt niets door. Wilt u toch opzeggen? Antwoord dan op een van onze mails.",
    },
}
