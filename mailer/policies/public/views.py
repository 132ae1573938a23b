"""The public pages of policies: to read and to compare. No script is needed, cacheable, nothing about the reader."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug import Response as Answer

from mailer import settings
from mailer.db import reading
from mailer.policies import queries, rules
from mailer.policies import text as texts
from mailer.policies.models import Policy, Version
from mailer.policies.public import comparison, furniture, pages
from mailer.policies.public.answers import ASK_AGAIN, answer, asked_language, lasting, read_day, read_number, today
from mailer.policies.public.words import words_for
from mailer.policies.queries import NoSuchVersion, Shelf

bp = Blueprint("policies", __name__, url_prefix="/policies")


@bp.get("")
def index() -> Response:
    """Every policy with what is in force and what is on its way."""
    with reading() as session:
        shelves = [shelf for shelf in queries.shelves(session) if shelf.versions]
        now = settings.current()
        words = words_for(request.args.get("lang", "en"))
        page = render_template(
            "policies/list.html",
            cards=[_card(shelf, words.language) for shelf in shelves],
            **furniture.around_all(words, now.url),
        )
        return answer(page, ASK_AGAIN, pages.last_changed_at(shelves, today(), now.zone))


@bp.get("/<slug>")
def policy(slug: str) -> Response:
    """The text in force, today or as of a day, with what is on its way on top."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked, as_of = asked_language(shelf.policy), request.args.get("as_of")
        day = read_day(as_of) if as_of else today()
        current = shelf.in_force(day)
        if current is None and (as_of or not shelf.versions):
            raise NoSuchVersion(_why_none(shelf, day))
        shown = current or shelf.versions[0]
        page = render_template(
            "policies/policy.html",
            shelf=shelf,
            version=shown,
            in_force=current is not None,
            as_of=day if as_of else None,
            coming=[] if as_of else pages.coming(shelf, day),
            linked=None if as_of else _linked(session, shelf, shown, asked),
            **_around(
                shelf.policy,
                asked,
                lambda to: to.policy(day if as_of else None),
                shown.languages,
                (lambda to: to.version(shown.number)) if as_of else None,
            ),
            **_body(shown, asked),
        )
        changed_at = pages.last_changed_at(queries.shelves(session), today(), settings.current().zone)
        return answer(page, ASK_AGAIN, changed_at)


@bp.get("/<slug>/versions")
def versions(slug: str) -> Response:
    """Every version, newest first."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked = asked_language(shelf.policy)
        newest = shelf.latest()
        spoken = list(dict.fromkeys(language for version in shelf.versions for language in version.languages))
        page = render_template(
            "policies/versions.html",
            shelf=shelf,
            rows=pages.rows(shelf, today()),
            named=(newest and newest.in_language(asked)) or newest or shelf.policy,
            asked=asked,
            **_around(shelf.policy, asked, lambda to: to.versions(), spoken),
        )
        return answer(page, ASK_AGAIN, _changed_at(shelf))


@bp.get("/<slug>/versions/<number>")
def version(slug: str, number: str) -> Response:
    """One version, word for word."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked, shown = asked_language(shelf.policy), shelf.get(read_number(number))
        page = render_template(
            "policies/version.html",
            shelf=shelf,
            version=shown,
            base=shelf.base_of(shown),
            withdrawal=shelf.withdrawals.get(shown.id),
            is_pending=not shelf.is_settled(shown, today()),
            **_around(shelf.policy, asked, lambda to: to.version(shown.number), shown.languages),
            **_body(shown, asked),
        )
        return answer(page, lasting(shelf, shown), _changed_at(shelf))


@bp.get("/<slug>/diff/<a>..<b>")
def difference(slug: str, a: str, b: str) -> Response:
    """What differs between any two versions, in one of three views."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked, view = asked_language(shelf.policy), comparison.read_view(request.args.get("view", ""))
        old, new = shelf.get(read_number(a)), shelf.get(read_number(b))
        here = _around(
            shelf.policy,
            asked,
            lambda to: to.diff(old.number, new.number, "" if view is comparison.View.SUMMARY else view.value),
            comparison.languages_of(old, new),
            lambda to: to.diff(old.number, new.number),
        )
        compared = comparison.of(old, new, asked)
        marked_href = here["to"].diff(old.number, new.number)
        page = render_template(
            "policies/diff.html",
            shelf=shelf,
            old=old,
            new=new,
            compared=compared,
            is_missing=compared.language != asked,
            asked=asked,
            text_dir=furniture.direction(compared.new),
            withdrawn=[v.number for v in {old.number: old, new.number: new}.values() if v.id in shelf.withdrawals],
            **here,
            **comparison.page(compared, view, here["w"].tongue, marked_href),
        )
        return answer(page, lasting(shelf, old, new), _changed_at(shelf))


@bp.get("/<slug>/diff")
def choose(slug: str) -> Answer:
    """From the form that chooses two versions to the page that compares them; without a choice, to the form."""
    with reading() as session:
        found = queries.get(session, slug)
        to = furniture.addresses(found, asked_language(found))
        chosen = [request.args.get(side) for side in ("old", "new")]
        if chosen == [None, None]:
            return redirect(to.versions())
        old, new = (read_number(number or "") for number in chosen)
        return redirect(to.diff(old, new))


def _card(shelf: Shelf, asked: str) -> dict[str, Any]:
    """A policy in a list: its title in the language asked for, and its addresses."""
    card = pages.card(shelf, today())
    shown = card.current or shelf.versions[0]
    language = asked if asked in shown.languages else shelf.policy.language
    return {
        "card": card,
        "title": (shown.in_language(language) or shown).title,
        "language": language,
        "to": furniture.addresses(shelf.policy, language),
    }


def _linked(session: Session, shelf: Shelf, shown: Version, asked: str) -> dict[str, Any]:
    """The documents this one refers to, and those that refer to it, as far as they are published."""
    url = settings.current().url

    def cards(found: list[Policy]) -> list[dict[str, Any]]:
        shelves = (queries.shelf(session, one) for one in found)
        return [_card(one, asked) for one in shelves if one.versions]

    return {
        "to": cards(queries.linked_from(session, shown, url)),
        "from": cards(queries.linking_to(session, shelf.policy, today(), url)),
    }


def _around(
    policy: Policy,
    asked: str,
    here: furniture.Where,
    available: list[str],
    canonical: furniture.Where | None = None,
) -> dict[str, Any]:
    return furniture.around(policy, asked, settings.current().url, here, available, canonical)


def _body(version: Version, asked: str) -> dict[str, Any]:
    said = furniture.of_text(version, asked)
    shown, words = said["shown"], words_for(asked)
    sections = texts.contents(shown.text, shown.anchors)
    return said | {
        "body": texts.to_html(shown.text, shown.anchors, heading_link=words.plain("heading_link")),
        "items": [section for section in sections if section.level > 1],
        "has_title": any(section.level == 1 for section in sections),
    }


def _changed_at(shelf: Shelf) -> datetime:
    return pages.changed_at(shelf, today(), settings.current().zone)


def _why_none(shelf: Shelf, day: date) -> str:
    if not shelf.versions:
        return f"“{shelf.policy.title}” has no text yet; come back when its first version is released."
    first = min(version.effective_on for version in shelf.versions)
    title, when = shelf.policy.title, rules.say(first)
    return f"On {rules.say(day)} no text of “{title}” was in force; the first takes effect on {when}."
