"""Read campaigns: one, all, whom one reaches, how far one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.campaigns import content, rules
from mailer.campaigns.models import Campaign
from mailer.consent import queries as consent
from mailer.consent.rules import Withheld
from mailer.contacts.rules import Origin
from mailer.errors import Invalid, NotFound
from mailer.outbox import audience as audiences
from mailer.outbox import queries as outbox
from mailer.outbox.models import Attempt, Content, Mailing
from mailer.outbox.queries import AudienceCount
from mailer.outbox.rules import SETTLED, MailingState, MailKind, State


class NoSuchCampaign(NotFound):
    """No campaign has this id."""


@dataclass(frozen=True)
class Audience:
    """Whom a campaign reaches: in words, and counted as the fan-out would see it now."""

    words: str
    count: AudienceCount


@dataclass(frozen=True)
class Report:
    """How far a sending is; `waits_for` is the last answer of a server that did not take mail."""

    total: int
    states: dict[State, int]
    left_out: dict[Withheld, int]
    is_finished: bool
    forecast: str
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
    is_fanned_out = mailing.state is MailingState.FANNED_OUT
    is_finished = is_fanned_out and settled == total
    return Report(
        total=total,
        states=states,
        left_out=outbox.left_out(session, mailing.id),
        is_finished=is_finished,
        forecast=rules.forecast(settled, total, mailing.created_at, at) if is_fanned_out else "The list is being made",
        waits_for=None if is_finished else outbox.last_answer(session, mailing.id),
    )


def content_sent(session: Session, campaign: Campaign, locale: str) -> Content | None:
    """The frozen wording that went out in a language; None while the campaign is a draft."""
    mailing = session.get(Mailing, campaign.mailing_id) if campaign.mailing_id else None
    return session.get(Content, mailing.contents[locale]) if mailing else None
