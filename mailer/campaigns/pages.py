"""What the doors of campaigns share: the parts of their pages, and who may do what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.campaigns import actions, placeholders, queries, rules
from mailer.campaigns.forms import EditForm, PaceForm, PauseForm
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.delivery import compose
from mailer.errors import NotAllowed
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.staff import access
from mailer.staff import queries as staff
from mailer.staff.models import Staff
from mailer.staff.rules import May

CHORES, DELIVER = "chores", "rq_jobs.deliver.deliver"
MAY_WRITE = {MailKind.CAMPAIGN: May.CAMPAIGN, MailKind.ANNOUNCEMENT: May.ANNOUNCE}
VIEWS = {"desktop": "Desktop", "phone": "Phone", "dark": "Dark", "dutch": "Dutch frame", "text": "Plain text"}


def record(session: Session, campaign: Campaign, faulty: FlaskForm | None = None) -> str:
    """The page of a campaign that one may only look at, or that was sent; with the form that came back with faults."""
    page = "report" if campaign.state is State.SENT else "draft"
    told = shown(session, campaign) | report(session, campaign)
    if isinstance(faulty, PauseForm):
        told["pausing"] = faulty
    if isinstance(faulty, PaceForm):
        told["pace"] = faulty
    return render_template(f"admin/campaigns/{page}.html", with_brakes=False, **told)


def editor(session: Session, campaign: Campaign, form: EditForm) -> str:
    """The page of a draft that one may write on."""
    allowed = [f"{{{{ {name} }}}}" for name in placeholders.ALLOWED]
    return render_template("admin/campaigns/edit.html", form=form, placeholders=allowed, **shown(session, campaign))


def shown(session: Session, campaign: Campaign) -> dict[str, Any]:
    """What the page of a campaign shows beside its form."""
    seen = view()
    audience = queries.audience(session, campaign)
    checks = queries.checks(campaign, audience.count.included)
    mail = sample(session, campaign, "nl" if seen == "dutch" else "en")
    views = [
        {"href": url_for("campaigns.show", campaign_id=campaign.id, view=key), "label": label, "current": key == seen}
        for key, label in VIEWS.items()
    ]
    return {
        "campaign": campaign,
        "audience": audience,
        "checks": checks,
        "may_send": rules.may_send(checks),
        "rendered": mail,
        "sender": sender_of(campaign.kind),
        "view": seen,
        "views": views,
        "fault": None,
    }


def report(session: Session, campaign: Campaign) -> dict[str, Any]:
    """What the page of a sending shows beside the campaign."""
    names = staff.names(session)
    found = queries.report(session, campaign, clock.now())
    return {
        "report": found,
        "author": names.get(campaign.author_id, ""),
        "sent_by": names.get(campaign.sent_by or "", ""),
        "may_steer": may_steer(campaign.kind),
        "pausing": PauseForm(formdata=None),
        "pace": PaceForm(formdata=None, per_hour=found.mailing.per_hour if found else None),
    }


def sample(session: Session, campaign: Campaign, locale: str) -> compose.Rendered:
    """The mail for a sample person, by the same code that writes the real one."""
    locale = locale if locale in actions.LOCALES else "en"
    sent = queries.content_sent(session, campaign, locale)
    if sent is not None:
        return compose.preview(sent)
    wording = actions.render(session, campaign, locale)
    return compose.preview(Content(kind=campaign.kind, locale=locale, **asdict(wording)))


def sender_of(kind: MailKind) -> str:
    config = settings.current()
    return config.from_marketing if kind is MailKind.CAMPAIGN else config.from_essential


def view() -> str:
    """How the preview is looked at."""
    asked = request.values.get("view") or request.values.get("shown")
    return asked if asked in VIEWS else "desktop"


def may(kind: MailKind) -> bool:
    return access.current_staff().may(MAY_WRITE[kind])


def may_write_any() -> bool:
    return any(may(kind) for kind in MAY_WRITE)


def must_write(kind: MailKind) -> None:
    """NotAllowed unless one's role may write this kind of mail."""
    if not may(kind):
        raise NotAllowed(
            f"Your role does not include writing a mail of the kind {kind.value}; an operator can change that."
        )


def may_steer(kind: MailKind) -> bool:
    """Who may send it may stop it, and so may whoever watches the service."""
    return may(kind) or access.current_staff().may(May.OPERATE)


def must_steer(kind: MailKind) -> None:
    """NotAllowed unless one's role may pause or cancel a sending of this kind."""
    if not may_steer(kind):
        raise NotAllowed("Your role does not include pausing or cancelling this; an operator can do it.")


def me(session: Session) -> Staff:
    """Who is signed in."""
    return staff.get(session, access.current_staff().id)


def bell(campaign: Campaign) -> tuple[str, str, str]:
    """Whom to ring when a campaign's mail may go."""
    lane = campaign.kind.channel.value
    return lane, DELIVER, lane
