"""CSV of what a page shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

PIECE = 64_000  # characters
_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file of these rows; a value that a spreadsheet would run as a formula is made text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_plain(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv", headers=headers)


def stream(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The same for a list of any length, sent piece by piece as its rows are read."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(_pieces(head, rows), mimetype="text/csv", headers=headers)


def _pieces(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_plain(value) for value in row])
        if text.tell() >= PIECE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _plain(value: object) -> str:
    spelled = "" if value is None else str(value)
    return "'" + spelled if spelled.startswith(_RUNS_IN_A_SPREADSHEET) else spelled
