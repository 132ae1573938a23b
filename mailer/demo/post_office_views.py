"""The pages of the local post office: what was caught, and what a recipient can do with it. Never in production."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, TextAreaField
from wtforms.validators import DataRequired, Length

from mailer import clock, settings
from mailer.demo import post_office
from mailer.demo import post_office_answers as answers
from mailer.errors import NotFound

PAGE = 50
VIEWS = ("text", "html", "headers", "source")
# the mail's own page: no script, no network, no way out of its frame
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

bp = Blueprint("post_office", __name__, url_prefix="/post-office")


class ReplyForm(FlaskForm):  # type: ignore[misc]
    """What the recipient answers."""

    text = TextAreaField("Your answer", [DataRequired("Write something first."), Length(max=20_000)])
    is_automatic = BooleanField("As an automatic answer, like “out of office”")


@bp.before_request
def only_in_development() -> None:
    """Nobody reads other people's mail on a real service."""
    if not settings.current().catches_mail:
        raise NotFound("There is no post office here; mail goes to the configured routes.")


@bp.get("/")
def index() -> ResponseReturnValue:
    """What was caught, newest first."""
    to, before = request.args.get("to", ""), request.args.get("before", "")
    mails = post_office.newest(to, before, PAGE + 1)
    older = mails[PAGE - 1].id if len(mails) > PAGE else None
    return render_template("post_office/list.html", mails=mails[:PAGE], to=to, before=before, older=older)


@bp.get("/<mail_id>")
def mail(mail_id: str) -> ResponseReturnValue:
    """One mail: its text, how it looks, its headers or its source."""
    return _show(mail_id, ReplyForm())


@bp.get("/<mail_id>/html")
def html(mail_id: str) -> ResponseReturnValue:
    """The HTML part alone, for the frame; whatever it holds can do nothing."""
    found = post_office.part(post_office.parse(post_office.source(mail_id)), "html")
    return Response(found or "", mimetype="text/html", headers={"Content-Security-Policy": MAIL_POLICY})


@bp.get("/<mail_id>.eml")
def eml(mail_id: str) -> ResponseReturnValue:
    """The bytes, to open in a mail program."""
    data = post_office.source(mail_id)
    disposition = f'attachment; filename="{mail_id}.eml"'
    return Response(data, mimetype="message/rfc822", headers={"Content-Disposition": disposition})


@bp.post("/<mail_id>/reply")
def reply(mail_id: str) -> ResponseReturnValue:
    """Answer the mail through the inbound door."""
    form = ReplyForm()
    if not form.validate_on_submit():
        return _show(mail_id, form), 422
    answers.reply(mail_id, form.text.data, clock.now(), is_automatic=form.is_automatic.data)
    flash("The answer was handed in at the inbound door.", "success")
    return _back(mail_id)


@bp.post("/<mail_id>/unsubscribe")
def unsubscribe(mail_id: str) -> ResponseReturnValue:
    """Press the button that mail clients show beside the sender."""
    status = answers.press_unsubscribe(mail_id)
    flash(f"Posted as a mail client does; the answer was {status}.", "success" if status < 300 else "error")
    return _back(mail_id)


@bp.post("/<mail_id>/bounce")
def bounce(mail_id: str) -> ResponseReturnValue:
    """Let the recipient's server say that there is no such mailbox."""
    answers.bounce(mail_id, clock.now())
    flash("A delivery report was handed in at the inbound door.", "success")
    return _back(mail_id)


def _show(mail_id: str, form: ReplyForm) -> str:
    caught, data = post_office.get(mail_id), post_office.source(mail_id)
    read = post_office.parse(data)
    wanted = request.args.get("show", "text")
    return render_template(
        "post_office/mail.html",
        mail=caught,
        form=form,
        show=wanted if wanted in VIEWS else "text",
        views=VIEWS,
        text=post_office.part(read, "plain"),
        has_html=post_office.part(read, "html") is not None,
        headers=[(name, str(value)) for name, value in read.items()],
        source=data.decode("utf-8", "replace"),
        can_unsubscribe=answers.one_click_url(read) is not None,
    )


def _back(mail_id: str) -> ResponseReturnValue:
    return redirect(url_for("post_office.mail", mail_id=mail_id), 303)
