"""Where another's words begin: attribution lines, header blocks, dividers; five languages and more.

Every test looks at a line or a few lines of bounded length, so a hostile text costs no more than a long one.
"""

import re
from collections.abc import Sequence

_LONGEST_LINE = 500
_ATTRIBUTION_LINES = 4

# How a client opens the line above a quotation, and the word it must hold before the closing colon.
_OPENING = re.compile(
    r"^\W{0,3}(?:On|Op|Am|Le|El|Il|Em|Den|Dnia|W dniu|(?:ma|di|wo|do|vr|za|zo|mån|tis|ons|tors|fre|lör|sön|lun|mar|mié|"
    r"jue|vie|sáb|dom|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.?,?|\d{1,4}[-./年 ])(?:\s|\b|\d)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:wrote|schreef|geschreven|schrieb|geschrieben|a écrit|écrivait|escribió|ha scritto|escreveu|skrev|"
    r"napisał\S*)",
    re.IGNORECASE,
)
# "Leadmark <info@example.com> schrieb am …:": who comes first, when after.
_SENDER_FIRST = re.compile(
    r"^\W{0,3}[^<>:]{0,80}<[^<>\s]{1,200}@[^<>\s]{1,200}>\s+(?:wrote|schreef|schrieb|a écrit|escribió|ha scritto|"
    r"escreveu|skrev)",
    re.IGNORECASE,
)
_SENDER = re.compile(r"\S@\S")
_DATED = re.compile(r"\d{1,2}[:.hu]\d{2}|\d{4}|\d{1,2}[-/.]\d{1,2}")

_FIELD = r"^[\s*>]{0,6}\*?(?:%s)\s{0,2}:\*?(?:\s|$|\*)"
_FROM_FIELD = re.compile(_FIELD % "From|Van|Von|De|Fra|Från|Od|Da", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    _FIELD
    % (
        "Sent|Date|To|Cc|Subject|Reply-To|Verzonden|Verstuurd|Datum|Aan|Onderwerp|Gesendet|An|Betreff|Envoyé|À|A|Objet|"
        "Enviado(?: el)?|Fecha|Para|Asunto|Sendt|Til|Emne|Skickat|Till|Ämne|Wysłano|Do|Temat|Inviato|Oggetto|Kopie|Kopi"
    ),
    re.IGNORECASE,
)
_ANSWERED_DIVIDER = re.compile(
    r"^[\s>]{0,4}-{2,}\s*(?:Original (?:Message|Appointment)|Reply message|Oorspronkelijk bericht|"
    r"Oorspronkelijke e-?mail|Origineel bericht|Ursprüngliche Nachricht|Original-?Nachricht|Message d'origine|"
    r"Message original|Mensaje original|Oprindelig meddelelse|Ursprungligt meddelande|Originalmeddelande|"
    r"Messaggio originale|Mensagem original)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_FORWARD_DIVIDER = re.compile(
    r"^[\s>]{0,4}(?:-{2,}\s*(?:Forwarded message|Doorgestuurd bericht|Weitergeleitete Nachricht|Message transféré|"
    r"Mensaje reenviado|Forwarded by .{1,80})\s*-{2,}|(?:Begin forwarded message|Begin doorgestuurd bericht|"
    r"Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Début du message (?:réexpédié|transféré)|"
    r"Inicio del mensaje reenviado)\s*:)\s*$",
    re.IGNORECASE,
)


def is_quote(line: str) -> bool:
    """Whether the line is marked as another's."""
    return line.lstrip().startswith((">", "＞"))


def attribution(lines: Sequence[str], at: int) -> int:
    """How many lines from `at` say who wrote what follows ("On … Jan wrote:"); 0 if they do not."""
    first = lines[at]
    if not first.strip() or is_quote(first) or len(first) > _LONGEST_LINE:
        return 0
    opened = _OPENING.match(first) is not None
    named = _SENDER_FIRST.match(first) is not None
    joined = ""
    for count, line in enumerate(lines[at : at + _ATTRIBUTION_LINES], start=1):
        if not line.strip() or len(joined) > _LONGEST_LINE:
            return 0
        joined += line.strip() + " "
        if line.rstrip().endswith((":", "：")):
            if named:
                return count
            wrote = _WROTE.search(joined) is not None
            if opened and _DATED.search(joined) and (wrote or _SENDER.search(joined)):
                # The sender's last line may open like an attribution too: "On Monday I leave."
                return 0 if any(_opens_nearer(lines, at + skip) for skip in range(1, count)) else count
            return count if count == 1 and wrote and _quoted_next(lines, at + count) else 0
    return 0


def _opens_nearer(lines: Sequence[str], at: int) -> bool:
    return lines[at].lstrip()[:1].isalpha() and _OPENING.match(lines[at]) is not None and attribution(lines, at) > 0


def _quoted_next(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at : at + 3] if line.strip()), "")
    return is_quote(following)


def divider(line: str) -> bool:
    """Whether the line says that an older or forwarded mail follows."""
    return len(line) <= _LONGEST_LINE and (_ANSWERED_DIVIDER.match(line) is not None or is_forward(line))


def is_forward(line: str) -> bool:
    """Whether the line says that what follows was forwarded."""
    return len(line) <= _LONGEST_LINE and _FORWARD_DIVIDER.match(line) is not None


def header_block(lines: Sequence[str], at: int) -> int:
    """How many lines from `at` are the From, Sent, To, Subject of an older mail; 0 if they are not."""
    if not (_is_field(_FROM_FIELD, lines[at]) or _is_field(_OTHER_FIELD, lines[at])):
        return 0
    senders = others = last = 0
    for offset, line in enumerate(lines[at : at + 10], start=1):
        if _is_field(_FROM_FIELD, line):
            senders, last = senders + 1, offset
        elif _is_field(_OTHER_FIELD, line):
            others, last = others + 1, offset
    return last if senders == 1 and others >= 2 else 0


def _is_field(pattern: re.Pattern[str], line: str) -> bool:
    return pattern.match(line[:_LONGEST_LINE]) is not None
