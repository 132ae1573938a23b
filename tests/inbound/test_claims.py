"""What claims a right to one's own data, and what only speaks of data."""

import pytest

from mailer.inbound.child import read_here
from mailer.inbound.rules import Kind

from .letters import letter

CLAIMS = (
    "Welke gegevens hebben jullie van mij?",
    "Ik wil inzage in de gegevens die jullie over mij hebben.",
    "Verwijder mijn gegevens uit jullie systeem.",
    "Graag al mijn data wissen.",
    "Ik wil mijn gegevens laten verwijderen.",
    "Ik verzoek om rectificatie van mijn e-mailadres.",
    "Ik maak bezwaar tegen de verwerking van mijn persoonsgegevens.",
    "Ik trek mijn toestemming voor de verwerking in.",
    "Ik wil een overzicht van al mijn persoonsgegevens.",
    "Kunt u mijn gegevens verwijderen?",
    "Met een beroep op artikel 15 AVG vraag ik om inzage.",
    "Ik wil gebruikmaken van mijn recht op dataportabiliteit.",
    "Waar hebben jullie mijn e-mailadres vandaan?",
    "Please delete all data you have about me.",
    "Delete my data.",
    "I want to know what information you have on me.",
    "Send me everything you know about me.",
    "I object to the processing of my personal data.",
    "I withdraw my consent to the processing of my data.",
    "Please rectify my date of birth in your records.",
    "Please provide me with a copy of my data.",
    "I request access to my personal data under Article 15 GDPR.",
    "I want to be forgotten.",
    "Where did you get my email address?",
    "Please stop processing my personal data.",
    "Can you export my data and send it to me?",
    "Bitte löschen Sie alle meine Daten.",
    "Welche Daten haben Sie über mich gespeichert?",
    "Ich widerspreche der Verarbeitung meiner Daten.",
    "Ich verlange Auskunft über meine gespeicherten Daten.",
    "Veuillez supprimer toutes mes données personnelles.",
    "Quelles données avez-vous sur moi ?",
    "Je m'oppose au traitement de mes données.",
    "Je souhaite accéder à mes données.",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_a_claim_is_a_rights_request_with_its_clock(text: str) -> None:
    assert read_here(letter(text)).kind is Kind.RIGHTS_REQUEST


NONE = (
    "Ik vind dat mijn gegevens hier veilig moeten zijn.",
    "Mijn bankgegevens zijn gewijzigd, zie bijlage.",
    "Where is my data stored?",
    "Worden mijn gegevens buiten Europa opgeslagen?",
    "The data in my report is wrong, the chart shows last year.",
    "Can you delete the duplicate invoice?",
    "Ik kan een bestand niet verwijderen.",
    "Why do you need to share our data with others?",
    "Wat betekent artikel 15 van de overeenkomst?",
)


@pytest.mark.parametrize("text", NONE)
def test_words_about_data_alone_are_none(text: str) -> None:
    assert read_here(letter(text)).kind in (Kind.UNSURE, Kind.QUESTION)
