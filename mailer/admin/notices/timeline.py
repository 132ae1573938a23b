"""One person and one version: what happened, with each computation in words, and what is still to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailer import clock, ids, settings
from mailer.admin import story
from mailer.admin.notices import binding
from mailer.admin.notices.binding import Bound
from mailer.admin.notices.summary import REASONS
from mailer.contacts.models import ContactUse
from mailer.inbound.models import InboundMail
from mailer.notices import clocks, facts, mail
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.rules import FactKind, NoticeState, Via
from mailer.outbox.models import Attempt
from mailer.policies.models import Version
from mailer.staff.models import Task
from mailer.terminations.models import Termination

MAILS_AT_MOST = 50
_TEXTS = {
    FactKind.PLANNED: "A mail to this person was made.",
    FactKind.DEFERRED: "Their mail server puts the mail off since long. The clock starts when it takes the mail, "
    "so later than others’.",
    FactKind.ACCEPTED: "The next mail server took the notice. The clock runs.",
    FactKind.REFUSED: "The mail server refused the notice for good. No clock runs.",
    FactKind.WITHHELD: "The notice was not sent: {why}. No clock runs.",
    FactKind.BOUNCED: "The notice came back. Whatever was reckoned from it is void.",
    FactKind.PLANNED_AGAIN: "The notice goes out once more: {because}.",
    FactKind.ANNOUNCED: "A service showed the announcement to this person on {on}.",
    FactKind.LETTER: "A letter was handed over on {on}.",
    FactKind.REMINDED: "A reminder was sent.",
    FactKind.ENDED: "Nothing more comes of this notice: {why}.",
    FactKind.AGREED: "The person agreed by a click.",
    FactKind.DEEMED: "Deemed to agree: told, time to answer over, no termination, and the service was used on {on}.",
}
_TONES = {
    FactKind.ACCEPTED: "good",
    FactKind.ANNOUNCED: "good",
    FactKind.LETTER: "good",
    FactKind.AGREED: "good",
    FactKind.DEEMED: "good",
    FactKind.REFUSED: "bad",
    FactKind.WITHHELD: "bad",
    FactKind.BOUNCED: "bad",
}
_VIA = {FactKind.ACCEPTED: Via.MAIL, FactKind.ANNOUNCED: Via.ANNOUNCEMENT, FactKind.LETTER: Via.LETTER}


@dataclass(frozen=True)
class Event:
    """One thing that happened, or will; `quote` is another's words, `why` a computation, `href` where it is whole."""

    at: datetime
    text: str
    tone: str = ""
    quote: str = ""
    why: str = ""
    href: str = ""
    label: str = ""
    is_ahead: bool = False


def tell(session: Session, version: Version, notice: Notice, at: datetime) -> list[Event]:
    """The whole of it, oldest first, with what is still to come at the end."""
    happened = facts.of(session, version.id, notice.contact_id)
    rows = {row for row in (notice.message_row, *(fact.message_row for fact in happened)) if row is not None}
    events = [Event(version.released_at, f"Version {version.number} was released.")]
    events += _tries(session, rows)
    events += [_fact(version, fact) for fact in happened]
    events += _written(session, version, notice.contact_id)
    events += _terminated(session, version, notice.contact_id)
    events += _used(session, version, notice)
    events += _tasks(session, version.id, notice.contact_id)
    events += _days(notice, binding.of(session, version, notice), at)
    return sorted(events, key=lambda event: event.at)  # of one instant as they stand above


def _fact(version: Version, row: NoticeFact) -> Event:
    fact, said = facts.read(row), row.data
    why = "" if fact.days is None else clocks.explained(version, fact.days, _VIA.get(row.kind, Via.MAIL))
    words = {"why": REASONS.get(fact.why, fact.why or "no reason was kept"), "because": said.get("because", "")}
    words["on"] = mail.say(row.on_date, "en")
    href = f"/admin/messages/{ids.message_id(row.message_row)}" if row.message_row is not None else ""
    quote = fact.evidence or (fact.why if row.kind is FactKind.BOUNCED else "")
    if row.kind is FactKind.AGREED:
        quote = f"SHA-256 of the words: {said.get('wording', 'not kept')}"
    return Event(
        row.at, _TEXTS[row.kind].format(**words), _TONES.get(row.kind, ""), quote, why, href, "The mail" if href else ""
    )


def _tries(session: Session, rows: set[int]) -> Iterator[Event]:
    """What servers answered to each try of each mail that carried the notice."""
    query = select(Attempt).where(Attempt.message_row.in_(rows)).order_by(Attempt.message_row, Attempt.id)
    numbers: dict[int, int] = {}
    for attempt in session.scalars(query):
        number = numbers[attempt.message_row] = numbers.get(attempt.message_row, 0) + 1
        step = story.tried(number, attempt)
        yield Event(attempt.at, step.text, step.tone if step.tone == "bad" else "", step.quote)


def _written(session: Session, version: Version, contact_id: str) -> Iterator[Event]:
    """What came in since from this person, or came back from their server."""
    theirs = InboundMail.contact_id == contact_id, InboundMail.received_at >= version.released_at
    query = select(InboundMail).where(*theirs).order_by(InboundMail.received_at).limit(MAILS_AT_MOST)
    for one in session.scalars(query):
        kind = one.decided_kind or one.kind
        words = f"A mail came in, read as: {str(kind).replace('_', ' ')}." if kind else "A mail came in."
        yield Event(one.received_at, words, quote=one.subject, href=f"/admin/replies/{one.id}", label="The mail")


def _terminated(session: Session, version: Version, contact_id: str) -> Iterator[Event]:
    concerns = or_(Termination.version_id == version.id, Termination.version_id.is_(None))
    for one in session.scalars(select(Termination).where(Termination.contact_id == contact_id, concerns)):
        timing = {"in_time": "in time", "late": "after the last day to answer", "no_window": "while no clock ran"}
        words = f"A request to terminate, {timing[one.timing]}; it is {str(one.state).replace('_', ' ')}."
        yield Event(one.received_at, words, "bad", href=f"/admin/replies/terminations/{one.id}", label="The request")


def _used(session: Session, version: Version, notice: Notice) -> list[Event]:
    """The first use by the person since the binding day of their clock, and the last use since the release."""
    human = select(ContactUse).where(ContactUse.contact_id == notice.contact_id, ~ContactUse.automatic)
    last = session.scalar(
        human.where(ContactUse.last_at >= version.released_at).order_by(ContactUse.last_at.desc()).limit(1)
    )
    first = None
    if notice.binding_on is not None:
        since = human.where(ContactUse.used_on >= notice.binding_on)
        first = session.scalar(since.order_by(ContactUse.used_on, ContactUse.id).limit(1))
    found = [Event(first.last_at, f"Used {first.source}: the first use since their binding day.")] if first else []
    if last is not None and (first is None or last.id != first.id):
        found.append(Event(last.last_at, f"Used {last.source}: the last use we were told of."))
    return found


def _tasks(session: Session, version_id: str, contact_id: str) -> Iterator[Event]:
    query = select(Task).where(Task.subject_id == version_id, Task.contact_id == contact_id)
    for task in session.scalars(query):
        yield Event(
            task.opened_at, "This was put on the desk for a person.", href=f"/admin/tasks/{task.id}", label="The task"
        )
        if task.done_at is not None:
            yield Event(task.done_at, "It was taken off the desk.", quote=task.note)


def _days(notice: Notice, bound: Bound, at: datetime) -> Iterator[Event]:
    """The person's own days, of a clock that runs: when their time ends, and when the version binds them, if ever."""
    if notice.state is not NoticeState.ACCEPTED or notice.respond_by_on is None:
        return
    ends = _begin(notice.respond_by_on + timedelta(days=1))
    words = f"The time to answer ends with {mail.say(notice.respond_by_on, 'en')}, 24:00."
    yield Event(ends, words, why=notice.computation, is_ahead=ends > at)
    if bound.on is not None:
        binds = _begin(bound.on)
        words = " ".join(filter(None, ("From here on the version binds this person.", bound.why)))
        yield Event(binds, words, why=notice.computation, is_ahead=binds > at)


def _begin(day: date) -> datetime:
    return clock.midnight(day, settings.current().zone)
