"""The button that gives the evidence of one person, or of a whole version, as a file."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from mailer import clock
from mailer.admin import evidence
from mailer.staff.access import current_staff, needs
from mailer.staff.rules import May

bp = Blueprint("evidence", __name__, url_prefix="/admin/evidence")


@bp.post("/<version_id>/people/<contact_id>")
@needs(May.SEE_PEOPLE)
def person(version_id: str, contact_id: str) -> ResponseReturnValue:
    """The bundle of one person; a POST, for the ledger records who asked for it."""
    return _file(evidence.give(contact_id, version_id, current_staff().id, clock.now()))


@bp.post("/<version_id>")
@needs(May.SEE_PEOPLE)
def version(version_id: str) -> ResponseReturnValue:
    """The bundle of a whole version: ids only, of everybody."""
    return _file(evidence.give_whole(version_id, current_staff().id, clock.now()))


def _file(made: evidence.Bundle) -> Response:
    head = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.data, content_type="application/zip", headers=head)
