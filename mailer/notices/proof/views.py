"""Where the ledger stands, for anybody, as page, feed and data; a head that was kept tells a rewrite (DESIGN §12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, render_template, request
from sqlalchemy.orm import Session

from mailer import settings
from mailer.db import reading
from mailer.ledger import queries as ledger
from mailer.ledger.models import LedgerHead
from mailer.policies.public.answers import ASK_AGAIN, answer, for_any_site

bp = Blueprint("ledger", __name__)
PAGE = 31


@bp.get("/ledger")
def index() -> Response:
    """The heads of the last days, newest first, and what they are good for."""
    with reading() as session:
        heads, older = _heads(session)
        return answer(render_template("ledger/index.html", heads=heads, older=older), ASK_AGAIN)


@bp.get("/ledger/feed.atom")
def feed() -> Response:
    """An entry a day for feed readers: every one of them keeps a copy (RFC 4287)."""
    url = settings.current().url
    with reading() as session:
        heads = ledger.heads(session, PAGE)
        body = render_template(
            "ledger/feed.xml",
            heads=heads,
            tag=f"tag:{urlsplit(url).hostname or 'localhost'},2026:ledger",
            url=url,
            updated=heads[0].at if heads else None,
        )
        return answer(Response(body, content_type="application/atom+xml; charset=utf-8"), ASK_AGAIN)


@bp.get("/ledger.json")
def data() -> Response:
    """The newest head on top, as `mailer ledger verify --head` reads it, and those before it."""
    with reading() as session:
        heads, older = _heads(session)
        said = [_spelled(head) for head in heads]
        newest = said[0] if said else {"on": None, "seq": 0, "hash": None, "root": None, "at": None}
        next_url = f"{settings.current().url}/ledger.json?before={older}" if older else None
        return answer(for_any_site(jsonify(newest | {"heads": said, "next": next_url})), ASK_AGAIN)


def _heads(session: Session) -> tuple[Sequence[LedgerHead], str]:
    """A page of heads, and the day before which the next page begins; empty on the last."""
    found = ledger.heads(session, PAGE + 1, _before())
    return found[:PAGE], found[PAGE - 1].on_date.isoformat() if len(found) > PAGE else ""


def _before() -> date | None:
    """What the address asks for; what is no day asks for nothing."""
    try:
        return date.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None


def _spelled(head: LedgerHead) -> dict[str, Any]:
    return {
        "on": head.on_date.isoformat(),
        "seq": head.seq,
        "hash": head.hash,
        "root": head.root,
        "at": head.at.isoformat().replace("+00:00", "Z"),
    }
