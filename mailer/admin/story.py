"""One message's life, told as a story: what was done, what was answered, and why something was not done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailer.consent import words
from mailer.outbox.models import Attempt, Message
from mailer.outbox.queries import HELD
from mailer.outbox.rules import MailKind, Outcome, State

KINDS = {
    MailKind.CAMPAIGN: "a campaign",
    MailKind.ANNOUNCEMENT: "an essential announcement",
    MailKind.ADMINISTRATIVE: "an administrative message that another service asked for",
    MailKind.NOTICE: "the notice of a changed policy",
    MailKind.REMINDER: "a reminder of a notice",
    MailKind.WITHDRAWAL: "word that a change was withdrawn",
    MailKind.TERMINATION_RECEIPT: "the receipt of a termination",
    MailKind.TERMINATION_CONFIRM: "a question to confirm a termination",
    MailKind.ANSWER: "an answer to a mail",
}
_TONES = {Outcome.ACCEPTED: "good", Outcome.DEFERRED: "", Outcome.REFUSED: "bad", Outcome.IN_DOUBT: "bad"}
_ANSWERS = {
    Outcome.ACCEPTED: "took it",
    Outcome.DEFERRED: "asked us to try again later",
    Outcome.REFUSED: "refused it for good",
    Outcome.IN_DOUBT: "got every byte and gave no answer",
}


@dataclass(frozen=True)
class Step:
    """One thing that happened, or that is awaited."""

    text: str
    at: datetime | None = None
    tone: str = ""
    quote: str = ""


def tell(message: Message, attempts: Iterable[Attempt]) -> list[Step]:
    """The steps in their order; “accepted” is the next server's word and never means that it was read or delivered."""
    steps = [Step(f"Made: {KINDS[message.kind]}, to {message.to_address or 'nobody'}.", message.created_at)]
    steps += [tried(number, attempt) for number, attempt in enumerate(attempts, 1)]
    steps += _stands(message)
    if message.bounced_at:
        steps.append(Step("It came back: a later server could not hand it over.", message.bounced_at, "bad"))
    if message.complained_at:
        steps.append(Step("The reader reported it as spam.", message.complained_at, "bad"))
    return steps


def tried(number: int, attempt: Attempt) -> Step:
    """One try, and what the next server said to it."""
    text = f"Try {number}, by way of {attempt.route}: the next server {_ANSWERS[attempt.outcome]}."
    is_whole = not attempt.code or attempt.reply.startswith(str(attempt.code))  # no code: nobody answered
    quote = attempt.reply if is_whole else f"{attempt.code} {attempt.reply}"
    return Step(text, attempt.at, _TONES[attempt.outcome], quote)


def _waits(message: Message) -> Step:
    if message.due_at is None:
        return Step("It waits for its turn in its mailing.")
    if message.due_at >= HELD:
        return Step("It waits until its mailing goes on.")
    return Step("It waits; the next try is due.", message.due_at)


def _stands(message: Message) -> list[Step]:
    match message.state:
        case State.QUEUED:
            return [_waits(message)]
        case State.SENDING:
            return [Step("It is being sent at this moment.", message.dated_at)]
        case State.ACCEPTED:
            text = "Accepted by the next server. From here on we hear of it only if it comes back or is answered."
            return [Step(text, tone="good")]
        case State.REFUSED:
            return [Step("Given up: it was not taken.", message.settled_at, "bad")]
        case State.WITHHELD:
            why = words.WITHHELD[message.withheld] if message.withheld else "No reason was kept."
            return [Step(f"Not sent. {why}", message.settled_at, "bad")]
        case State.UNKNOWN:
            text = (
                "In doubt: the connection ended before the server's answer. Marketing mail is not sent a second time."
            )
            return [Step(text, message.settled_at, "bad")]
