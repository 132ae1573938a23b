"""The words of the page on which people say that they agree, in every language that they are written to in."""

from __future__ import annotations

WORDS = {
    "en": {
        "ask_title": "Do you agree with the change?",
        "ask_lead": "“{title}”, version {number}, applies from {effective}.",
        "statement": "I have read the change and I agree with “{title}”, version {number} (SHA-256 {digest}).",
        "ask_button": "Yes, I agree",
        "ask_not": "You need not answer here. If you do not agree, close this page; "
        "how to terminate stands in the mail that brought you here.",
        "only_this": "This is about this text and nothing else. It is no consent to advertising, "
        "and it signs you up for nothing.",
        "consumer": "You use our services as a consumer, so the changed text binds you only once you say yes.",
        "done_title": "You agreed with the change",
        "done_lead": "We recorded it on {on}. “{title}”, version {number}, applies from {effective}.",
        "done_not": "Was this a mistake? Answer the mail that brought you here.",
        "over_title": "This change was withdrawn",
        "over_lead": "“{title}”, version {number}, does not come into force. You need do nothing.",
        "see": "See what changes",
        "read": "Read the new text",
    },
    "nl": {
        "ask_title": "Stemt u in met de wijziging?",
        "ask_lead": "“{title}”, versie {number}, geldt vanaf {effective}.",
        "statement": "Ik heb de wijziging gelezen en ik stem in met “{title}”, versie {number} (SHA-256 {digest}).",
        "ask_button": "Ja, ik stem in",
        "ask_not": "U hoeft hier niet te antwoorden. Bent u het er niet mee eens, sluit dan deze pagina; "
        "hoe u opzegt staat in de mail die u hier bracht.",
        "only_this": "Dit gaat over deze tekst en over niets anders. Het is geen toestemming voor reclame "
        "en u wordt nergens voor aangemeld.",
        "consumer": "U gebruikt onze diensten als consument; de gewijzigde tekst bindt u pas als u ja zegt.",
        "done_title": "U hebt ingestemd met de wijziging",
        "done_lead": "Wij hebben het vastgelegd op {on}. “{title}”, versie {number}, geldt vanaf {effective}.",
        "done_not": "Was dit een vergissing? Antwoord op de mail die u hier bracht.",
        "over_title": "Deze wijziging is ingetrokken",
        "over_lead": "“{title}”, versie {number}, wordt niet van kracht. U hoeft niets te doen.",
        "see": "Bekijk de wijzigingen",
        "read": "Lees de nieuwe tekst",
    },
}
