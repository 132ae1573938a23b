"""The reply desk: what came in, one mail with all that is known of it, and what a person decides and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from mailer import clock, doorbell
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.errors import Conflict, Invalid
from mailer.inbound import child, decisions, desk, matching, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.forms import DECISIONS, AnswerForm, ContactForm, DecideForm, FindForm, PressForm
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind, Reading
from mailer.outbox.models import Message
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import UNDECIDED

bp = Blueprint("inbound_admin", __name__, url_prefix="/admin/replies")
PAGE = 50
SHOWN_TEXT = 100_000
ALL = "all"
# a stranger's mail in its frame: its own inline style, nothing from elsewhere, no script, no way out
FRAME_SECURITY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
VIEWS = {"text": "Whole text", "html": "As HTML", "headers": "Headers", "source": "Source"}
STATES = {
    DeskState.FOR_PERSON: "Waiting for a person",
    DeskState.KEPT: "Not read yet",
    DeskState.SETTLED: "Settled by the machine",
    DeskState.DECIDED: "Decided by a person",
}


@bp.get("/")
@needs(May.SEE_PEOPLE)
def index() -> ResponseReturnValue:
    return _list("")


@bp.post("/")
@needs(May.SEE_PEOPLE)
def find() -> ResponseReturnValue:
    """The list by part of an address. Looks and changes nothing."""
    form = FindForm()
    return _list(form.words.data.strip() if form.validate_on_submit() and form.words.data else "")


@bp.get("/<mail_id>")
@needs(May.SEE_PEOPLE)
def show(mail_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _page(session, mail_id)


@bp.get("/<mail_id>/html")
@needs(May.SEE_PEOPLE)
def html(mail_id: str) -> ResponseReturnValue:
    """The HTML of a mail, for a frame without rights."""
    with reading() as session:
        mail = _read(queries.get(session, mail_id)).mail
    shown = mail.html if mail and mail.html else "<p>This mail has no HTML.</p>"
    security = {"Content-Security-Policy": FRAME_SECURITY, "X-DNS-Prefetch-Control": "off"}
    return Response(shown.encode("utf-8", "replace"), content_type="text/html; charset=utf-8", headers=security)


@bp.get("/<mail_id>/mail.eml")
@needs(May.SEE_PEOPLE)
def eml(mail_id: str) -> ResponseReturnValue:
    """The bytes as they came, to keep."""
    with reading() as session:
        raw = queries.get(session, mail_id).raw
    kept = {"Content-Disposition": f'attachment; filename="{mail_id}.eml"'}
    return Response(raw, mimetype="application/octet-stream", headers=kept)


@bp.post("/<mail_id>/decide")
@needs(May.REPLY)
def decide(mail_id: str) -> ResponseReturnValue:
    form, who, at = DecideForm(), current_staff().id, clock.now()
    if not form.validate_on_submit():
        return _again(mail_id, form)
    kind = Kind(form.kind.data)
    said = f"Decided: {DECISIONS[kind].lower()}."
    return _do(mail_id, form, said, lambda session, mail: decisions.decide(session, mail, kind, who, at))


@bp.post("/<mail_id>/contact")
@needs(May.REPLY)
def assign(mail_id: str) -> ResponseReturnValue:
    form, who, at = ContactForm(), current_staff().id, clock.now()

    def do(session: Session, mail: InboundMail) -> None:
        decisions.assign_contact(session, mail, _get_contact(session, form.who.data.strip()), who, at)

    return _do(mail_id, form, "The mail is now this person's.", do) if form.validate() else _again(mail_id, form)


@bp.post("/<mail_id>/answer")
@needs(May.REPLY)
def answer(mail_id: str) -> ResponseReturnValue:
    form, who, at = AnswerForm(), current_staff().id, clock.now()
    if not form.validate_on_submit():
        return _again(mail_id, form)
    with reading() as session:
        auto = _read(queries.get(session, mail_id)).auto
    kind = Kind(form.kind.data)

    def do(session: Session, mail: InboundMail) -> None:
        decisions.answer(session, mail, kind=kind, text=form.text.data, auto=auto, staff_id=who, at=at)

    return _do(mail_id, form, "The answer is on its way.", do)


@bp.post("/<mail_id>/back")
@needs(May.REPLY)
def put_back(mail_id: str) -> ResponseReturnValue:
    form, who, at = PressForm(), current_staff().id, clock.now()
    said = "The mail is back on the desk."
    return _do(mail_id, form, said, lambda session, mail: decisions.put_back(session, mail, who, at))


@bp.get("/terminations/<termination_id>")
@needs(May.SEE_PEOPLE)
def termination(termination_id: str) -> ResponseReturnValue:
    with reading() as session:
        found = termination_queries.get(session, termination_id)
        return render_template(
            "admin/inbound/termination.html",
            termination=found,
            contact=session.get_one(Contact, found.contact_id),
            names=staff.names(session),
            form=PressForm(),
            may_decide=current_staff().may(May.REPLY) and found.state in UNDECIDED,
        )


@bp.post("/terminations/<termination_id>/record")
@needs(May.REPLY)
def record(termination_id: str) -> ResponseReturnValue:
    with transaction() as session:
        found = termination_queries.get(session, termination_id)
        terminations.record(session, found, clock.now(), current_staff().id)
    _ring()
    flash("The termination is recorded; its receipt is on its way.", "success")
    return redirect(url_for(".termination", termination_id=termination_id), 303)


@bp.post("/terminations/<termination_id>/close")
@needs(May.REPLY)
def close(termination_id: str) -> ResponseReturnValue:
    with transaction() as session:
        found = termination_queries.get(session, termination_id)
        terminations.close(session, found, clock.now(), current_staff().id)
    flash("The request is closed; nothing ends because of it.", "success")
    return redirect(url_for(".termination", termination_id=termination_id), 303)


def _list(words: str) -> str:
    state, kind = request.args.get("state", DeskState.FOR_PERSON.value), request.args.get("kind", "")
    contact_id, after = request.args.get("contact", ""), request.args.get("after", "")
    chosen: dict[str, Any] = {"state": state, "kind": kind, "contact": contact_id}
    if words and "state" not in request.args:
        state = chosen["state"] = ALL
    with reading() as session:
        found = queries.desk(
            session,
            state=DeskState(state) if state in set(DeskState) else None,
            kind=Kind(kind) if kind in set(Kind) else None,
            contact_id=contact_id,
            words=words,
            after=after,
            limit=PAGE,
        )
        people = {mail.contact_id: contacts.get(session, mail.contact_id) for mail in found if mail.contact_id}
        counts = queries.counts(session)
        contact = contacts.get(session, contact_id) if contact_id else None
        full = len(found) == PAGE and not words
        return render_template(
            "admin/inbound/list.html",
            mails=found,
            people={key: _name(person) for key, person in people.items()},
            chosen=chosen,
            tabs=_tabs(counts, state, kind, contact_id),
            states=STATES,
            kinds=Kind,
            contact=_name(contact) if contact else "",
            words=words,
            form=FindForm(),
            next_href=url_for(".index", **chosen, after=found[-1].id) if full else None,
            first_href=url_for(".index", **chosen) if after else None,
        )


def _tabs(counts: dict[DeskState, int], state: str, kind: str, contact_id: str) -> list[dict[str, Any]]:
    labels = {one.value: f"{label} ({counts.get(one, 0):,})" for one, label in STATES.items()} | {ALL: "All"}
    kept: dict[str, Any] = {name: value for name, value in (("kind", kind), ("contact", contact_id)) if value}
    return [
        {"href": url_for(".index", state=one, **kept), "label": label, "current": one == state}
        for one, label in labels.items()
    ]


def _page(session: Session, mail_id: str, form: FlaskForm | None = None) -> str:
    """One mail; `form` is the one that was sent with a fault."""
    mail = queries.get(session, mail_id)
    read = _read(mail)
    found = matching.match(session, mail.recipient, read.mail)
    contact = session.get(Contact, mail.contact_id) if mail.contact_id else None
    view = request.args.get("view", "text")
    return render_template(
        "admin/inbound/show.html",
        mail=mail,
        read=read,
        found=found,
        contact=contact,
        message=session.get(Message, mail.message_row) if mail.message_row else None,
        notice=queries.notice_of_message(session, mail.message_row) if mail.message_row else None,
        termination=termination_queries.by_source(session, mail.id),
        names=staff.names(session),
        states=STATES,
        decisions=DECISIONS,
        views=_views(mail, view if view in VIEWS else "text"),
        view=view if view in VIEWS else "text",
        source=mail.raw[:SHOWN_TEXT].decode("utf-8", "replace"),
        is_cut=len(mail.raw) > SHOWN_TEXT,
        shown_text=SHOWN_TEXT,
        may_act=current_staff().may(May.REPLY),
        goes_to=_goes_to(session, mail, read),
        form=form,
        decide_form=form if isinstance(form, DecideForm) else DecideForm(),
        contact_form=form if isinstance(form, ContactForm) else ContactForm(),
        answer_form=form if isinstance(form, AnswerForm) else _answer_form(mail),
    )


def _views(mail: InboundMail, view: str) -> list[dict[str, Any]]:
    return [
        {"href": url_for(".show", mail_id=mail.id, view=key), "label": label, "current": key == view}
        for key, label in VIEWS.items()
    ]


def _goes_to(session: Session, mail: InboundMail, read: Reading) -> tuple[str, str]:
    """(address an answer goes to, why there can be none): one of the two is empty."""
    try:
        why_not = desk.why_not_answered(mail.kind or Kind.UNSURE, mail.sender, read.auto)
        return ("", why_not) if why_not else (decisions.answers_to(session, mail)[1], "")
    except Invalid as fault:
        return "", str(fault)


def _answer_form(mail: InboundMail) -> AnswerForm:
    kind = mail.kind if mail.kind in decisions.ANSWERED else Kind.QUESTION
    return AnswerForm(formdata=None, kind=kind.value)


def _read(mail: InboundMail) -> Reading:
    """How the bytes read, in the child process with its limits: they are no safer here than in the job."""
    return child.read(mail.raw)


def _get_contact(session: Session, who: str) -> Contact:
    found = contacts.find_by_reference(session, who) or contacts.find_by_address(session, who)
    if found is None or found.erased_at is not None:
        raise Invalid("Nobody is known by this address or reference; look the person up under People.", field="who")
    return found


def _name(contact: Contact) -> str:
    return contact.name or (contact.primary.email if contact.primary else contact.id)


def _do(mail_id: str, form: FlaskForm, said: str, do: Callable[[Session, InboundMail], object]) -> ResponseReturnValue:
    """One press, one transaction; a fault leaves nothing behind and shows on the mail's page."""
    try:
        with transaction() as session:
            do(session, queries.get(session, mail_id))
    except (Invalid, Conflict) as fault:
        return _again(mail_id, form, fault)
    _ring()
    flash(said, "success")
    return redirect(url_for(".show", mail_id=mail_id), 303)


def _again(mail_id: str, form: FlaskForm, fault: Invalid | Conflict | None = None) -> ResponseReturnValue:
    """The page with the form as it was sent, the fault at its field or on top."""
    if fault is not None and fault.field in form:
        form[fault.field].errors = [str(fault)]
    elif fault is not None:
        form.form_errors = [str(fault)]
    with reading() as session:
        return _page(session, mail_id, form), fault.status if fault is not None else 422


def _ring() -> None:
    doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
