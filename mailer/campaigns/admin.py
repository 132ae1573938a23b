"""Campaigns and announcements: the list, the editor with its live preview, the sending, the report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from mailer import clock, doorbell, settings
from mailer.campaigns import actions, placeholders, queries, rules
from mailer.campaigns.forms import KIND_WORDS, EditForm, NewForm
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.consent import queries as consent
from mailer.db import reading, transaction
from mailer.delivery import compose
from mailer.errors import Conflict, Invalid, NotAllowed, NotFound
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.staff import access
from mailer.staff import queries as staff
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("campaigns", __name__, url_prefix="/admin/campaigns")
PAGE = 50
MAY_WRITE = {MailKind.CAMPAIGN: May.CAMPAIGN, MailKind.ANNOUNCEMENT: May.ANNOUNCE}
VIEWS = {"desktop": "Desktop", "phone": "Phone", "dark": "Dark", "dutch": "Dutch frame", "text": "Plain text"}
# a mail in a frame: its own styles and pictures, no script, nothing else, whatever stands in it
MAIL_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; sandbox"


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    before = request.args.get("before", "")
    with reading() as session:
        found = queries.newest(session, before, PAGE)
        topics = {topic.key: topic.name for topic in consent.topics(session)}
    following = url_for(".index", before=found[-1].id) if len(found) == PAGE else None
    mine = _may_write_any()
    return render_template(
        "admin/campaigns/list.html", campaigns=found, topics=topics, next_href=following, before=before, may_write=mine
    )


@bp.get("/new")
@needs(May.SEE)
def new() -> ResponseReturnValue:
    with reading() as session:
        return render_template("admin/campaigns/new.html", form=_new_form(session))


@bp.post("/new")
@needs(May.SEE)
def create() -> ResponseReturnValue:
    with transaction() as session:
        form = _new_form(session)
        if not form.validate_on_submit():
            return render_template("admin/campaigns/new.html", form=form), 422
        kind = MailKind(form.kind.data)
        _must_write(kind)
        try:
            campaign = actions.create(
                session,
                kind=kind,
                name=form.name.data,
                topic=form.topic.data,
                author_id=access.current_staff().id,
                at=clock.now(),
            )
        except Invalid as fault:
            _show(form, fault, "name")
            return render_template("admin/campaigns/new.html", form=form), 422
    return redirect(url_for(".show", campaign_id=campaign.id), 303)


@bp.get("/<campaign_id>")
@needs(May.SEE)
def show(campaign_id: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        if campaign.state is State.DRAFT and access.current_staff().may(MAY_WRITE[campaign.kind]):
            return _editor(session, campaign, _edit_form(session, campaign))
        page = "report" if campaign.state is State.SENT else "draft"
        told = _shown(session, campaign) | _report(session, campaign)
        return render_template(f"admin/campaigns/{page}.html", **told)


@bp.post("/<campaign_id>")
@needs(May.SEE)
def save(campaign_id: str) -> ResponseReturnValue:
    """Keep the draft. A script gets the renewed preview, a plain form the whole page."""
    with transaction() as session:
        campaign = queries.get(session, campaign_id, for_update=True)
        _must_write(campaign.kind)
        form = _edit_form(session, campaign)
        fault = (
            None if form.validate_on_submit() else " ".join(str(e) for errors in form.errors.values() for e in errors)
        )
        try:
            if not fault:
                _edit(session, campaign, form)
        except Invalid as error:
            fault = str(error)
            _show(form, error, "body")
        if "HX-Request" in request.headers:
            return render_template("admin/campaigns/_see.html", **_shown(session, campaign) | {"fault": fault})
        if fault:
            return _editor(session, campaign, form), 422
    return redirect(url_for(".show", campaign_id=campaign_id, view=_view()), 303)


@bp.get("/<campaign_id>/mail")
@needs(May.SEE)
def mail(campaign_id: str) -> ResponseReturnValue:
    """The HTML of the kept draft, or of what was sent, for a frame without rights."""
    with reading() as session:
        rendered = _rendered(session, queries.get(session, campaign_id), request.args.get("locale", "en"))
    scheme = "@media all" if request.args.get("look") == "dark" else "@media not all"
    response: Response = make_response(rendered.html.replace("@media (prefers-color-scheme: dark)", scheme))
    response.headers["Content-Security-Policy"] = MAIL_SECURITY
    return response


@bp.post("/<campaign_id>/test")
@needs(May.SEE)
def test(campaign_id: str) -> ResponseReturnValue:
    who = access.current_staff()
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            _must_write(campaign.kind)
            actions.send_test(session, campaign, staff.get(session, who.id), clock.now())
    except (Conflict, Invalid) as fault:
        flash(str(fault), "error")
    else:
        _ring(campaign)
        flash(f"A test mail is on its way to {who.email}.", "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.get("/<campaign_id>/send")
@needs(May.SEE)
def confirm(campaign_id: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        _must_write(campaign.kind)
        if campaign.state is not State.DRAFT:
            return redirect(url_for(".show", campaign_id=campaign_id), 303)
        return render_template("admin/campaigns/confirm.html", **_shown(session, campaign))


@bp.post("/<campaign_id>/send")
@needs(May.SEE)
def send(campaign_id: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            _must_write(campaign.kind)
            mailing = actions.send(session, campaign, access.current_staff().id, clock.now())
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring("chores", "rq_jobs.fan_out.fan_out", mailing.id)
        flash("It is on its way. This page shows how far it is.", "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.get("/<campaign_id>/progress")
@needs(May.SEE)
def progress(campaign_id: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        told = _report(session, campaign)
        if told["report"] is None:
            raise NotFound("Nothing of this campaign has gone out yet; its own page shows the draft.")
        return render_template("admin/campaigns/_progress.html", campaign=campaign, **told)


def _editor(session: Session, campaign: Campaign, form: EditForm) -> str:
    allowed = [f"{{{{ {name} }}}}" for name in placeholders.ALLOWED]
    return render_template("admin/campaigns/edit.html", form=form, placeholders=allowed, **_shown(session, campaign))


def _shown(session: Session, campaign: Campaign) -> dict[str, Any]:
    """What the page of a campaign shows beside its form."""
    view = _view()
    audience = queries.audience(session, campaign)
    checks = queries.checks(campaign, audience.count.included)
    rendered = _rendered(session, campaign, "nl" if view == "dutch" else "en")
    views = [
        {"href": url_for(".show", campaign_id=campaign.id, view=key), "label": label, "current": key == view}
        for key, label in VIEWS.items()
    ]
    return {
        "campaign": campaign,
        "audience": audience,
        "checks": checks,
        "may_send": rules.may_send(checks),
        "rendered": rendered,
        "sender": _sender(campaign.kind),
        "view": view,
        "views": views,
        "fault": None,
    }


def _report(session: Session, campaign: Campaign) -> dict[str, Any]:
    names = staff.names(session)
    return {
        "report": queries.report(session, campaign, clock.now()),
        "author": names.get(campaign.author_id, ""),
        "sent_by": names.get(campaign.sent_by or "", ""),
    }


def _rendered(session: Session, campaign: Campaign, locale: str) -> compose.Rendered:
    """The mail for a sample person, by the same code that writes the real one."""
    locale = locale if locale in actions.LOCALES else "en"
    sent = queries.content_sent(session, campaign, locale)
    if sent is not None:
        return compose.preview(sent)
    wording = actions.render(session, campaign, locale)
    return compose.preview(Content(kind=campaign.kind, locale=locale, **asdict(wording)))


def _sender(kind: MailKind) -> str:
    config = settings.current()
    return config.from_marketing if kind is MailKind.CAMPAIGN else config.from_essential


def _edit(session: Session, campaign: Campaign, form: EditForm) -> None:
    actions.edit(
        session,
        campaign,
        name=form.name.data,
        subject=form.subject.data,
        body=form.body.data,
        topic=form.topic.data if campaign.kind is MailKind.CAMPAIGN else None,
        at=clock.now(),
    )


def _new_form(session: Session) -> NewForm:
    form = NewForm()
    form.kind.choices = [SelectChoice(kind.value, words) for kind, words in KIND_WORDS.items() if _may(kind)]
    form.topic.choices = [SelectChoice(topic.key, topic.name) for topic in consent.topics(session)]
    if request.method == "GET" and form.kind.choices:
        form.kind.data = form.kind.choices[0].value
    return form


def _edit_form(session: Session, campaign: Campaign) -> EditForm:
    form = EditForm(obj=campaign)
    form.topic.choices = [SelectChoice(topic.key, topic.name) for topic in consent.topics(session)]
    if campaign.kind is not MailKind.CAMPAIGN:
        del form.topic
    return form


def _show(form: NewForm | EditForm, fault: Invalid, otherwise: str) -> None:
    """Put a fault at its field."""
    field = form[fault.field] if fault.field in form else form[otherwise]
    field.errors = [*field.errors, str(fault)]


def _view() -> str:
    asked = request.values.get("view") or request.values.get("shown")
    return asked if asked in VIEWS else "desktop"


def _may(kind: MailKind) -> bool:
    return access.current_staff().may(MAY_WRITE[kind])


def _may_write_any() -> bool:
    return any(_may(kind) for kind in MAY_WRITE)


def _must_write(kind: MailKind) -> None:
    if not _may(kind):
        raise NotAllowed(
            f"Your role does not include writing a mail of the kind {kind.value}; an operator can change that."
        )


def _ring(campaign: Campaign) -> None:
    lane = campaign.kind.channel.value
    doorbell.ring(lane, "rq_jobs.deliver.deliver", lane)
