"""Readings as plain values, one a file, for `mailer mail classify FILE… --json`; no database is needed."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mailer.inbound.child import read_all
from mailer.inbound.parse import MAX_BYTES
from mailer.inbound.rules import Kind, Reading, unreadable


def classify_files(paths: Iterable[str | Path]) -> Iterator[dict[str, Any]]:
    """One JSON-ready object a file, in order; a file that cannot be opened is an object with its error."""
    named: deque[tuple[str, Reading | None]] = deque()
    readings = read_all(_opened(paths, named))
    for reading in readings:
        yield from _failed(named)
        yield as_json(named.popleft()[0], reading)
    yield from _failed(named)


def _opened(paths: Iterable[str | Path], named: deque[tuple[str, Reading | None]]) -> Iterator[bytes]:
    """The bytes of each file that opens; the name of each, with the reading of one that does not."""
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)  # what is larger is not read in any case
        except OSError as error:
            named.append((str(path), unreadable(f"The file cannot be opened: {error.strerror or error}.")))
            continue
        named.append((str(path), None))
        yield raw


def _failed(named: deque[tuple[str, Reading | None]]) -> Iterator[dict[str, Any]]:
    while named and (reading := named[0][1]) is not None:
        yield as_json(named.popleft()[0], reading)


def as_json(file: str, reading: Reading) -> dict[str, Any]:
    """The reading of one file as an object of plain values."""
    bounce = reading.bounce
    return {
        "file": file,
        "class": str(reading.kind),
        "confidence": reading.confidence,
        "reasons": list(reading.reasons),
        "visible_text": reading.visible_text,
        "language": reading.language,
        "bounce": bounce
        and {
            "recipient": bounce.recipient,
            "recipients": list(bounce.recipients),
            "status": bounce.status,
            "hard": bounce.hard,
            "diagnostic": bounce.diagnostic,
        },
        "auto": reading.auto,
        "error": reading.reasons[0] if reading.kind is Kind.UNREADABLE else None,
    }
