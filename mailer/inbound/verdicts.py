"""Readings as plain values, one a file, for `mailer mail classify FILE… --json`; no database is needed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mailer.inbound.child import read
from mailer.inbound.rules import Kind, Reading, unreadable


def classify_files(paths: Iterable[str | Path]) -> Iterator[dict[str, Any]]:
    """One JSON-ready object a file, in order; a file that cannot be opened is an object with its error."""
    for path in paths:
        try:
            reading = read(Path(path).read_bytes())
        except OSError as error:
            reading = unreadable(f"The file cannot be opened: {error.strerror or error}.")
        yield as_json(str(path), reading)


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
