"""Policies for programs and other sites: feeds, data, the banner, the map of the site. All of it public."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Blueprint, Response, jsonify, render_template, request

from mailer import clock, places, settings
from mailer.db import reading
from mailer.policies import queries
from mailer.policies.languages import LANGUAGES
from mailer.policies.public import data, furniture, pages
from mailer.policies.public.answers import ASK_AGAIN, answer, asked_language, for_any_site, today
from mailer.policies.public.words import words_for
from mailer.policies.queries import Shelf

bp = Blueprint("policies_api", __name__)

HOUR = 3600
ATOM = "application/atom+xml; charset=utf-8"
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_FOR_ROBOTS = ("/admin/", "/agreements/", "/api/", "/preferences/", "/terminations/", "/u/")


@bp.get("/policies/<slug>/feed.atom")
def feed(slug: str) -> Response:
    """Every version and withdrawal of a policy for feed readers (RFC 4287)."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        asked = asked_language(shelf.policy)
        now, words = settings.current(), words_for(asked)
        to = furniture.addresses(shelf.policy, asked, now.url)
        tag = pages.feed_tag(shelf, now.url)
        is_own = asked == shelf.policy.language
        latest = shelf.latest()
        shown = latest and latest.in_language(asked)
        body = render_template(
            "policies/feed.xml",
            entries=[(shelf, one) for one in pages.happened(shelf)],
            tag=tag if is_own else f"{tag}/{asked}",
            title=words.plain("feed_of", title=shown.title if shown else shelf.policy.title),
            updated=shelf.changed_at(),
            self_href=to.feed(),
            html_href=to.policy(),
            **_of_feed(asked),
        )
        return answer(_xml(body, ATOM), ASK_AGAIN, _changed_at(shelf))


@bp.get("/policies/feed.atom")
def feed_of_all() -> Response:
    """Every version and withdrawal of every policy, newest first."""
    with reading() as session:
        shelves = [shelf for shelf in queries.shelves(session) if shelf.versions]
        now, words = settings.current(), words_for("en")
        entries = [(shelf, one) for shelf in shelves for one in pages.happened(shelf)]
        changed_at = max((shelf.changed_at() for shelf in shelves), default=None)
        body = render_template(
            "policies/feed.xml",
            entries=sorted(entries, key=lambda entry: entry[1].at, reverse=True),
            tag=pages.all_tag(now.url),
            title=words.plain("feed_all", company=now.company_name),
            updated=changed_at or clock.midnight(today(), now.zone),
            self_href=f"{now.url}/policies/feed.atom",
            html_href=f"{now.url}/policies",
            **_of_feed(""),
        )
        return answer(_xml(body, ATOM), ASK_AGAIN, changed_at)


@bp.get("/policies/<slug>.json")
def policy(slug: str) -> Response:
    """The policy as data: what is in force, what is on its way, every version."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        found = data.policy(shelf, today(), settings.current().url, asked_language(shelf.policy))
        midnight = clock.midnight(today(), settings.current().zone)  # the day itself is part of the answer
        return answer(for_any_site(jsonify(found)), ASK_AGAIN, max(midnight, _changed_at(shelf)))


@bp.get("/policies.json")
def policies() -> Response:
    """Every published policy as data."""
    with reading() as session:
        now = settings.current()
        shelves = [shelf for shelf in queries.shelves(session) if shelf.versions]
        found = data.policies(shelves, today(), now.url)
        return answer(for_any_site(jsonify(found)), ASK_AGAIN, pages.last_changed_at(shelves, today(), now.zone))


@bp.get("/policies/<slug>/banner.json")
def banner(slug: str) -> Response:
    """What other sites show about changes of this policy; empty when there is nothing to show (S3).

    A language that we do not have is no mistake here: the site names the language of its own page.
    """
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        now = settings.current()
        wished = request.args.get("lang", "").lower()[:2]
        asked = wished if wished in LANGUAGES else shelf.policy.language
        ended_on = data.banner_ended_on(shelf, today())
        changed_at = _changed_at(shelf)
        if ended_on is not None:
            changed_at = max(changed_at, clock.midnight(ended_on, now.zone))
        return answer(for_any_site(jsonify(data.banner(shelf, today(), now.url, asked))), ASK_AGAIN, changed_at)


@bp.get("/policies/banner.js")
def banner_script() -> Response:
    """The banner for other sites; they name this address, so it stays as it is."""
    return _file("banner.js", "text/javascript")


@bp.get("/policies/banner.css")
def banner_style() -> Response:
    """How the banner looks; the script asks for it."""
    return _file("banner.css", "text/css")


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """The public pages for search engines, each with its languages (sitemaps.org 0.9)."""
    with reading() as session:
        now = settings.current()
        shelves = [shelf for shelf in queries.shelves(session) if shelf.versions]
        changed_at = pages.last_changed_at(shelves, today(), now.zone)
        body = render_template(
            "policies/sitemap.xml",
            index=f"{now.url}/policies",
            changed_at=changed_at,
            policies=[
                (shelf, furniture.addresses(shelf.policy, site=now.url), _changed_at(shelf)) for shelf in shelves
            ],
        )
        return answer(_xml(body, "application/xml; charset=utf-8"), ASK_AGAIN, changed_at)


@bp.get("/robots.txt")
def robots() -> Response:
    """What search engines may read: the policies; nobody's links, nothing of ours (RFC 9309)."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in NOT_FOR_ROBOTS),
        f"Sitemap: {settings.current().url}/sitemap.xml",
    ]
    return answer(Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8"), ASK_AGAIN)


def _of_feed(language: str) -> dict[str, object]:
    """What every feed needs; `language` is empty where each policy speaks its own."""
    now = settings.current()
    return {
        "author": now.company_name,
        "language": language,
        "words_for": words_for,
        "addresses": lambda shelf: furniture.addresses(shelf.policy, language, now.url),
        "tag_of": lambda shelf: pages.feed_tag(shelf, now.url),
    }


def _xml(body: str, content_type: str) -> Response:
    return Response(NOT_IN_XML.sub("", body), content_type=content_type)


def _file(name: str, kind: str) -> Response:
    body = (places.STATIC / name).read_bytes()
    return answer(for_any_site(Response(body, content_type=f"{kind}; charset=utf-8")), f"public, max-age={HOUR}")


def _changed_at(shelf: Shelf) -> datetime:
    return pages.changed_at(shelf, today(), settings.current().zone)
