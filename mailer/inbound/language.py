"""Which language a short text is in, by its small words; enough to choose the words of an answer."""

import re

_SMALL_WORDS = {
    "en": "the and you your i my is of to this that please with for not are have we our it be am was would hello what "
    "which how by us from will can could me stop thanks thank goodbye unsubscribe terminate cancel change changes see "
    "attached fine sent",
    "nl": "de het een en van ik je u mijn is dat niet op met voor zijn wij we ons dit graag hierbij naar aan ook wil "
    "wat welke hoe jullie uw onze nieuwe zie bijlage dank bedankt prima erg vandaag aub svp uitschrijven afmelden "
    "opzeggen opzegging zeg akkoord groet groeten mvg beste geachte",
    "de": "der die das und ich sie mein ist nicht mit für wir uns dass zu auf ein eine hiermit bitte den dem auch "
    "wie was wann welche danke einverstanden abmelden kündige kündigen kündigung vertrag grüße grüßen ihre unsere",
    "fr": "le la les et je vous mon ma est pas avec pour nous que de du un une ce merci bonjour votre des dans mes "
    "sans au aux sur comment peut l d j qu congé lundi désabonner résilier résilie résiliation cordialement contrat",
    "es": "el la los y yo usted mi es no con para nosotros que de un una gracias hola por su del en se las favor mis "
    "cómo qué cuándo quiero cuenta contrato baja saludos",
}
_KNOWN = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """The likeliest of en, nl, de, fr, es; None when no language leads."""
    words = [word.lower() for word in _WORD.findall(text[:4_000])]
    scores = sorted(
        ((sum(word in known for word in words), language) for language, known in _KNOWN.items()), reverse=True
    )
    (best, language), (second, _) = scores[0], scores[1]
    return language if best > second else None
