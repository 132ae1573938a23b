"""Read campaigns: one, all, whom one reaches, how far one is and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailer.campaigns import content, rules
from mailer.campaigns.models import Campaign
from mailer.consent import queries as consent
from mailer.consent.rules import Withheld
from mailer.contacts.rules import Origin
from mailer.delivery import outlook as outlooks
from mailer.delivery.outlook import Outlook, Stand
from mailer.errors import Invalid, NotFound
from mailer.outbox import audience as audiences
from mailer.outbox import queries as outbox
from mailer.outbox.models import Attempt, Content, Mailing
from mailer.outbox.queries import AudienceCount
from mailer.outbox.rules import SETTLED, MailKind, State
from mailer.staff.models import Task

PAUSED_ITSELF = "mailing_paused"  # the kind of task that a sending opens which pauses itself


class NoSuchCampaign(NotFound):
    """No campaign has this id."""


class NoSuchSending(NotFound):
    """A campaign that was not sent."""


@dataclass(frozen=True)
class Audience:
    """Whom a campaign reaches: in words, and counted as the fan-out would see it now."""

    words: str
    count: AudienceCount


@dataclass(frozen=True)
class Report:
    """How far a sending is and how it goes on; `waits_for` is the last answer of a server that did not take mail."""

    mailing: Mailing
    outlook: Outlook
    total: int
    states: dict[State, int]
    left_out: dict[Withheld, int]
    waits_for: Attempt | None

    @property
    def settled(self) -> int:
        return sum(n for state, n in self.states.items() if state in SETTLED)


def get(session: Session, campaign_id: str, *, for_update: bool = False) -> Campaign:
    """The campaign with this id; NoSuchCampaign if there is none."""
    found = session.get(Campaign, campaign_id, with_for_update=for_update or None, populate_existing=for_update)
    if found is None:
        raise NoSuchCampaign("There is no such campaign here; look for it in the list of campaigns.")
    return found


def newest(session: Session, before: str = "", limit: int = 50) -> Sequence[Campaign]:
    """Campaigns and announcements, newest first; a keyset page below id `before`."""
    query = select(Campaign).order_by(Campaign.id.desc()).limit(limit)
    return session.scalars(query.where(Campaign.id < before) if before else query).all()


def audience_of(campaign: Campaign) -> dict[str, Any]:
    """The audience a campaign goes to, as a mailing freezes it."""
    if campaign.kind is MailKind.ANNOUNCEMENT:
        return audiences.of_origins([Origin.ACCOUNT_HOLDER.value])
    if campaign.topic is None:
        raise Invalid("topic: choose what this campaign is about; its readers are its audience.", field="topic")
    return audiences.of_topic(campaign.topic)


def audience(session: Session, campaign: Campaign) -> Audience:
    """Whom a campaign would reach if it went out now."""
    count = outbox.audience_count(session, campaign.kind, audience_of(campaign))
    if campaign.topic is None:
        return Audience("Everybody with an account", count)
    return Audience(f"Readers of {consent.get_topic(session, campaign.topic).name}", count)


def checks(campaign: Campaign, people: int) -> list[rules.Check]:
    """What is to be said about a campaign before it goes out."""
    try:
        letter, fault = content.write(campaign.subject, campaign.body), None
    except Invalid as error:
        letter, fault = content.EMPTY, str(error)
    draft = rules.Draft(
        channel=campaign.kind.channel,
        subject=campaign.subject,
        text=letter.text,
        links=len(letter.links),
        images=len(letter.images),
        images_without_words=letter.images_without_words,
        html_bytes=len(letter.html.encode()),
        people=people,
        fault=fault,
    )
    return rules.checks(draft)


def report(session: Session, campaign: Campaign, at: datetime) -> Report | None:
    """How far the sending of a campaign is; None while it is a draft."""
    mailing = session.get(Mailing, campaign.mailing_id) if campaign.mailing_id else None
    if mailing is None:
        return None
    states = outbox.progress(session, mailing.id)
    total, settled = sum(states.values()), sum(n for state, n in states.items() if state in SETTLED)
    outlook = outlooks.look(mailing, total - settled, at)
    return Report(
        mailing=mailing,
        outlook=outlook,
        total=total,
        states=states,
        left_out=outbox.left_out(session, mailing.id),
        waits_for=outbox.last_answer(session, mailing.id) if outlook.stand in outlooks.GOES_ON else None,
    )


def get_mailing(session: Session, campaign: Campaign) -> Mailing:
    """The sending of a campaign, locked until the commit; NoSuchSending while it is a draft."""
    if campaign.mailing_id is None:
        raise NoSuchSending("Nothing of this campaign has gone out yet; its own page shows the draft.")
    return session.get_one(Mailing, campaign.mailing_id, with_for_update=True, populate_existing=True)


def halted(session: Session, campaigns: Iterable[Campaign]) -> dict[str, Stand]:
    """Those of the campaigns whose sending is paused or was cancelled, by id."""
    concerned = [campaign.mailing_id for campaign in campaigns if campaign.mailing_id]
    stopped = Mailing.id.in_(concerned), or_(Mailing.paused_at.is_not(None), Mailing.cancelled_at.is_not(None))
    found = session.execute(select(Mailing.subject_id, Mailing.cancelled_at).where(*stopped))
    return {subject: Stand.CANCELLED if cancelled_at else Stand.PAUSED for subject, cancelled_at in found}


def tasks_of(session: Session, mailing: Mailing) -> Sequence[Task]:
    """What waits for a person because a sending paused itself."""
    waiting = Task.subject_id == mailing.id, Task.kind == PAUSED_ITSELF, Task.done_at.is_(None)
    return session.scalars(select(Task).where(*waiting).order_by(Task.opened_at, Task.id)).all()


def content_sent(session: Session, campaign: Campaign, locale: str) -> Content | None:
    """The frozen wording that went out in a language; None while the campaign is a draft."""
    mailing = session.get(Mailing, campaign.mailing_id) if campaign.mailing_id else None
    return session.get(Content, mailing.contents[locale]) if mailing else None
