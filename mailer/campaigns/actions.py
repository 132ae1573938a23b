"""Write campaigns and announcements, try them on oneself, send them once, and stop or slow down the sending."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from mailer import ids, settings
from mailer.campaigns import content, queries, rules
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.consent import queries as consent
from mailer.contacts.rules import read_line
from mailer.delivery import content as wording
from mailer.delivery.outlook import Stand, look, paused_by
from mailer.errors import Conflict, Invalid
from mailer.ledger import actions as ledger
from mailer.outbox import actions as outbox
from mailer.outbox import mailings
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailKind
from mailer.staff import tasks
from mailer.staff.models import Staff

LOCALES = ("en", "nl")
KINDS = (MailKind.CAMPAIGN, MailKind.ANNOUNCEMENT)
NAME_LIMIT = 120
_WHY = {
    MailKind.CAMPAIGN: {"en": "You are subscribed to “{topic}”.", "nl": "U bent geabonneerd op “{topic}”."},
    MailKind.ANNOUNCEMENT: {"en": "You have an account with {company}.", "nl": "U heeft een account bij {company}."},
}


class AlreadySent(Conflict):
    """A campaign goes out once and is then a record."""


class AlreadyHalted(Conflict):
    """Somebody was quicker."""


class NotReady(Conflict):
    """Something must be mended first."""


def create(session: Session, *, kind: MailKind, name: str, topic: str | None, author_id: str, at: datetime) -> Campaign:
    """Begin a campaign on a topic, or an announcement to everybody with an account."""
    if kind not in KINDS:
        raise Invalid(f"kind: “{kind}” is not written here; choose a campaign or an announcement.", field="kind")
    campaign = Campaign(
        id=ids.new("cmp"),
        kind=kind,
        topic=_topic(session, kind, topic),
        name=_name(name),
        subject="",
        body="",
        state=State.DRAFT,
        author_id=author_id,
        created_at=at,
        updated_at=at,
    )
    session.add(campaign)
    session.flush()
    ledger.record(session, "campaign.created", at, campaign=campaign.id, mail=kind.value, staff=author_id)
    return campaign


def edit(
    session: Session, campaign: Campaign, *, name: str, subject: str, body: str, topic: str | None, at: datetime
) -> None:
    """Keep what was written; a placeholder that nobody can fill is refused before anything changes."""
    _check_draft(campaign)
    content.write(subject, body)
    topic, name, subject = _topic(session, campaign.kind, topic), _name(name), read_line(subject, "subject")
    campaign.topic, campaign.name, campaign.subject = topic, name, subject
    campaign.body = body.replace("\r\n", "\n").strip()
    campaign.updated_at = at
    session.flush()


def send_test(session: Session, campaign: Campaign, staff: Staff, at: datetime) -> Message:
    """One mail to the writer's own address, the same in everything but whom it concerns."""
    _check_draft(campaign)
    _check(queries.checks(campaign, people=1))
    return outbox.put(
        session,
        kind=campaign.kind,
        contact=None,
        to_address=staff.email,
        name=staff.name,
        content_id=_freeze(session, campaign, "en", at),
        key=f"test/{campaign.id}/{ids.new('tst')}",
        topic=campaign.topic,
        at=at,
    )


def send(session: Session, campaign: Campaign, staff_id: str, at: datetime, per_hour: int | None = None) -> Mailing:
    """Freeze wording and audience and hand over to the outbox, at most so many an hour; a second time is refused."""
    session.flush()  # what refreshing does not see would be lost
    session.refresh(campaign, with_for_update=True)
    _check_draft(campaign)
    _check(queries.checks(campaign, queries.audience(session, campaign).count.included))
    mailing = outbox.create_mailing(
        session,
        kind=campaign.kind,
        subject_id=campaign.id,
        contents={locale: _freeze(session, campaign, locale, at) for locale in LOCALES},
        audience=queries.audience_of(campaign),
        topic=campaign.topic,
        at=at,
    )
    if per_hour is not None:
        mailings.set_pace(session, mailing, per_hour, at, staff_id)
    campaign.state, campaign.mailing_id = State.SENT, mailing.id
    campaign.sent_at, campaign.sent_by = at, staff_id
    session.flush()
    ledger.record(session, "campaign.sent", at, campaign=campaign.id, mailing=mailing.id, staff=staff_id)
    return mailing


def pause(session: Session, campaign: Campaign, staff: Staff, why: str, at: datetime) -> None:
    """Let nothing of it go out until somebody resumes it; `why` is for colleagues and may be empty."""
    mailing = queries.get_mailing(session, campaign)
    words = paused_by(staff.name, read_line(why, "why"))
    if not mailings.pause(session, mailing, words, at, staff.id):
        raise AlreadyHalted("This was paused or cancelled already; the page shows how it stands now.")


def resume(session: Session, campaign: Campaign, staff: Staff, at: datetime) -> Mailing:
    """Let it go on where it stopped; whoever does so has looked at why it paused itself, if it did."""
    mailing = queries.get_mailing(session, campaign)
    mailings.resume(session, mailing, at, staff.id)
    _finish_tasks(session, mailing, staff, "The sending was resumed.", at)
    return mailing


def cancel(session: Session, campaign: Campaign, staff: Staff, at: datetime) -> Mailing:
    """Let nothing more of it go out, ever; NotRunning if nothing was left to go out."""
    mailing = queries.get_mailing(session, campaign)
    if look(mailing, mailings.left(session, mailing.id), at).stand is Stand.SENT:
        raise mailings.NotRunning("All of this has gone out; nothing is left to cancel.")
    mailings.cancel(session, mailing, at, staff.id)
    _finish_tasks(session, mailing, staff, "The sending was cancelled.", at)
    return mailing


def set_pace(session: Session, campaign: Campaign, staff: Staff, per_hour: int | None, at: datetime) -> Mailing:
    """At most so many mails an hour from now on; None takes the limit away."""
    mailing = queries.get_mailing(session, campaign)
    mailings.set_pace(session, mailing, per_hour, at, staff.id)
    return mailing


def render(session: Session, campaign: Campaign, locale: str) -> wording.Wording:
    """The wording as it would be frozen now; nothing is kept."""
    letter = content.write(campaign.subject, campaign.body)
    facts = content.facts(letter) | {"subject": letter.subject or "…"}
    return wording.render(campaign.kind, locale, facts, **_frame(session, campaign, locale))


def _finish_tasks(session: Session, mailing: Mailing, staff: Staff, note: str, at: datetime) -> None:
    for task in queries.tasks_of(session, mailing):
        tasks.finish(session, task, staff.id, note, at)


def _freeze(session: Session, campaign: Campaign, locale: str, at: datetime) -> str:
    facts = content.facts(content.write(campaign.subject, campaign.body))
    return wording.freeze(session, campaign.kind, locale, facts, at, **_frame(session, campaign, locale))


def _frame(session: Session, campaign: Campaign, locale: str) -> dict[str, str]:
    topic = consent.get_topic(session, campaign.topic).name if campaign.topic else ""
    why = _WHY[campaign.kind][locale].format(topic=topic, company=settings.current().company_name)
    return {"why": why, "topic": topic}


def _topic(session: Session, kind: MailKind, topic: str | None) -> str | None:
    if kind is MailKind.ANNOUNCEMENT:
        return None
    if not topic:
        raise Invalid("topic: choose what this campaign is about; its readers are its audience.", field="topic")
    return consent.get_topic(session, topic).key


def _name(name: str) -> str:
    read = read_line(name, "name", NAME_LIMIT)
    if not read:
        raise Invalid("name: give it a name by which colleagues find it; readers never see it.", field="name")
    return read


def _check_draft(campaign: Campaign) -> None:
    if campaign.state is not State.DRAFT:
        raise AlreadySent("This was sent already and can no longer be changed or sent; make a new one to write again.")


def _check(found: list[rules.Check]) -> None:
    faults = [check.text for check in found if check.tone is rules.Tone.BAD]
    if faults:
        raise NotReady(f"This cannot go out yet. {' '.join(faults)}")
