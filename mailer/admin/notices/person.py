"""One person and one version: their days, their timeline, and the ways back where no notice reached them."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock
from mailer.admin.notices import binding, timeline
from mailer.admin.notices.summary import why_lost
from mailer.db import reading, transaction
from mailer.errors import MailerError
from mailer.notices import bells, listing, queries, unreached
from mailer.notices.forms import LetterForm, TellForm
from mailer.notices.models import Notice
from mailer.notices.queries import NoSuchNotice
from mailer.notices.rules import NoticeState
from mailer.policies import queries as policies
from mailer.policies.forms import blame
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May
from mailer.terminations import queries as terminations

bp = Blueprint("notice_people", __name__, url_prefix="/admin/notices/<version_id>/people/<contact_id>")


@bp.get("")
@needs(May.SEE_PEOPLE)
def person(version_id: str, contact_id: str) -> ResponseReturnValue:
    """One person's dates with their computation in words, and what happened."""
    with reading() as session:
        return _page(session, version_id, contact_id)


@bp.post("/tell")
@needs(May.REPLY)
def tell(version_id: str, contact_id: str) -> ResponseReturnValue:
    """Send the notice to another address of the person that is on file."""
    form = TellForm()
    try:
        with transaction() as session:
            notice = _notice(session, version_id, contact_id)
            unreached.tell_at(session, notice, form.email.data or "", current_staff().id, clock.now())
    except MailerError as fault:
        blame(form, fault)
        with reading() as session:
            return _page(session, version_id, contact_id, telling=form), fault.status
    bells.told_again()
    flash("The notice goes to that address. This person’s clock starts when a server takes it.", "success")
    return redirect(url_for(".person", version_id=version_id, contact_id=contact_id), 303)


@bp.post("/letter")
@needs(May.REPLY)
def letter(version_id: str, contact_id: str) -> ResponseReturnValue:
    """Record a letter by hand: the day on which it was handed over, and how that is known."""
    form = LetterForm()
    if not form.validate_on_submit():
        with reading() as session:
            return _page(session, version_id, contact_id, letter=form), 422
    try:
        with transaction() as session:
            notice, day = _notice(session, version_id, contact_id), form.delivered_on.data
            unreached.record_letter(session, notice, day, form.proof.data, current_staff().id, clock.now())
    except MailerError as fault:
        blame(form, fault)
        with reading() as session:
            return _page(session, version_id, contact_id, letter=form), fault.status
    flash("The letter is recorded. This person’s clock runs from the day it was handed over.", "success")
    return redirect(url_for(".person", version_id=version_id, contact_id=contact_id), 303)


def _notice(session: Session, version_id: str, contact_id: str) -> Notice:
    found = queries.find(session, version_id, contact_id)
    if found is None:
        raise NoSuchNotice("This person has no notice of this version; open the list of its people again.")
    return found


def _page(
    session: Session,
    version_id: str,
    contact_id: str,
    *,
    telling: TellForm | None = None,
    letter: LetterForm | None = None,
) -> str:
    at: datetime = clock.now()
    version = policies.get_version(session, version_id)
    one = listing.get(session, version_id, contact_id, terminations.recorded(version_id))
    is_lost = one.notice.state is NoticeState.UNREACHED and one.contact.erased_at is None
    others = unreached.other_addresses(session, one.notice) if is_lost else []
    telling = telling or TellForm(formdata=None)
    telling.email.choices = [(email, email) for email in others]
    return render_template(
        "admin/notices/person.html",
        version=version,
        person=one,
        bound=binding.of(session, version, one.notice),
        why_lost=why_lost,
        message=queries.find_message(session, one.notice),
        events=timeline.tell(session, version, one.notice, at),
        may_act=is_lost and current_staff().may(May.REPLY),
        others=others,
        telling=telling,
        letter=letter or LetterForm(formdata=None),
    )
