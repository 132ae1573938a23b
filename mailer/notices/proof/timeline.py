"""What happened between the company and one person over one version, in words and in order."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from mailer import ids
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.proof.mails import Sent
from mailer.notices.proof.model import Answers
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox.rules import Outcome
from mailer.policies.models import Version

_FACTS = {
    FactKind.PLANNED: "The notice was planned.",
    FactKind.DEFERRED: "The mail server had put the mail off for long; the person's days begin later.",
    FactKind.ACCEPTED: "The next mail server took the mail: the person counts as notified on {on}.",
    FactKind.REFUSED: "The mail server refused the mail: the person counts as not reached.",
    FactKind.WITHHELD: "The mail was not sent: the person counts as not reached.",
    FactKind.BOUNCED: "The mail came back: the notice is void, and the person counts as not reached.",
    FactKind.PLANNED_AGAIN: "The notice was planned again, to another address.",
    FactKind.ANNOUNCED: "A service showed the announcement to the person, signed in, on {on}.",
    FactKind.LETTER: "A letter was handed over on {on}.",
    FactKind.REMINDED: "The person was reminded.",
    FactKind.ENDED: "The notice ended.",
    FactKind.AGREED: "The person agreed expressly.",
    FactKind.DEEMED: "The person is deemed to agree, for they used the service on {on}.",
}
_ANSWERS = {
    Outcome.ACCEPTED: "The next mail server took {id}",
    Outcome.DEFERRED: "The mail server asked to try {id} again later",
    Outcome.REFUSED: "The mail server refused {id} for good",
    Outcome.IN_DOUBT: "The mail server got every byte of {id} and gave no answer",
}
_DETAILS = (("why", "Why"), ("evidence", "How it is known"), ("because", "Because"))
Step = tuple[datetime, str]


def text(
    version: Version,
    notice: Notice,
    happened: Sequence[NoticeFact],
    sent: Sequence[Sent],
    answers: Answers,
    *,
    is_consumer: bool,
) -> str:
    """The whole story for a reader: every instant in UTC, every legal day as a date of the company's time zone."""
    steps = [(version.released_at, f"Version {version.number} was released, to take effect on {version.effective_on}.")]
    steps += [step for one in sent for step in _tries(one)]
    steps += [(one.received_at, f"A mail came in ({one.kind}): {one.id}.") for one in answers.received]
    steps += [(one.message.bounced_at, f"{one.message.id} came back.") for one in sent if one.message.bounced_at]
    for ended in answers.terminated:
        steps.append((ended.received_at, f"A termination was received, {_spoken(ended.timing)}: {ended.id}."))
        if ended.recorded_at is not None:
            steps.append((ended.recorded_at, f"The termination {ended.id} was recorded."))
    steps += [(fact.at, _fact(fact)) for fact in happened]
    lines = [f"{_instant(at)}  {_wrapped(said)}" for at, said in sorted(steps, key=lambda step: step[0])]
    has_agreed = any(fact.kind is FactKind.AGREED for fact in happened)
    but = _but(notice, answers, is_consumer and not has_agreed) if notice.binding_on else ""
    return "\n".join([*_heading(version, notice, but), "", *lines, ""])


def _but(notice: Notice, answers: Answers, needs_yes: bool) -> str:
    """Why the version does not bind this person on the day of their clock; empty if it does."""
    if notice.state is NoticeState.ENDED:
        return " by the clock; not at all, for the notice ended"
    if any(one.state == "recorded" and one.timing != "late" for one in answers.terminated):
        return " by the clock; not at all, for the person terminated"
    return " by the clock; a consumer only once they agree" if needs_yes else ""


def _heading(version: Version, notice: Notice, but: str) -> list[str]:
    title = f"{version.policy.title}, version {version.number}, and {notice.contact_id}"
    days = [
        f"Notified on:  {notice.notified_on or 'not notified'}",
        f"Respond by:   {notice.respond_by_on or 'no window runs'}",
        f"Binding from: {notice.binding_on or 'not binding'}{but}",
    ]
    return [
        title,
        "=" * len(title),
        "",
        *days,
        *(["", textwrap.fill(notice.computation, 100)] * bool(notice.computation)),
    ]


def _fact(fact: NoticeFact) -> str:
    said = _FACTS[fact.kind].format(on=fact.on_date)
    details = [f"{label}: {fact.data[name]}." for name, label in _DETAILS if fact.data.get(name)]
    message = [f"Mail {ids.message_id(fact.message_row)}."] if fact.message_row else []
    return " ".join([said, *details, *message])


def _tries(one: Sent) -> list[Step]:
    found = []
    for attempt in one.attempts:
        said = _ANSWERS[attempt.outcome].format(id=one.message.id)
        found.append((attempt.at, f"{said}, by way of {attempt.route}: {attempt.reply or attempt.code}"))
    return found


def _wrapped(said: str) -> str:
    return textwrap.fill(said, 96, subsequent_indent=" " * 25)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _spoken(word: str) -> str:
    return word.replace("_", " ")
