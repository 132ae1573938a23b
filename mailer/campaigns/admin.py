"""Campaigns and announcements: the list, the editor with its live preview, and the sending."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from mailer import clock, doorbell
from mailer.campaigns import actions, pages, queries
from mailer.campaigns.forms import KIND_WORDS, EditForm, NewForm, PaceForm
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.consent import queries as consent
from mailer.db import reading, transaction
from mailer.errors import Conflict, Invalid
from mailer.outbox.rules import MailKind
from mailer.staff import access
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("campaigns", __name__, url_prefix="/admin/campaigns")
PAGE = 50
FAN_OUT = "rq_jobs.fan_out.fan_out"
# a mail in a frame: its own styles and pictures, no script, nothing else, whatever stands in it
MAIL_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; sandbox"


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    before = request.args.get("before", "")
    with reading() as session:
        found = queries.newest(session, before, PAGE)
        topics = {topic.key: topic.name for topic in consent.topics(session)}
        halted = queries.halted(session, found)
    following = url_for(".index", before=found[-1].id) if len(found) == PAGE else None
    mine = pages.may_write_any()
    return render_template(
        "admin/campaigns/list.html",
        campaigns=found,
        topics=topics,
        halted=halted,
        next_href=following,
        before=before,
        may_write=mine,
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
        pages.must_write(kind)
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
        if campaign.state is State.DRAFT and access.current_staff().may(pages.MAY_WRITE[campaign.kind]):
            return pages.editor(session, campaign, _edit_form(session, campaign))
        return pages.record(session, campaign)


@bp.post("/<campaign_id>")
@needs(May.SEE)
def save(campaign_id: str) -> ResponseReturnValue:
    """Keep the draft. A script gets the renewed preview, a plain form the whole page."""
    with transaction() as session:
        campaign = queries.get(session, campaign_id, for_update=True)
        pages.must_write(campaign.kind)
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
            return render_template("admin/campaigns/_see.html", **pages.shown(session, campaign) | {"fault": fault})
        if fault:
            return pages.editor(session, campaign, form), 422
    return redirect(url_for(".show", campaign_id=campaign_id, view=pages.view()), 303)


@bp.get("/<campaign_id>/mail")
@needs(May.SEE)
def mail(campaign_id: str) -> ResponseReturnValue:
    """The HTML of the kept draft, or of what was sent, for a frame without rights."""
    with reading() as session:
        sample = pages.sample(session, queries.get(session, campaign_id), request.args.get("locale", "en"))
    scheme = "@media all" if request.args.get("look") == "dark" else "@media not all"
    response: Response = make_response(sample.html.replace("@media (prefers-color-scheme: dark)", scheme))
    response.headers["Content-Security-Policy"] = MAIL_SECURITY
    return response


@bp.post("/<campaign_id>/test")
@needs(May.SEE)
def test(campaign_id: str) -> ResponseReturnValue:
    who = access.current_staff()
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            pages.must_write(campaign.kind)
            actions.send_test(session, campaign, pages.me(session), clock.now())
    except (Conflict, Invalid) as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring(*pages.bell(campaign))
        flash(f"A test mail is on its way to {who.email}.", "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.get("/<campaign_id>/send")
@needs(May.SEE)
def confirm(campaign_id: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        pages.must_write(campaign.kind)
        if campaign.state is not State.DRAFT:
            return redirect(url_for(".show", campaign_id=campaign_id), 303)
        return render_template("admin/campaigns/confirm.html", pace=PaceForm(), **pages.shown(session, campaign))


@bp.post("/<campaign_id>/send")
@needs(May.SEE)
def send(campaign_id: str) -> ResponseReturnValue:
    form = PaceForm()
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            pages.must_write(campaign.kind)
            if not form.validate_on_submit():
                return render_template("admin/campaigns/confirm.html", pace=form, **pages.shown(session, campaign)), 422
            who = access.current_staff().id
            mailing = actions.send(session, campaign, who, clock.now(), form.per_hour.data)
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring(pages.CHORES, FAN_OUT, mailing.id)
        flash("It is on its way. This page shows how far it is.", "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


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
    form.kind.choices = [SelectChoice(kind.value, words) for kind, words in KIND_WORDS.items() if pages.may(kind)]
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
