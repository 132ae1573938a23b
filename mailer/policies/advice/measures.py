"""Numbers, periods and amounts in a text, and the words that move the ends of a period: English, Dutch, German."""

from __future__ import annotations

import re

from mailer.policies.advice.lexicon import word_set

_NUMBERS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty|forty|fifty|sixty|ninety"
    "|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|twaalf|veertien|vijftien|twintig|dertig|veertig|zestig|negentig"
    "|zwei|drei|fünf|sechs|sieben|neun|zehn|zwölf|vierzehn|fünfzehn|zwanzig|dreißig|vierzig|sechzig|neunzig"
)
_ONE = "one|a|an|one|een|één|eine[mnrs]?|ein"
_UNITS = (
    "seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?"
    "|minuten|uur|uren|dag|dagen|werkdag|werkdagen|weken|maand|maanden|kwartaal|jaar|jaren"
    "|stunden?|tage?n?|werktage?n?|wochen?|monate?n?|jahre?n?"
)
_KINDS = "business|working|calendar|full|consecutive"

NUMBER = re.compile(rf"(?<![\w⟨/])\d[\d.,:/-]*(?!\w)|\b(?:{_NUMBERS})\b", re.IGNORECASE)
PERIOD = re.compile(
    rf"\b(?:\d[\d.,]*|{_NUMBERS}|{_ONE})(?:[ ]\(\d+\))?[ -](?:(?:{_KINDS})[ ])?(?:{_UNITS})\b", re.IGNORECASE
)
AMOUNT = re.compile(
    r"[€$£]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:%|(?:percent|procent|prozent|euros?|dollars?|usd|eur|gbp)\b)", re.IGNORECASE
)
LIMITS = word_set(
    """
    within after before until upon least most minimum maximum business working calendar
    binnen na voor tot uiterlijk minimaal maximaal minstens hoogstens
    innerhalb nach vor bis spätestens mindestens höchstens
    """
)
"""Words that move the ends of a period."""

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|januari|februari|maart|mei|juni|juli|augustus|oktober|januar|februar|märz|mai|dezember"
    "|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez"
)
_AROUND_DATE = "on|as|at|of|per|op|vom|am|since|is|was|from|by|st|nd|rd|th|date|de|den|the"
_DATE_WORD = re.compile(
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|\d{{4}}|[\d./-]{{6,10}}|v?\d+(?:\.\d+){{1,2}}|{_MONTHS}|{_AROUND_DATE})\Z",
    re.IGNORECASE,
)
_DAY = re.compile(rf"\b(?:{_MONTHS}|\d{{4}}|date)\b", re.IGNORECASE)


def is_date(text: str) -> bool:
    """Nothing but the parts of a date."""
    words = [word.strip(",.:") for word in re.split(r"[\s·]+", text)]
    return all(_DATE_WORD.match(word) for word in words if word)


def names_day(text: str) -> bool:
    """A month, a year or a place for a date is in it."""
    return _DAY.search(text) is not None
