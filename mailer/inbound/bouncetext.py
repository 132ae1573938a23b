"""What a bounce says in words: its code, whether the mailbox is dead, whom it names; for reports without RFC 3464.

Nothing here recurses, and every expression looks at lines of bounded length.
"""

import re
from collections.abc import Iterator

_LONGEST_LINE = 1_000
_MOST_LINES = 200

# Only 4.x.x and 5.x.x with the subjects of RFC 3463: "2.0.13" is a version, "5.6.7.8" an address.
STATUS = re.compile(r"(?<![\d.])([45]\.[0-7]\.\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(r"(?<![\d.:])[45]\d\d(?:[ -](?=\D)|$)")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]{1,64}@[A-Za-z0-9][A-Za-z0-9.\-]{1,250}[A-Za-z0-9]")

DEAD = re.compile(
    r"\b(?:no such (?:user|mailbox|account|recipient|address|person|domain)|(?:user|recipient|mailbox|account|"
    r"addressee) (?:is )?unknown|"
    r"unknown (?:user|recipient|mailbox|address|account|local[- ]?part|virtual)|(?:user|mailbox|account|address|"
    r"recipient|addressee) "
    r"(?:\S+ ){0,2}?(?:does not exist|doesn't exist|do not exist|not found|could ?n[o']t be found|was not found|"
    r"wasn't found)|not a valid (?:user|mailbox|recipient)|"
    r"domain (?:does not|doesn't) exist|no mailbox (?:here|by that name)|invalid (?:recipient|mailbox|user|"
    r"final delivery userid)|"
    r"does(?:n't| not) have an? (?:\S+ )?account|not our customer|user not known|no longer (?:valid|exists|with|works|"
    r"employed)|"
    r"account (?:has been |is )?(?:closed|deleted|deactivated)|disabled or discontinued|unrouteable mail domain|"
    r"(?:recipient )?name is not recognized|"
    r"not listed in (?:public name|domino directory)|no matches to nameserver query|is not a known user|"
    r"user unknown in \S+ \S+ table|"
    r"recipnotfound|n'existe pas|bestaat niet|existiert nicht|nicht gefunden|niet gevonden|introuvable|no existe|"
    r"unbekannter? (?:nutzer|benutzer|empfänger)|utilisateur inconnu|usuario desconocido|nullmx|null mx|"
    r"does not accept mail)\b",
    re.IGNORECASE,
)
NOT_DEAD = re.compile(
    r"\b(?:\w*quota|full|exceed\w*|too large|too big|size limit|spam|junk|blocked|block ?list\w*|black ?list\w*|"
    r"listed(?! in (?:public|domino))|"
    r"reputation|policy|polic\w+|greylist\w*|graylist\w*|temporar\w+|try again|later|defer\w*|delay\w*|"
    r"will retry|still being retried|warning|not yet been|time[d ]?-?out|dns|lookup|connect\w*|relay(?:ing)?(?!=)|"
    r"loop\w*|"
    r"too many|name service|host not found|rate|authenticat\w+|dmarc|dkim|spf|virus|content|storage|over limit|"
    r"inactive|suspended|"
    r"disabled(?! or discontinued)|"
    r"not accepting|access denied|permission|unable to transfer|not responding|queue|restricted|forbidden|size)\b",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"still (?:undelivered|being retried|trying|in the (?:mail )?queue)|will (?:keep|continue|be retried|retry|try)|"
    r"has not yet been delivered|"
    r"(?:has been|is|was) delayed|delivery (?:is )?delayed|warning message only|do not need to re-?send|"
    r"not required to re-?send|"
    r"nog (?:steeds )?niet (?:zijn )?(?:be|af)zorgd|wordt nog geprobeerd|verzögert|a été retardée",
    re.IGNORECASE,
)
_AUTOMATIC = re.compile(
    r"created automatically by mail delivery|automatically generated|the following (?:mail|"
    r"message) could not be delivered|"
    r"this is an automat",
    re.IGNORECASE,
)
# From here on the bounce shows the mail it could not deliver.
_ORIGINAL = re.compile(
    r"^[\s>*=-]{0,40}(?:-{2,}.{0,60}(?:original|returned|copy|below|unsent|message (?:headers|follow)|start of).{0,60}|"
    r"below (?:this line|the next line).{0,80}|"
    r"(?:the )?(?:original|unsent|returned|undelivered) message\b.{0,60}|original message (?:headers )?follows?.{0,20}|"
    r"message headers follow.{0,10}|"
    r"here is a copy of.{0,80}|a copy of the (?:original )?message.{0,60}|a summary of the undelivered message.{0,40}|"
    r"(?:return-path|received|x-mailman-version|x-mailer|dkim-signature|mime-version)\s?:.*)$",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"(?:could ?n[o']t|can(?:no|')t|not|unable to|failed|failure|did not) ?(?:be )?(?:deliver|reach|sen[dt]|receiv|"
    r"to deliver)|undeliver|failed|failure|fatal errors|"
    r"recipient|not delivered|rejected|returned|delivery to|niet (?:be|af)geleverd|konnte nicht|non remis|n'a pas pu|"
    r"no se pudo|addressed to|unknown user",
    re.IGNORECASE,
)
_NOT_A_RECIPIENT = re.compile(
    r"^\s*(?:from|reply-to|sender|return-path|message-id|references|received|subject|date|cc|contact|for (?:further|"
    r"more))\b|"
    r"(?:please (?:contact|send|write)|contact |assistance|questions|for help|administrator)",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"^(?:postmaster|mailer-?daemon|abuse|mail-?daemon|hostmaster|support|helpdesk|no-?reply)@", re.IGNORECASE
)


def report_of(text: str) -> list[str]:
    """The lines of a bounce above the mail that it brings back."""
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()[:_MOST_LINES]]
    seen = 0
    for at, line in enumerate(lines):
        if seen and _ORIGINAL.match(line[:200]):
            return lines[:at]
        seen += bool(line.strip())
    return lines


def telling(lines: list[str]) -> str:
    """The lines that give a code or a cause, joined; at most 1,000 characters."""
    found = [line.strip() for line in lines if _tells(line)]
    return "\n".join(dict.fromkeys(found))[:1_000]


def _tells(line: str) -> bool:
    patterns = (STATUS, _REPLY, DEAD)
    return any(pattern.search(line) for pattern in patterns)


def causes(lines: list[str]) -> str:
    """The lines that tell of a cause other than a dead mailbox, joined; for a report without any code."""
    return "\n".join(line.strip() for line in lines if NOT_DEAD.search(line))[:1_000]


def is_delayed(lines: list[str]) -> bool:
    """Whether the report says that the server still tries."""
    return _DELAYED.search("\n".join(lines)) is not None


def is_automatic(lines: list[str]) -> bool:
    """Whether the report says of itself that a machine wrote it."""
    return _AUTOMATIC.search("\n".join(lines)) is not None


def recipients_in(lines: list[str], sender: str) -> tuple[str, ...]:
    """The address named first below a line that tells of a failure, else the first of all; never a mail system's."""
    told = False
    spare: list[str] = []
    for line in lines:
        told = told or _FAILED.search(line) is not None
        found = list(_addresses(line, sender))
        if found and told:
            return (found[0],)
        spare += found
    return tuple(spare[:1])


def _addresses(line: str, sender: str) -> Iterator[str]:
    if _NOT_A_RECIPIENT.search(line):
        return
    for found in _ADDRESS.findall(line):
        if found.lower() != sender.lower() and not _NOBODY.match(found):
            yield found
