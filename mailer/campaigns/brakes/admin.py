"""A sending under way: how far it is, and its brakes (docs/mailings.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from mailer import clock, doorbell
from mailer.campaigns import actions, pages, queries
from mailer.campaigns.forms import CANCEL, CancelForm, PaceForm, PauseForm
from mailer.campaigns.models import Campaign
from mailer.db import reading, transaction
from mailer.delivery import outlook
from mailer.errors import Conflict, Invalid, NotFound
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("campaign_brakes", __name__, url_prefix="/admin/campaigns")
CLEAR = "rq_jobs.clear.clear"


@dataclass(frozen=True)
class _Done:
    """What a press on a brake came to: words for whoever pressed, and whom to ring."""

    words: str
    bell: tuple[str, ...] = ()


@bp.get("/<campaign_id>/progress")
@needs(May.SEE)
def progress(campaign_id: str) -> ResponseReturnValue:
    """How far the sending is; its brakes come with it when they are others than the page has, as `stand` says."""
    with reading() as session:
        campaign = queries.get(session, campaign_id)
        told = pages.report(session, campaign)
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
        pages.must_steer(campaign.kind)
        told = pages.report(session, campaign)
        if told["report"] is None or told["report"].outlook.stand not in outlook.MAY_GO_ON:
            return redirect(url_for("campaigns.show", campaign_id=campaign_id), 303)
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
            pages.must_steer(campaign.kind)
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
    return redirect(url_for("campaigns.show", campaign_id=campaign_id), 303)


def _pause(session: Session, campaign: Campaign, form: FlaskForm) -> _Done:
    actions.pause(session, campaign, pages.me(session), form.why.data or "", clock.now())
    return _Done("It is paused. Nothing more goes out until somebody resumes it.")


def _resume(session: Session, campaign: Campaign, _form: FlaskForm) -> _Done:
    actions.resume(session, campaign, pages.me(session), clock.now())
    return _Done("It goes on where it stopped.", pages.bell(campaign))


def _set_pace(session: Session, campaign: Campaign, form: FlaskForm) -> _Done:
    per_hour = form.per_hour.data
    actions.set_pace(session, campaign, pages.me(session), per_hour, clock.now())
    words = f"At most {per_hour:,} mails an hour go out from now on." if per_hour else "It goes as fast as it may."
    return _Done(words, pages.bell(campaign))


def _cancel(session: Session, campaign: Campaign, _form: FlaskForm) -> _Done:
    mailing = actions.cancel(session, campaign, pages.me(session), clock.now())
    return _Done("It is cancelled. What waited is not sent any more.", (pages.CHORES, CLEAR, mailing.id))


def _with_faults(session: Session, campaign: Campaign, form: FlaskForm) -> str:
    if isinstance(form, CancelForm):
        return _cancel_page(campaign, form, pages.report(session, campaign))
    return pages.record(session, campaign, form)


def _cancel_page(campaign: Campaign, form: CancelForm, told: dict[str, Any]) -> str:
    return render_template("admin/campaigns/cancel.html", campaign=campaign, form=form, word=CANCEL, **told)
