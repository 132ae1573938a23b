"""The reply desk: what came in, one mail with all that is known of it, and what a person decides and answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from mailer import clock
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.errors import Conflict, Invalid
from mailer.inbound import decisions, desk_pages, handling, queries
from mailer.inbound.answers import actions as answers
from mailer.inbound.desk_pages import ALL, Chosen
from mailer.inbound.forms import (
    DECISIONS,
    KEYS,
    AnswerForm,
    ContactForm,
    DecideForm,
    FindForm,
    GiveForm,
    NoteForm,
    PressForm,
)
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.staff import queries as staff
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May
from mailer.terminations import queries as termination_queries
from mailer.terminations.views import ring

bp = Blueprint("inbound_admin", __name__, url_prefix="/admin/replies")
PAGE = 50
# a stranger's mail in its frame: its own inline style, nothing from elsewhere, no script, no way out
FRAME_SECURITY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


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
        shown = desk_pages.read_of(session, queries.get(session, mail_id)).html
    shown = shown or "<p>This mail has no HTML.</p>"
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
    kind = Kind(form.kind.data)

    def do(session: Session, mail: InboundMail) -> None:
        auto = bool(desk_pages.read_of(session, mail).is_auto)
        decisions.answer(session, mail, kind=kind, text=form.text.data, auto=auto, staff_id=who, at=at)

    return _do(mail_id, form, "The answer is on its way.", do)


@bp.post("/<mail_id>/colleague")
@needs(May.REPLY)
def give(mail_id: str) -> ResponseReturnValue:
    form, who, at = GiveForm(), current_staff().id, clock.now()
    if not form.validate_on_submit():
        return _again(mail_id, form)

    def do(session: Session, mail: InboundMail) -> None:
        handling.give(session, mail, staff.get(session, form.to.data) if form.to.data else None, who, at)

    return _do(mail_id, form, "The mail is given to a colleague." if form.to.data else "The mail is everybody's.", do)


@bp.post("/<mail_id>/note")
@needs(May.REPLY)
def note(mail_id: str) -> ResponseReturnValue:
    form, who, at = NoteForm(), current_staff().id, clock.now()
    if not form.validate_on_submit():
        return _again(mail_id, form)
    said = "The note is kept."
    return _do(mail_id, form, said, lambda session, mail: handling.note(session, mail, form.note.data, who, at))


@bp.post("/<mail_id>/back")
@needs(May.REPLY)
def put_back(mail_id: str) -> ResponseReturnValue:
    form, who, at = PressForm(), current_staff().id, clock.now()
    said = "The mail is back on the desk."
    return _do(mail_id, form, said, lambda session, mail: decisions.put_back(session, mail, who, at))


@bp.post("/<mail_id>/undo")
@needs(May.REPLY)
def undo(mail_id: str) -> ResponseReturnValue:
    form, who, at = PressForm(), current_staff().id, clock.now()

    def do(session: Session, mail: InboundMail) -> None:
        for remark in handling.undo(session, mail, who, at):
            flash(remark, "warning")

    return _do(mail_id, form, "The decision is taken back; the mail is on the desk again.", do)


def _list(words: str) -> str:
    names = ("state", "kind", "contact", "to")
    said = {name: request.args[name] for name in names if name in request.args}
    chosen = Chosen(**({"state": ALL} if words and "state" not in said else {}) | said)
    with reading() as session:
        after = request.args.get("after", "")
        facts = desk_pages.list_page(session, chosen, words=words, after=after, limit=PAGE, at=clock.now())
        return render_template("admin/inbound/list.html", form=FindForm(), me=current_staff().id, **facts)


def _page(session: Session, mail_id: str, form: FlaskForm | None = None) -> str:
    """One mail; `form` is the one that was sent with a fault."""
    mail = queries.get(session, mail_id)
    facts = desk_pages.mail_page(session, mail, view=request.args.get("view", "text"), at=clock.now())
    return render_template(
        "admin/inbound/show.html",
        **facts,
        termination=termination_queries.by_source(session, mail.id),
        decisions=DECISIONS,
        keys=KEYS,
        may_act=current_staff().may(May.REPLY),
        templates=answers.in_use(session),
        form=form,
        contact_form=form if isinstance(form, ContactForm) else ContactForm(),
        note_form=form if isinstance(form, NoteForm) else NoteForm(formdata=None),
        answer_form=form if isinstance(form, AnswerForm) else _answer_form(session, mail),
    )


def _answer_form(session: Session, mail: InboundMail) -> AnswerForm:
    """The form as it stands there at first, with the words of a template if one was chosen."""
    kind = mail.kind if mail.kind in decisions.ANSWERED else Kind.QUESTION
    chosen = request.args.get("template", "")
    return AnswerForm(formdata=None, kind=kind.value, text=answers.get(session, chosen).text if chosen else "")


def _get_contact(session: Session, who: str) -> Contact:
    found = contacts.find_by_reference(session, who) or contacts.find_by_address(session, who)
    if found is None or found.erased_at is not None:
        raise Invalid("Nobody is known by this address or reference; look the person up under People.", field="who")
    return found


def _do(mail_id: str, form: FlaskForm, said: str, do: Callable[[Session, InboundMail], object]) -> ResponseReturnValue:
    """One press, one transaction; a fault leaves nothing behind and shows on the mail's page."""
    try:
        with transaction() as session:
            do(session, queries.get(session, mail_id))
    except (Invalid, Conflict) as fault:
        return _again(mail_id, form, fault)
    ring()
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
