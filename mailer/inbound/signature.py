"""Where a sender's own words end in a signature: a delimiter, a mail app's advertisement, closing words with a name."""

import re
from collections.abc import Sequence

_LONGEST_LINE = 500
_RULE = re.compile(r"^\s*(?:[-_=*]\s?){5,}\s*$")
_DELIMITER = re.compile(r"^\s{0,2}(?:--|—|–)\s{0,2}$|^\s*_{5,}\s*$")
_DEVICE = r"(?:\S{1,20}\s?){1,4}"
_MOBILE = re.compile(
    rf"^\s*[*_]?(?:Sent from (?:my|Mail for|Outlook for) {_DEVICE}|"
    rf"Sent from (?:Yahoo Mail|Outlook|Mail|Proton).{{0,40}}|Sent (?:with|via|using) .{{1,60}}|"
    rf"Get Outlook for .{{1,60}}|Download .{{1,60}} app|"
    rf"(?:Verzonden|Verstuurd) (?:vanaf|vanuit|met|via) .{{1,60}}|(?:Download )?Outlook voor (?:iOS|Android|"
    rf"Mac).{{0,60}}|"
    rf"Von mein(?:em|er) {_DEVICE}(?:gesendet|versendet)|Gesendet (?:von|mit|aus) .{{1,60}}|"
    rf"(?:Holen|Laden) Sie (?:sich )?Outlook .{{1,60}}|Outlook für (?:iOS|Android).{{0,60}}|"
    rf"Envoyé (?:de|depuis|à partir|avec) .{{1,60}}|(?:Téléchargez|Télécharger|Obtenez|Obtenir) .{{1,60}}|"
    rf"Enviado (?:desde|con) .{{1,60}}|(?:Obtener|Obtenga|Descargar) Outlook para .{{1,60}}|"
    rf"(?:Sendt|Skickat) fr[aå]n? min .{{1,30}})[*_.!]{{0,2}}\s*$",
    re.IGNORECASE,
)
_MOBILE_WORDS = 8
_DASHED_NAME = re.compile(r"^[-–/][^\W\d_]\w{1,30}(?: [^\W\d_]\w{0,30}){0,3}$")
_CLOSING = re.compile(
    r"^\s*(?:(?:(?:with\s+)?(?:my\s+)?(?:kind(?:est)?|best|warm(?:est)?)\s+)?regards|best\s+wishes|"
    r"yours\s+(?:sincerely|faithfully|truly)|sincerely|"
    r"(?:met\s+)?(?:(?:vriendelijke|hartelijke|beste|zonnige)\s+)?groet(?:en|jes)?|mvg|m\.v\.g\.?|hoogachtend|"
    r"(?:mit\s+)?(?:(?:freundlichen|besten|beste|viele|vielen|liebe|lieben|freundliche)\s+)?gr(?:ü|ue)(?:ß|ss)(?:e|"
    r"en)?|"
    r"mfg|hochachtungsvoll|(?:bien\s+)?cordialement|(?:sincères|meilleures)\s+salutations|"
    r"(?:un\s+)?(?:cordial\s+)?saludos?(?:\s+cordiales)?|atentamente|"
    r"(?:med\s+)?(?:venlig|vänlig|vennlig|bästa)\s+h(?:i|ä)l?s(?:e|ni)n(?:g|gar)?|(?:de\s+)?bedste\s+hilsner|hilsen|"
    r"mvh|"
    r"kh|pozdrawiam|z\s+powa[zż]aniem|cordiali\s+saluti|atenciosamente)\s*[,.!]?\s*$",
    re.IGNORECASE,
)
_NAME_PART = (
    r"(?:[^\W\d_a-zà-öø-ÿ][\w.'’-]{0,30}|van|de|der|den|von|zu|du|da|di|le|la|el|het|ter|ten|te|en|and|und|et|&|'t|\|)"
)
_NAME = re.compile(rf"^{_NAME_PART}(?:\s+{_NAME_PART}){{0,5}}[,.]?$")
_DETAIL = re.compile(r"\d{3}|@|https?:|www\.|\|")
_MOST_BELOW = 12
_SMALL_WORDS = 2


def without_signature(lines: Sequence[str], *, written: bool = False) -> list[str]:
    """The lines above a signature: a delimiter, a mail app's advertisement, closing words with a name at the end.

    A delimiter with nothing above it hides nothing, unless the sender has `written` something before.
    """
    kept: list[str] = []
    for line in lines:
        if written and _DELIMITER.match(line[:_LONGEST_LINE]):
            break
        if _is_advertisement(line):
            continue
        kept.append(line)
        written = written or bool(line.strip())
    kept = _without_closing(trimmed(kept))
    if len(kept) > 1 and _DASHED_NAME.match(kept[-1].strip()[:100]) and not kept[-2].strip():
        kept = kept[:-1]
    return trimmed(kept)


def _without_closing(lines: list[str]) -> list[str]:
    """The lines above "Kind regards," in a paragraph of its own, if no more than a name and an address follow."""
    below = 0
    for at in range(len(lines) - 1, 0, -1):
        below += bool(lines[at].strip())
        if below > _MOST_BELOW:
            return lines
        if _CLOSING.match(lines[at][:100]) and not lines[at - 1].strip():
            follows = [line.strip() for line in lines[at + 1 :] if line.strip()]
            return lines[:at] if follows and _is_name(follows[0]) and all(map(_is_detail, follows[1:])) else lines
    return lines


def _is_name(line: str) -> bool:
    return len(line) <= 60 and _NAME.match(line) is not None


def _is_detail(line: str) -> bool:
    """A telephone number, an address, a site; never a sentence that holds a number."""
    if len(line) > 100:
        return False
    small = sum(word[:1].islower() and "." not in word and "@" not in word for word in line.split())
    return _NAME.match(line) is not None or (_DETAIL.search(line) is not None and small <= _SMALL_WORDS)


def _is_advertisement(line: str) -> bool:
    return len(line) < 150 and len(line.split()) <= _MOBILE_WORDS and _MOBILE.match(line) is not None


def trimmed(lines: Sequence[str]) -> list[str]:
    """The lines without blank ones at either end, and without a ruled line at the end."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and (not lines[end - 1].strip() or _RULE.match(lines[end - 1][:_LONGEST_LINE])):
        end -= 1
    return list(lines[start:end])
