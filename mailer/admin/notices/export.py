"""The list of people told of a version as one CSV, however long: read and sent batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from mailer import clock
from mailer.admin import spreadsheet
from mailer.admin.notices import summary
from mailer.admin.notices.asked import Asked, name_of
from mailer.admin.words import utc_iso
from mailer.db import reading
from mailer.notices import listing
from mailer.notices.listing import Line, Wanted
from mailer.policies import queries as policies
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("notice_export", __name__, url_prefix="/admin/notices")
HEAD = (
    "contact",
    "reference",
    "name",
    "email",
    "state",
    "by",
    "why",
    "told on",
    "may answer until",
    "bound from",
    "terminated",
    "deemed to agree on",
    "agreed by a click at",
)


@bp.get("/<version_id>/people.csv")
@needs(May.SEE_PEOPLE)
def people(version_id: str) -> ResponseReturnValue:
    """Everybody that the filters of the address let through, in the order of the list."""
    asked = Asked.by_address()
    with reading() as session:
        found = summary.of(session, policies.get_version(session, version_id), clock.now())
        name, wanted = f"notices-{name_of(found.version)}", asked.wanted(found)
    return _streamed(name, wanted)


def _streamed(name: str, wanted: Wanted) -> Response:
    def rows() -> Iterator[tuple[object, ...]]:
        with reading() as session:
            yield from map(_row, listing.everybody(session, wanted))

    return spreadsheet.stream(name, HEAD, rows())


def _row(one: Line) -> tuple[object, ...]:
    who = one.contact_id, one.reference, one.name, one.email, one.state, one.via, one.why
    days = one.notified_on, one.respond_by_on, one.binding_on
    agreed = utc_iso(one.agreed_at) if one.agreed_at else ""
    return (*who, *days, "yes" if one.has_terminated else "", one.deemed_on, agreed)
