"""The link by which a person says that they agree with a version: GET shows, POST acts (STYLE §13)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import clock, doorbell, settings
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.notices import agreement, clocks, mail, pages, queries
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.policies.public import furniture

bp = Blueprint("agreements", __name__)


@dataclass(frozen=True)
class _Asked:
    """What the page is about, in the reader's language."""

    notice: Notice
    version: Version
    lang: str
    is_consumer: bool

    @property
    def facts(self) -> dict[str, object]:
        words = self.version.in_language(self.lang) or self.version
        return {
            "title": words.title,
            "number": self.version.number,
            "digest": words.sha256,
            "effective": mail.say_short(self.version.effective_on, self.lang),
        }

    @property
    def statement(self) -> str:
        """The words that the person says by pressing the button."""
        return pages.WORDS[self.lang]["statement"].format(**self.facts)


@bp.get("/agreements/<token>")
def show(token: str) -> ResponseReturnValue:
    """What the button would say, or that it was said. Nothing of the person stands on it."""
    with reading() as session:
        asked = _asked(session, token)
        said = agreement.find(session, asked.notice)
        said_on = mail.say_short(clocks.day_of(said.at), asked.lang) if said is not None else ""
        base = policies.shelf(session, asked.version.policy).base_of(asked.version)
    page = "over" if asked.notice.state is NoticeState.ENDED else "done" if said is not None else "ask"
    to = furniture.addresses(asked.version.policy, asked.lang, settings.current().url)
    number = asked.version.number
    return _page(
        page,
        asked,
        token=token,
        on=said_on,
        diff_url=to.diff(base.number, number) if base is not None else "",
        version_url=to.version(number),
    )


@bp.post("/agreements/<token>")
def agree(token: str) -> ResponseReturnValue:
    """The person says yes, in the words that the page shows; once more changes nothing."""
    with transaction(is_durable=True) as session:
        asked = _asked(session, token)
        if asked.notice.state is not NoticeState.ENDED:
            agreement.agree(session, asked.notice, asked.statement, "page of the notice", clock.now())
    doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    return redirect(url_for(".show", token=token), 303)


def _asked(session: Session, token: str) -> _Asked:
    notice = queries.by_token(session, token)
    contact = session.get_one(Contact, notice.contact_id)
    version = policies.get_version(session, notice.version_id)
    return _Asked(notice, version, contact.locale, contact.is_consumer)


def _page(page: str, asked: _Asked, **shown: object) -> Response:
    say = pages.WORDS[asked.lang]
    facts = asked.facts | shown
    text = render_template(
        "notices/agree.html",
        page=page,
        lang=asked.lang,
        say=say,
        lead=say[f"{page}_lead"].format(**facts),
        statement=asked.statement,
        is_consumer=asked.is_consumer,
        **shown,
    )
    response = make_response(text)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
