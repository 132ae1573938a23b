"""A short text cut into sentences, the commonest slips of the keyboard mended; nothing here knows what they say."""

import re
from functools import cache

MOST_LETTERS = 5_000

# "s.v.p." and "nr. 5" end no sentence, and neither does the day in "3. November".
_ABBREVIATION = re.compile(
    r"\b(?:s\.?v\.?p|a\.?u\.?b|z\.?s\.?m|i\.?v\.?m|m\.?i\.?v|t\.?a\.?v|d\.?d|o\.?a|b\.?v|n\.?v|i\.?p\.?v|e\.?d|"
    r"m\.?b\.?t|"
    r"l\.?s|p\.?s|e\.?g|i\.?e|z\.?b|nr|no|art|mr|mrs|ms|dr|dhr|mw|mevr|bijv|evt|incl|excl|vr|gr|ltd|inc|st|tel|bzw|ca|"
    r"nov|dec|jan|feb|apr|aug|sept?|okt|oct)\.(?=[ ,)]|$)",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?<=\d)\.(?= ?[^\W\d_]{3})")
_END = re.compile(r"(?<=[.!?;…])[\"'”’)]*\s+|\n\s*\n\s*")
_GREETING = re.compile(
    r"^(?:(?:dear|hi|hello|hallo|beste|hoi|geachte|hey|dag|l\.?s\.?|goede(?:morgen|middag|navond|ndag)|"
    r"good\s+(?:morning|"
    r"afternoon|day|evening)|to\s+whom\s+it\s+may\s+concern|sehr\s+geehrte\w*|guten\s+(?:tag|morgen|abend)|lieber?|"
    r"moin|"
    r"bonjour|bonsoir|madame|monsieur|cher|chère|hola|estimad[oa]s?|buenos\s+d[ií]as)\b[^\n,!.]{0,60}[,!.]?\s*\n+\s*)+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:^|\n|(?<=[.!?,]))\s*(?:(?:(?:with\s+)?(?:kind(?:est)?|best|warm(?:est)?|many)\s+)?(?:regards|wishes|"
    r"greetings)|"
    r"best,|yours\s+(?:sincerely|faithfully|truly)|sincerely|cheers|all\s+the\s+best|"
    r"(?:met\s+)?(?:vriendelijke|hartelijke|beste|lieve)?\s*groet(?:en|jes)?|m\.?v\.?g|vr\.?\s?gr|gr|hoogachtend|"
    r"b\.?v\.?d|(?:mit\s+)?(?:freundlichen|besten|vielen)?\s*grü(?:ße|ßen|sse|ssen)|viele\s+grüße|hochachtungsvoll|"
    r"(?:bien\s+)?cordialement|(?:meilleures\s+)?salutations|(?:un\s+)?saludos?|atentamente)\b[\s,.!]*"
    r"(?:[^\n]{0,60}(?:\n+[^\n]{1,60}){0,6})\s*$",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:^|(?<=[\s.,!?]))(?:many\s+)?(?:thanks|thank\s+you|thx|(?:alvast\s+)?bedankt|(?:hartelijk\s+)?dank(?:\s+u)?|"
    r"vielen\s+dank|danke|merci(?:\s+d'avance)?|gracias)[\s.,!]*$",
    re.IGNORECASE,
)
_MENDED = {
    "abbonement": "abonnement", "abonement": "abonnement", "abbonnement": "abonnement", "beindig": "beëindig",
    "beindigen": "beëindigen", "beeindig": "beëindig", "beeindigen": "beëindigen", "cancle": "cancel",
    "cancell": "cancel", "cansel": "cancel", "canel": "cancel", "anuleer": "annuleer", "annulleer": "annuleer",
    "anulleren": "annuleren", "opzegge": "opzeggen", "opzegen": "opzeggen", "opzechen": "opzeggen", "herby": "hereby",
    "hierby": "hierbij", "hirbij": "hierbij", "bijdeze": "bij deze", "pleas": "please", "plese": "please",
    "direkt": "direct", "contrakt": "contract", "kundige": "kündige", "kuendige": "kündige", "kuendigen": "kündigen",
    "resilie": "résilie", "resilier": "résilier",
}  # fmt: skip
_KEYS = (
    "terminate", "terminating", "termination", "cancelling", "cancellation", "account", "contract", "agreement",
    "subscription", "membership", "opzeggen", "opzegging", "overeenkomst", "abonnement", "beëindigen", "annuleren",
    "kündigung", "résiliation", "lidmaatschap",
)  # fmt: skip
# Words of their own that one slip would turn into a key.
_OWN = frozenset({"contact", "contrast", "contrat", "annuler", "terminated", "terminates", "contracte", "canceling"})
# A client wraps long lines; what goes on in small letters is the same sentence.
_WRAPPED = re.compile(r"(?<![.!?;:,\n])\n(?=[a-zß-öø-ÿ])")
_WORD = re.compile(r"[^\W\d_]{5,20}")


def squeezed(text: str) -> str:
    """The text with straight apostrophes, single blanks, its slips mended; lines and empty lines are kept."""
    straight = text[:MOST_LETTERS].replace("’", "'").replace("‘", "'").replace("`", "'").replace("´", "'")
    lines = (" ".join(line.split()) for line in straight.splitlines())
    mended = _WORD.sub(lambda found: _mend(found[0]), "\n".join(lines))
    return re.sub(r"\n{3,}", "\n\n", _WRAPPED.sub(" ", mended)).strip()


def parts(text: str) -> tuple[str, str, str]:
    """(greeting, what is said, closing words with name and thanks) of a squeezed text; together they are all of it."""
    greeting = _GREETING.match(text)
    head, rest = (greeting[0], text[greeting.end() :]) if greeting else ("", text)
    closing = _CLOSING.search(rest)
    body, tail = (rest[: closing.start()], rest[closing.start() :]) if closing else (rest, "")
    if thanks := _THANKS.search(body):
        body, tail = body[: thanks.start()], f"{body[thanks.start() :]}\n\n{tail}"
    return head.strip(), body.strip(), tail.strip()


def split(text: str) -> list[str]:
    """The sentences of a squeezed text, in order, each with its closing mark; none is empty."""
    text = _DAY.sub("", _ABBREVIATION.sub(lambda found: found[0].replace(".", ""), text))
    return [sentence.strip() for sentence in _END.split(text) if re.search(r"\w", sentence)]


@cache
def _mended(word: str) -> str | None:
    if word in _MENDED:
        return _MENDED[word]
    if len(word) < 6 or word in _OWN:
        return None
    if any(word.startswith(key) or (key.startswith(word) and len(key) - len(word) > 1) for key in _KEYS):
        return None
    return next((key for key in _KEYS if _one_slip(word, key)), None)


def _mend(word: str) -> str:
    meant = _mended(word.lower()) if len(word) < 16 else None
    return word if meant is None else meant.upper() if word.isupper() else meant


def _one_slip(word: str, key: str) -> bool:
    """Whether one letter was left out, added, changed or swapped with its neighbour."""
    if word[0] != key[0] or abs(len(word) - len(key)) > 1:
        return False
    start = next((at for at, (mine, theirs) in enumerate(zip(word, key, strict=False)) if mine != theirs), len(key))
    rest, wanted = word[start:], key[start:]
    return (
        rest[1:] == wanted[1:]
        or rest == wanted[1:]
        or rest[1:] == wanted
        or (len(rest) > 1 and rest[1] + rest[0] + rest[2:] == wanted)
    )
