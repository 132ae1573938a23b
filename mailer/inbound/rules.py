"""What a mail is, and what it takes for a termination to count. Pure: a `Mail` in, a `Reading` out (DESIGN §9)."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from mailer.inbound import autoreply, wording
from mailer.inbound.authenticity import domain_proven
from mailer.inbound.bounces import Bounce, find_bounce
from mailer.inbound.received import Mail
from mailer.inbound.visible import CERTAIN, Visible, separate

LEAVE_PREFIX = "leave+"
_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "opt-out", "opt-out-list", "miscategorized", "other"})
_FORWARDS = ("fwd:", "fw:", "wg:", "doorst:", "tr:", "rv:", "i:")


class Kind(StrEnum):
    """What a mail is. See `MACHINE` for those no person wrote and `FOR_A_PERSON` for those that wait for staff."""

    TERMINATION = "termination"
    QUESTION = "question"
    RIGHTS_REQUEST = "rights_request"
    LEAVE_NEWSLETTERS = "leave_newsletters"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    SPOOF = "spoof"
    UNREADABLE = "unreadable"
    UNSURE = "unsure"


MACHINE = frozenset({Kind.AUTO_REPLY, Kind.BOUNCE, Kind.COMPLAINT})
FOR_A_PERSON = frozenset({Kind.QUESTION, Kind.RIGHTS_REQUEST, Kind.SPOOF, Kind.UNREADABLE, Kind.UNSURE})


class Decision(StrEnum):
    """What follows from a termination: recorded, confirmed at the primary address first, or judged by a person."""

    RECORD = "record"
    CONFIRM = "confirm"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a mail was read. `reasons` say why in words for the reply desk; `auto` means: never answer it by machine."""

    kind: Kind
    confidence: float
    reasons: tuple[str, ...]
    visible_text: str
    language: str | None
    bounce: Bounce | None
    auto: bool
    mail: Mail | None


def unreadable(reason: str) -> Reading:
    """The reading of a mail that could not be read."""
    return Reading(Kind.UNREADABLE, 1.0, (reason,), "", None, None, auto=True, mail=None)


def classify(mail: Mail) -> Reading:
    """What this mail is: bounce, complaint, leave, auto-reply, termination, rights request, question, else unsure."""
    visible = separate(mail.text, mail.html)
    said = wording.read(visible.text)
    bounce = find_bounce(mail)
    signs = autoreply.signs(mail)
    kind, confidence, reasons = _judge(mail, visible, said, bounce, signs)
    return Reading(
        kind=kind,
        confidence=confidence,
        reasons=reasons,
        visible_text=visible.text,
        language=said.language,
        bounce=bounce,
        auto=kind in MACHINE or bool(signs.sure or signs.weak),
        mail=mail,
    )


_Verdict = tuple[Kind, float, tuple[str, ...]]


def _judge(mail: Mail, visible: Visible, said: wording.Said, bounce: Bounce | None, signs: autoreply.Signs) -> _Verdict:
    if bounce is not None:
        return Kind.BOUNCE, 0.95 if mail.report else 0.8, (f"a delivery failed: {bounce.status or 'no status'}",)
    if mail.feedback is not None and mail.feedback.kind in _COMPLAINTS:
        return Kind.COMPLAINT, 0.95, (f"a feedback report: {mail.feedback.kind}",)
    if verdict := _leaving(mail, visible, said):
        return verdict
    if signs.automatic and (signs.sure or not said.about_terminating):
        return Kind.AUTO_REPLY, 0.95 if signs.sure else 0.8, signs.sure + signs.weak + signs.hints
    if len(mail.from_addresses) > 1:
        return Kind.SPOOF, 0.9, (f"more than one sender: {', '.join(mail.from_addresses[:5])}",)
    return _spoken(mail, visible, said, signs)


def _leaving(mail: Mail, visible: Visible, said: wording.Said) -> _Verdict | None:
    if said.terminates is not None or (said.about_terminating and not said.leaves_newsletters):
        # A mail that may terminate is never used up as a leave of the newsletters.
        return None
    if any(address.lower().startswith(LEAVE_PREFIX) for address in mail.to):
        return Kind.LEAVE_NEWSLETTERS, 0.95, ("written to a leave address",)
    if said.leaves_newsletters and visible.shape in CERTAIN:
        return Kind.LEAVE_NEWSLETTERS, 0.9, ("asks to leave the newsletters",)
    if not visible.text and wording.read(mail.subject).leaves_newsletters:
        return Kind.LEAVE_NEWSLETTERS, 0.9, ("the subject asks to leave the newsletters",)
    return None


def _spoken(mail: Mail, visible: Visible, said: wording.Said, signs: autoreply.Signs) -> _Verdict:
    if not wording.has_words(visible.text):
        return Kind.UNSURE, 0.0, ("there are no words of the sender's own",)
    if said.about_terminating:
        return _about_terminating(mail, visible, said, signs)
    if visible.shape not in CERTAIN:
        return Kind.UNSURE, 0.3, ("the sender's words cannot be told from the quotation with certainty",)
    if said.wants_rights:
        return Kind.RIGHTS_REQUEST, 0.8, ("speaks of rights to one's own data",)
    if said.asks:
        return Kind.QUESTION, 0.8, ("asks something",)
    return Kind.UNSURE, 0.3, ("says none of the things that are known",)


def _about_terminating(mail: Mail, visible: Visible, said: wording.Said, signs: autoreply.Signs) -> _Verdict:
    if said.terminates is None:
        if said.asks and not said.wants_rights and visible.shape in CERTAIN:
            return Kind.QUESTION, 0.7, ("asks about terminating",)
        return Kind.UNSURE, 0.4, ("speaks of terminating without saying so plainly",)
    doubts = said.doubts + tuple(_circumstances(mail, visible, said, signs))
    if doubts:
        return Kind.UNSURE, 0.5, (f"may terminate: {said.terminates}", *doubts)
    return Kind.TERMINATION, 0.95, (f"terminates: {said.terminates}",)


def _circumstances(mail: Mail, visible: Visible, said: wording.Said, signs: autoreply.Signs) -> list[str]:
    """What around the words keeps a machine from taking them for a termination."""
    doubts = []
    if visible.shape not in CERTAIN:
        doubts.append("the sender's words cannot be told from the quotation with certainty")
    if visible.forwarded or mail.subject.lower().startswith(_FORWARDS):
        doubts.append("forwarded")
    if signs.weak or signs.sure:
        doubts.append(f"a machine may have sent it: {', '.join(signs.sure + signs.weak)}")
    if said.wants_rights:
        doubts.append("speaks of rights to one's own data as well")
    return doubts


def proof_level(token: bool, aligned: bool) -> Decision:
    """What a termination needs yet: with our token and a proven sender nothing, with one of them a confirmation."""
    if token and aligned:
        return Decision.RECORD
    return Decision.CONFIRM if token or aligned else Decision.PERSON


def aligned(mail: Mail, our_authserv_ids: Collection[str], sender_on_file: str) -> bool:
    """Whether our own server proved the one From to be the address on file (RFC 8601; DESIGN §9)."""
    if mail.from_fault is not None or len(mail.from_addresses) != 1:
        return False
    sender = mail.from_addresses[0]
    if sender.casefold() != sender_on_file.strip().casefold():
        return False
    return domain_proven(mail.all_headers("authentication-results"), our_authserv_ids, sender.rpartition("@")[2])
