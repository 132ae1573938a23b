"""Campaigns and announcements: the list, the editor with its live preview, the sending, its report and its brakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from mailer import clock, doorbell, settings
from mailer.campaigns import actions, placeholders, queries, rules
from mailer.campaigns.forms import CANCEL, KIND_WORDS, CancelForm, EditForm, NewForm, PaceForm, PauseForm
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.consent import queries as consent
from mailer.db import reading, transaction
from mailer.delivery import compose, outlook
from mailer.errors import Conflict, Invalid, NotAllowed, NotFound
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.staff import access
from mailer.staff import queries as staff
from mailer.staff.access import needs
from mailer.staff.models import Staff
from mailer.staff.rules import May

bp = Blueprint("campaigns", __name__, url_prefix="/admin/campaigns")
PAGE = 50
CHORES, FAN_OUT, CLEAR, DELIVER = "chores", "rq_jobs.fan_out.fan_out", "rq_jobs.clear.clear", "rq_jobs.deliver.deliver"
MAY_WRITE = {MailKind.CAMPAIGN: May.CAMPAIGN, MailKind.ANNOUNCEMENT: May.ANNOUNCE}
VIEWS = {"desktop": "Desktop", "phone": "Phone", "dark": "Dark", "dutch": "Dutch frame", "text": "Plain text"}
# a mail in a frame: its own styles and pictures, no script, nothing else, whatever stands in it
MAIL_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; sandbox"


@dataclass(frozen=True)
class _Done:
    """What a press on a brake came to: words for whoever pressed, and whom to ring."""

    words: str
    bell: tuple[str, ...] = ()


@bp.get("/")
@needs(May.SEE)
def index() -> ResponseReturnValue:
    before = request.args.get("before", "")
    with reading() as session:
        found = queries.newest(session, before, PAGE)
        topics = {topic.key: topic.name for topic in consent.topics(session)}
        halted = queries.halted(session, found)
    following = url_for(".index", before=found[-1].id) if len(found) == PAGE else None
    mine = _may_write_any()
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
        return _record(session, campaign)


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
            actions.send_test(session, campaign, _me(session), clock.now())
    except (Conflict, Invalid) as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring(*_bell(campaign))
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
        return render_template("admin/campaigns/confirm.html", pace=PaceForm(), **_shown(session, campaign))


@bp.post("/<campaign_id>/send")
@needs(May.SEE)
def send(campaign_id: str) -> ResponseReturnValue:
    form = PaceForm()
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            _must_write(campaign.kind)
            if not form.validate_on_submit():
                return render_template("admin/campaigns/confirm.html", pace=form, **_shown(session, campaign)), 422
            who = access.current_staff().id
            mailing = actions.send(session, campaign, who, clock.now(), form.per_hour.data)
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring(CHORES, FAN_OUT, mailing.id)
        flash("It is on its way. This page shows how far it is.", "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


@bp.get("/<campaign_id>/progress")
@needs(May.SEE)
def progress(campaign_id: str) -> ResponseReturnValue:
    """How far the sending is; its brakes come with it when they are others than the page has, as `stand` says."""
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        told = _report(session, campaign)
        if told["report"] is None:
            raise NotFound("Nothing of this campaign has gone out yet; its own page shows the draft.")
        has_changed = request.args.get("stand") != told["report"].outlook.stand
        return render_template("admin/campaigns/_progress.html", campaign=campaign, with_brakes=has_changed, **told)


@bp.post("/<campaign_id>/pause")
@needs(May.SEE)
def pause(campaign_id: str) -> ResponseReturnValue:
    return _steer(campaign_id, PauseForm(), _pause)


@bp.post("/<campaign_id>/resume")
@needs(May.SEE)
def resume(campaign_id: str) -> ResponseReturnValue:
    return _steer(campaign_id, FlaskForm(), _resume)


@bp.post("/<campaign_id>/pace")
@needs(May.SEE)
def pace(campaign_id: str) -> ResponseReturnValue:
    return _steer(campaign_id, PaceForm(), _set_pace)


@bp.get("/<campaign_id>/cancel")
@needs(May.SEE)
def confirm_cancel(campaign_id: str) -> ResponseReturnValue:
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        _must_steer(campaign.kind)
        told = _report(session, campaign)
        if told["report"] is None or told["report"].outlook.stand not in outlook.MAY_GO_ON:
            return redirect(url_for(".show", campaign_id=campaign_id), 303)
        return _cancel_page(campaign, CancelForm(), told)


@bp.post("/<campaign_id>/cancel")
@needs(May.SEE)
def cancel(campaign_id: str) -> ResponseReturnValue:
    """Only with the word typed."""
    return _steer(campaign_id, CancelForm(), _cancel)


def _steer(
    campaign_id: str, form: FlaskForm, do: Callable[[Session, Campaign, FlaskForm], _Done]
) -> ResponseReturnValue:
    """One press on a brake: the change in a transaction, the bell after it, and back to the page."""
    try:
        with transaction() as session:
            campaign = queries.get(session, campaign_id)
            _must_steer(campaign.kind)
            if not form.validate_on_submit():
                return _with_faults(session, campaign, form), 422
            done = do(session, campaign, form)
    except Invalid as fault:
        if fault.field not in form:
            raise
        form[fault.field].errors = [str(fault)]
        with reading() as session:
            return _with_faults(session, queries.get(session, campaign_id), form), 422
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        if done.bell:
            doorbell.ring(*done.bell)
        flash(done.words, "success")
    return redirect(url_for(".show", campaign_id=campaign_id), 303)


def _pause(session: Session, campaign: Campaign, form: FlaskForm) -> _Done:
    actions.pause(session, campaign, _me(session), form.why.data or "", clock.now())
    return _Done("It is paused. Nothing more goes out until somebody resumes it.")


def _resume(session: Session, campaign: Campaign, _form: FlaskForm) -> _Done:
    actions.resume(session, campaign, _me(session), clock.now())
    return _Done("It goes on where it stopped.", _bell(campaign))


def _set_pace(session: Session, campaign: Campaign, form: FlaskForm) -> _Done:
    per_hour = form.per_hour.data
    actions.set_pace(session, campaign, _me(session), per_hour, clock.now())
    words = f"At most {per_hour:,} mails an hour go out from now on." if per_hour else "It goes as fast as it may."
    return _Done(words, _bell(campaign))


def _cancel(session: Session, campaign: Campaign, _form: FlaskForm) -> _Done:
    mailing = actions.cancel(session, campaign, _me(session), clock.now())
    return _Done("It is cancelled. What waited is not sent any more.", (CHORES, CLEAR, mailing.id))


def _with_faults(session: Session, campaign: Campaign, form: FlaskForm) -> str:
    if isinstance(form, CancelForm):
        return _cancel_page(campaign, form, _report(session, campaign))
    return _record(session, campaign, form)


def _cancel_page(campaign: Campaign, form: CancelForm, told: dict[str, Any]) -> str:
    return render_template("admin/campaigns/cancel.html", campaign=campaign, form=form, word=CANCEL, **told)


def _record(session: Session, campaign: Campaign, faulty: FlaskForm | None = None) -> str:
    """The page of a campaign that one may only look at, or that was sent; with the form that came back with faults."""
    page = "report" if campaign.state is State.SENT else "draft"
    told = _shown(session, campaign) | _report(session, campaign)
    if isinstance(faulty, PauseForm):
        told["pausing"] = faulty
    if isinstance(faulty, PaceForm):
        told["pace"] = faulty
    return render_template(f"admin/campaigns/{page}.html", with_brakes=False, **told)


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
    report = queries.report(session, campaign, clock.now())
    return {
        "report": report,
        "author": names.get(campaign.author_id, ""),
        "sent_by": names.get(campaign.sent_by or "", ""),
        "may_steer": _may_steer(campaign.kind),
        "pausing": PauseForm(formdata=None),
        "pace": PaceForm(formdata=None, per_hour=report.mailing.per_hour if report else None),
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


def _may_steer(kind: MailKind) -> bool:
    """Who may send it may stop it, and so may whoever watches the service."""
    return _may(kind) or access.current_staff().may(May.OPERATE)


def _must_steer(kind: MailKind) -> None:
    if not _may_steer(kind):
        raise NotAllowed("Your role does not include pausing or cancelling this; an operator can do it.")


def _me(session: Session) -> Staff:
    return staff.get(session, access.current_staff().id)


def _bell(campaign: Campaign) -> tuple[str, str, str]:
    lane = campaign.kind.channel.value
    return lane, DELIVER, lane
