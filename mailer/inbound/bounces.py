"""Bounces: which address failed, and whether that says the mailbox is dead.

RFC 3464 is read first, then `flufl.bounce`. Only a status or text that means it makes a bounce hard: flufl.bounce
calls many temporary ones permanent (TRAPS 18), and a dead address stops essential mail.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from mailer.inbound.received import Failure, Mail

FAILED = frozenset({"failed", "failure", "fail", "error"})
DELAYED = frozenset({"delayed", "delay"})

# RFC 3463 and the IANA registry: this mailbox does not exist or takes no mail, whoever asks and whenever.
HARD_STATUSES = frozenset(
    {
        "5.1.1",  # bad destination mailbox
        "5.1.2",  # bad destination system
        "5.1.3",  # bad mailbox syntax
        "5.1.6",  # mailbox has moved, no forwarding address
        "5.1.10",  # the domain accepts no mail (null MX, RFC 7505)
    }
)
# Statuses that say nothing of their own, so that the text decides.
VAGUE_STATUSES = frozenset({"", "5.0.0", "5.1.0", "5.2.0", "5.3.0", "5.5.0"})

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_DEAD = re.compile(
    r"\b(?:no such (?:user|mailbox|account|recipient|address|person)|(?:user|recipient|mailbox|account) unknown|"
    r"unknown (?:user|recipient|mailbox|address|local part|virtual)|(?:user|mailbox|account|address|recipient) "
    r"(?:\S+ )?(?:does not exist|doesn't exist|not found)|not a valid (?:user|mailbox|recipient)|no mailbox here|"
    r"invalid (?:recipient|mailbox|user)|doesn't have an? \S+ account|not our customer|user not known|"
    r"does not have an account here|account (?:has been |is )?closed|unrouteable mail domain)\b",
    re.IGNORECASE,
)
_NOT_DEAD = re.compile(
    r"\b(?:quota|full|exceed\w*|too large|too big|size limit|spam|junk|blocked|block ?list\w*|black ?list\w*|listed|"
    r"reputation|policy|polic\w+|greylist\w*|graylist\w*|temporar\w+|try again|later|defer\w*|delay\w*|"
    r"will retry|still being retried|warning|not yet been|time[d ]?-?out|dns|lookup|connect\w*|relay\w*|loop\w*|"
    r"too many|rate|authenticat\w+|dmarc|dkim|spf|virus|content|storage|over limit|inactive|suspended|disabled)\b",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"^(?:mailer-?daemon|mail-?daemon|postmaster|mdaemon|mmdf|smtp|delivery|mail)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|problem|report|notification|delayed|has failed)|non.?deliver|"
    r"returned (?:mail|to sender)|mail (?:delivery|system error|could not)|message (?:status|you sent)|"
    r"failure notice|delivery failed|could not (?:be )?deliver|not delivered|bounce|mail failure|warning: .*delayed|"
    r"onbestelbaar|niet (?:be|af)geleverd|unzustellbar|zustell|non remis|no se (?:ha )?pud?o? entregar|rejected|"
    r"nondeliverable|user unknown|permanent fail|deliverable|error sending",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^\s*(?:re|aw|sv|antw|fwd?|wg|tr|doorst)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A failed or delayed delivery. `hard` is None when nothing says whether the mailbox is dead."""

    recipients: tuple[str, ...]
    status: str
    hard: bool | None
    diagnostic: str

    @property
    def recipient(self) -> str:
        """The first address that failed, empty if the report names none."""
        return self.recipients[0] if self.recipients else ""


def is_hard(status: str, diagnostic: str, *, delayed: bool = False) -> bool | None:
    """Whether status and text say that the mailbox is dead: True, False, or None when they do not say."""
    if delayed or status.startswith("4"):
        return False
    transient = _NOT_DEAD.search(diagnostic) is not None
    dead = _DEAD.search(diagnostic) is not None
    if status in VAGUE_STATUSES:
        return True if dead and not transient else None
    if status in HARD_STATUSES:
        return True if dead or not transient else None
    return False


def find_bounce(mail: Mail) -> Bounce | None:
    """The bounce this mail is, or None; a report of success or a person's mail about a bounce is none."""
    failures = [failure for failure in mail.report if failure.action in FAILED | DELAYED]
    if failures and (mail.content_type == "multipart/report" or may_be_bounce(mail)):
        return _reported(failures)
    if not mail.report and may_be_bounce(mail):
        return _recognised(mail)
    return None


def _reported(failures: list[Failure]) -> Bounce:
    verdicts = {is_hard(_status(row), row.diagnostic, delayed=row.action in DELAYED) for row in failures}
    first = failures[0]
    return Bounce(
        recipients=tuple(dict.fromkeys(row.recipient for row in failures)),
        status=_status(first),
        # Recipients that fared differently: which of them is ours is not for this report alone to say.
        hard=verdicts.pop() if len(verdicts) == 1 else None,
        diagnostic=first.diagnostic,
    )


def _status(row: Failure) -> str:
    """The more telling of the stated status and one inside the diagnostic (5.0.0 often hides a 5.1.1)."""
    inside = _STATUS.search(row.diagnostic)
    return inside[1] if inside and row.status in VAGUE_STATUSES else row.status


def _recognised(mail: Mail) -> Bounce | None:
    named = mail.header("x-failed-recipients")
    recipients = tuple(part.strip() for part in named.split(",")) if named else ()
    recipients = tuple(dict.fromkeys(recipients + tuple(address for address, _ in mail.detected)))
    if not recipients:
        return None
    inside = _STATUS.search(mail.text)
    status = inside[1] if inside else ""
    said = "\n".join(line.strip() for line in mail.text.splitlines() if _STATUS.search(line) or _DEAD.search(line))
    delayed = bool(mail.detected) and not any(permanent for _, permanent in mail.detected)
    judged = said if inside else mail.text[:4_000]
    return Bounce(recipients, status, is_hard(status, judged, delayed=delayed), said[:1_000])


def may_be_bounce(mail: Mail) -> bool:
    """Whether a mail system, not a person, seems to have sent this: a person's mail may quote a whole bounce."""
    if mail.content_type == "multipart/report" or mail.header("x-failed-recipients"):
        return True
    if _ANSWER.search(mail.subject):
        return False
    daemon = any(_DAEMON.match(address) for address in mail.from_addresses) or _DAEMON.match(mail.from_name)
    return bool(daemon or (mail.return_path == "" and not mail.in_reply_to) or _SUBJECT.search(mail.subject))


def detect(message: Message) -> tuple[tuple[str, bool], ...]:
    """(address, permanent) as `flufl.bounce` finds them; nothing when one of its detectors fails."""
    found: list[tuple[str, bool]] = []
    # Its detectors throw on odd input; that such a mail is a bounce is then simply not known.
    with suppress(Exception):
        temporary, permanent = all_failures(message)
        found = [(address.decode("ascii"), True) for address in sorted(permanent)]
        found += [(address.decode("ascii"), False) for address in sorted(temporary - permanent)]
    return tuple(found)
