"""The public pages of policies: to read, to compare, to follow. No script, cacheable, nothing about the reader."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from mailer import clock, settings
from mailer.db import reading
from mailer.errors import Invalid
from mailer.policies import pages, queries, rules
from mailer.policies import text as texts
from mailer.policies.diff import Diff, diff
from mailer.policies.diff import render as rendering
from mailer.policies.models import Version
from mailer.policies.queries import NoSuchVersion, Shelf

bp = Blueprint("policies", __name__, url_prefix="/policies")

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"  # a release shows at once (S6); an unchanged page costs a 304


class BadDay(Invalid):
    """Not a date."""

    field = "as_of"


class BadNumber(Invalid):
    """Not the number of a version."""


compare = lru_cache(maxsize=64)(diff)


@bp.get("")
def index() -> Response:
    """Every policy with what is in force and what is on its way."""
    with reading() as session:
        cards = [pages.card(shelf, today()) for shelf in queries.shelves(session) if shelf.versions]
        return _answer(render_template("policies/list.html", cards=cards), ASK_AGAIN)


@bp.get("/<slug>")
def policy(slug: str) -> Response:
    """The text in force, today or as of a day, with what is on its way on top."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked = request.args.get("as_of")
        day = _read_day(asked) if asked else today()
        current = shelf.in_force(day)
        if current is None and (asked or not shelf.versions):
            raise NoSuchVersion(_why_none(shelf, day))
        shown = current or shelf.versions[0]
        page = render_template(
            "policies/policy.html",
            shelf=shelf,
            version=shown,
            in_force=current is not None,
            as_of=day if asked else None,
            coming=[] if asked else pages.coming(shelf, day),
            **_body(shown),
        )
        return _answer(page, ASK_AGAIN, shelf)


@bp.get("/<slug>/versions")
def versions(slug: str) -> Response:
    """Every version, newest first."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        rows = pages.rows(shelf, today())
        return _answer(render_template("policies/versions.html", shelf=shelf, rows=rows), ASK_AGAIN, shelf)


@bp.get("/<slug>/versions/<number>")
def version(slug: str, number: str) -> Response:
    """One version, word for word."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        shown = shelf.get(_read_number(number))
        page = render_template(
            "policies/version.html",
            shelf=shelf,
            version=shown,
            base=shelf.base_of(shown),
            withdrawal=shelf.withdrawals.get(shown.id),
            is_pending=not shelf.is_settled(shown, today()),
            **_body(shown),
        )
        return _answer(page, _lasting(shelf, shown), shelf)


@bp.get("/<slug>/diff/<a>..<b>")
def difference(slug: str, a: str, b: str) -> Response:
    """What differs between any two versions."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        old, new = shelf.get(_read_number(a)), shelf.get(_read_number(b))
        if old.number == new.number:
            raise BadNumber(f"Version {old.number} cannot differ from itself; choose two versions, like 1..2.")
        found = compare(old.text, new.text)
        view = "wordings" if request.args.get("view") == "wordings" else "marked"
        page = render_template(
            "policies/diff.html",
            shelf=shelf,
            old=old,
            new=new,
            view=view,
            withdrawn=_withdrawn(shelf, old, new),
            **of_diff(found),
        )
        return _answer(page, _lasting(shelf, old, new), shelf)


@bp.get("/<slug>/feed.atom")
def feed(slug: str) -> Response:
    """Every version and withdrawal for feed readers (RFC 4287)."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        config = settings.current()
        body = render_template(
            "policies/feed.xml",
            shelf=shelf,
            happened=pages.happened(shelf),
            tag=pages.feed_tag(shelf, config.url),
            root=f"{config.url}/policies/{slug}",
            author=config.company_name,
        )
        return _answer(Response(body, content_type="application/atom+xml; charset=utf-8"), ASK_AGAIN, shelf)


@bp.get("/<slug>.json")
def data(slug: str) -> Response:
    """The policy as data: what is in force, what is on its way, every version."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        return _answer(_open(jsonify(pages.data(shelf, today(), settings.current().url))), ASK_AGAIN, shelf)


@bp.get("/<slug>/banner.json")
def banner(slug: str) -> Response:
    """What other sites show about changes of this policy; empty when there is nothing to show (S3)."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        return _answer(_open(jsonify(pages.banner(shelf, today(), settings.current().url))), ASK_AGAIN, shelf)


def today() -> date:
    """The present day in the company's zone."""
    return clock.local_day(clock.now(), settings.current().zone)


def of_diff(found: Diff) -> dict[str, Any]:
    """What templates need of a diff."""
    return {
        "sentence": rendering.summary_sentence(found),
        "changes": found.changes,
        "marked": rendering.to_html(found),
        "wordings": rendering.wordings(found),
    }


def _body(version: Version) -> dict[str, Any]:
    sections = texts.contents(version.text)
    items = [{"href": f"#{section.anchor}", "label": section.title} for section in sections if section.level > 1]
    has_title = any(section.level == 1 for section in sections)
    return {"body": texts.to_html(version.text), "items": items, "has_title": has_title}


def _answer(page: str | Response, caching: str, shelf: Shelf | None = None) -> Response:
    response = Response(page, content_type="text/html; charset=utf-8") if isinstance(page, str) else page
    response.headers["Cache-Control"] = caching
    response.add_etag()
    if shelf is not None:
        response.last_modified = pages.changed_at(shelf, today(), settings.current().zone)
    response.make_conditional(request)
    return response


def _open(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"  # public facts, for any site's script
    return response


def _lasting(shelf: Shelf, *shown: Version) -> str:
    """Kept for ever once nothing more can happen to what is shown: a pending version may still be withdrawn."""
    return FOREVER if all(shelf.is_settled(version, today()) for version in shown) else ASK_AGAIN


def _withdrawn(shelf: Shelf, *shown: Version) -> list[int]:
    return [version.number for version in shown if version.id in shelf.withdrawals]


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(f"as_of: “{text[:40]}” is not a date; write it as year-month-day, like 2027-01-31.") from None


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise BadNumber(f"“{text[:40]}” is not the number of a version; versions are counted 1, 2, 3.")
    return int(text)


def _why_none(shelf: Shelf, day: date) -> str:
    if not shelf.versions:
        return f"“{shelf.policy.title}” has no text yet; come back when its first version is released."
    first = min(version.effective_on for version in shelf.versions)
    title, when = shelf.policy.title, rules.say(first)
    return f"On {rules.say(day)} no text of “{title}” was in force; the first takes effect on {when}."
