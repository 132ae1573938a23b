"""A CSV file of people: its columns, its rows, what is wrong with it. Reads only, knows nobody."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.consent.rules import Basis
from mailer.contacts.rules import Origin
from mailer.errors import Invalid

NEEDED = ("email", "origin")
COLUMNS = (
    "email",
    "name",
    "company",
    "reference",
    "locale",
    "time_zone",
    "origin",
    "topics",
    "consent_wording",
    "consent_at",
    "consent_evidence",
    "contract_id",
    "consumer",
)
TOPIC_SEPARATOR = ";"
_CHUNK = 1 << 16
_YES_OR_NO = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class BadFile(Invalid):
    """A file that cannot be read as people; nothing of it was imported."""

    field = "file"


class BadCell(Invalid):
    """One value of one row that does not say what it must."""


@dataclass(frozen=True)
class Row:
    """One person as the file says it; every column is there, empty where the file has none."""

    line: int
    cells: dict[str, str]

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of this row, each once, in order."""
        named = (part.strip() for part in self.cells["topics"].split(TOPIC_SEPARATOR))
        return tuple(dict.fromkeys(part for part in named if part))


@dataclass(frozen=True)
class Note:
    """Something to say about a line of the file."""

    line: int
    words: str


@dataclass(frozen=True)
class Consent:
    """On what word a person may get marketing mail."""

    basis: Basis
    wording: str
    at: datetime
    evidence: str


def read(path: Path) -> Iterator[Row | Note]:
    """The rows of a file, or a note in a faulty row's place; BadFile before the first if the file is not of people."""
    _check_encoding(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from _rows(file, path.name)


def origin_of(row: Row) -> Origin:
    """Whose data it is; BadCell where the file does not say."""
    said = row.cells["origin"].lower()
    if said not in set(Origin):
        raise BadCell(f"origin: “{said}” is not one of {', '.join(Origin)}.", field="origin")
    origin = Origin(said)
    if origin is Origin.THIRD_PARTY and row.topics:
        raise BadCell("topics: a person entered by a customer may have none; leave the cell empty.", field="topics")
    return origin


def consumer_of(row: Row) -> bool | None:
    """Whether the person is a consumer; None where the file does not say."""
    said = row.cells["consumer"].lower()
    if said not in _YES_OR_NO:
        raise BadCell(
            f"consumer: “{said}” is neither yes nor no; leave the cell empty to say nothing.", field="consumer"
        )
    return _YES_OR_NO[said]


def consent_of(row: Row, at: datetime, zone: ZoneInfo) -> Consent:
    """The consent that a row with topics claims; BadCell unless its words, time and evidence are all there (S13)."""
    wording, evidence, contract = (row.cells[name] for name in ("consent_wording", "consent_evidence", "contract_id"))
    if not evidence:
        raise BadCell(
            "consent_evidence: say how this person agreed (form, date, place); consent without evidence is none.",
            field="consent_evidence",
        )
    if not wording:
        raise BadCell("consent_wording: say in which words this person agreed.", field="consent_wording")
    given_at = _instant(row.cells["consent_at"], zone)
    if given_at > at:
        raise BadCell(f"consent_at: {row.cells['consent_at']} is still to come.", field="consent_at")
    if contract:
        return Consent(Basis.SOFT_OPT_IN, wording, given_at, f"contract {contract}; {evidence}")
    return Consent(Basis.CONSENT, wording, given_at, evidence)


def _check_encoding(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                line += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as error:
                line += bytes(error.object[: error.start]).count(b"\n")
                raise BadFile(f"{path.name}: line {line} is not UTF-8; save the file as “CSV UTF-8”.") from None
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise BadFile(f"{path.name}: line {line} is not UTF-8; save the file as “CSV UTF-8”.") from None


def _rows(file: Iterable[str], name: str) -> Iterator[Row | Note]:
    reader = csv.reader(file, strict=True)
    header = _header(reader, name)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Note(line, f"the line cannot be read as CSV ({error}).")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield Note(line, f"it has {len(cells)} cells; the header has {len(header)}.")
            continue
        yield Row(
            line, dict.fromkeys(COLUMNS, "") | {key: cell.strip(" ") for key, cell in zip(header, cells, strict=True)}
        )


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
    except csv.Error as error:
        raise BadFile(f"{name}: the header cannot be read as CSV ({error}).") from None
    if len(header) == 1 and header[0].count(";") > 1:
        raise BadFile(f"{name}: the columns are separated by “;”; save the file with commas.")
    faults = [
        f"{words} {', '.join(names)}"
        for words, names in (
            ("is missing", [column for column in NEEDED if column not in header]),
            ("does not know", [f"“{cell}”" for cell in header if cell not in COLUMNS]),
            ("has twice", sorted({cell for cell in header if header.count(cell) > 1})),
        )
        if names
    ]
    if faults:
        raise BadFile(f"{name}: the header {' and '.join(faults)}; the columns are {', '.join(COLUMNS)}.")
    return header


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        read = datetime.fromisoformat(text)
        instant = (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCell(
            f"consent_at: “{text}” is no date or time; write 2026-03-01 or 2026-03-01T10:00:00+01:00.",
            field="consent_at",
        ) from None
    return instant
