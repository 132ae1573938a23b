"""Bounces: which address failed, and whether that says the mailbox is dead.

RFC 3464 is read first, then `flufl.bounce`, then the words (`bouncetext`). Only a status or text that means it makes
a bounce hard: flufl.bounce calls many temporary ones permanent (TRAPS 18), and a dead address stops essential mail.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from mailer.inbound import bouncetext
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

_DAEMON = re.compile(
    r"^(?:microsoftexchange[0-9a-f]{32}|mailer-?daemon|mail-?daemon|postmaster|mdaemon|mmdf|smtp|delivery|mail)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|problem|report|notification|delayed|has failed)|non.?deliver|"
    r"returned (?:mail|to sender)|mail (?:delivery|system error|could not)|message (?:status|you sent)|"
    r"failure notice|delivery failed|could not (?:be )?deliver|not delivered|bounce|mail failure|warning: .*delayed|"
    r"onbestelbaar|niet (?:be|af)geleverd|unzustellbar|zustell|non remis|no se (?:ha )?pud?o? entregar|rejected|"
    r"[ée]chec de (?:la )?(?:remise|distribution|livraison)|mislukt|niet afgeleverd|non consegn|no entregado|devuelto|"
    r"kunde inte levereras|nie dostarczono|blocked by our|nondeliverable|user unknown|permanent fail|deliverable|"
    r"error sending",
    re.IGNORECASE,
)
# "RE: your subject : non remis (delivery failed)": some servers answer in the subject of the mail itself.
_FAILED_END = re.compile(
    r"(?:[(:]\s*|- )(?:non remis|delivery failed|undeliverable|not delivered|failed)\W*$", re.IGNORECASE
)
_WELL_FORMED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ANSWER = re.compile(r"^\s*(?:re|aw|sv|antw|fwd?|wg|tr|doorst)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A failed or delayed delivery. `hard` is None when nothing says whether the mailbox is dead.

    `final`: the server gave up; a full mailbox is no dead one, and yet that mail was not delivered.
    """

    recipients: tuple[str, ...]
    status: str
    hard: bool | None
    diagnostic: str
    final: bool = False

    @property
    def recipient(self) -> str:
        """The first address that failed, empty if the report names none."""
        return self.recipients[0] if self.recipients else ""


def is_hard(status: str, diagnostic: str, *, delayed: bool = False) -> bool | None:
    """Whether status and text say that the mailbox is dead: True, False, or None when they do not say."""
    if delayed or status.startswith("4"):
        return False
    transient = bouncetext.NOT_DEAD.search(diagnostic) is not None
    dead = bouncetext.DEAD.search(diagnostic) is not None
    if status in VAGUE_STATUSES:
        return dead if dead is not transient else None
    if status in HARD_STATUSES:
        return True if dead or not transient else None
    return False


def find_bounce(mail: Mail) -> Bounce | None:
    """The bounce this mail is, or None; a report of success or a person's mail about a bounce is none."""
    failures = [failure for failure in mail.report if failure.action in FAILED | DELAYED]
    if failures and (mail.content_type == "multipart/report" or may_be_bounce(mail)):
        return _reported(failures, mail)
    if not mail.report and may_be_bounce(mail):
        return _recognised(mail)
    return None


def _reported(failures: list[Failure], mail: Mail) -> Bounce:
    verdicts = {is_hard(_status(row), row.diagnostic, delayed=row.action in DELAYED) for row in failures}
    first = failures[0]
    said = first.diagnostic or bouncetext.telling(bouncetext.report_of(mail.text))
    if verdicts == {None} and len(failures) == 1 and not first.diagnostic:
        verdicts = {is_hard(_status(first), said or mail.text[:2_000])}
    return Bounce(
        recipients=tuple(dict.fromkeys(row.recipient for row in failures)),
        status=_status(first),
        # Recipients that fared differently: which of them is ours is not for this report alone to say.
        hard=verdicts.pop() if len(verdicts) == 1 else None,
        diagnostic=said,
        final=any(row.action in FAILED for row in failures),
    )


def _status(row: Failure) -> str:
    """The more telling of the stated status and one inside the diagnostic (5.0.0 often hides a 5.1.1)."""
    stated = row.status if _WELL_FORMED.fullmatch(row.status) else ""
    inside = bouncetext.STATUS.search(row.diagnostic)
    return inside[1] if inside and stated in VAGUE_STATUSES else stated


def _recognised(mail: Mail) -> Bounce | None:
    named = mail.header("x-failed-recipients")
    recipients = tuple(part.strip() for part in named.split(",")) if named else ()
    recipients = tuple(dict.fromkeys(recipients + tuple(address for address, _ in mail.detected)))
    lines = bouncetext.report_of(mail.text)
    sure = _SUBJECT.search(mail.subject) is not None and (
        _from_daemon(mail) or _brings_back(mail, lines) or _null_path(mail)
    )
    if not recipients and not sure:
        return None
    recipients = recipients or bouncetext.recipients_in(lines, mail.from_addresses[0] if mail.from_addresses else "")
    said = bouncetext.telling(lines)
    inside = bouncetext.STATUS.search(said)
    status = inside[1] if inside else ""
    delayed = bool(mail.detected) and not any(permanent for _, permanent in mail.detected)
    delayed = delayed or (status[:1] != "5" and bouncetext.is_delayed(lines))
    if not recipients:
        # Whose mailbox is dead it does not say.
        return Bounce((), status, False if delayed else None, said or bouncetext.causes(lines), final=not delayed)
    judged = said or "\n".join(lines)[:4_000]
    return Bounce(
        recipients,
        status,
        is_hard(status, judged, delayed=delayed),
        said or bouncetext.causes(lines),
        final=not delayed,
    )


def _brings_back(mail: Mail, lines: list[str]) -> bool:
    return "message/rfc822" in mail.attachments and bouncetext.is_automatic(lines)


def may_be_bounce(mail: Mail) -> bool:
    """Whether a mail system, not a person, seems to have sent this: a person's mail may quote a whole bounce."""
    if mail.content_type == "multipart/report" or mail.header("x-failed-recipients"):
        return True
    if _ANSWER.search(mail.subject):
        return _FAILED_END.search(mail.subject) is not None and not mail.in_reply_to
    return _from_daemon(mail) or _null_path(mail) or _SUBJECT.search(mail.subject) is not None


def _null_path(mail: Mail) -> bool:
    return mail.return_path == "" and not mail.in_reply_to


def _from_daemon(mail: Mail) -> bool:
    return any(_DAEMON.match(address) for address in mail.from_addresses) or _DAEMON.match(mail.from_name) is not None


def detect(message: Message) -> tuple[tuple[str, bool], ...]:
    """(address, permanent) as `flufl.bounce` finds them; nothing when one of its detectors fails."""
    found: list[tuple[str, bool]] = []
    # Its detectors throw on odd input; that such a mail is a bounce is then simply not known.
    with suppress(Exception):
        temporary, permanent = all_failures(message)
        found = [(address.decode("ascii"), True) for address in sorted(permanent)]
        found += [(address.decode("ascii"), False) for address in sorted(temporary - permanent)]
    return tuple(found)
