"""CSV of what a page shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file of these rows; a value that a spreadsheet would run as a formula is made text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_plain(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv", headers=headers)


def _plain(value: object) -> str:
    spelled = "" if value is None else str(value)
    return "'" + spelled if spelled.startswith(_RUNS_IN_A_SPREADSHEET) else spelled
