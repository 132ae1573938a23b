"""Bring people in from a file: what is right is taken, what is wrong is named by its line (TRAPS 25).

A file never clears a suppression, never undoes a person's own leaving, never brings the erased back, never opens a
closed account, and never gives consent without evidence.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.consent import actions, people_file, queries
from mailer.consent.people_file import Note, Row
from mailer.contacts import actions as contacts
from mailer.contacts import queries as contact_queries
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.db import note_growth, transaction
from mailer.errors import MailerError

ROWS_A_TRANSACTION = 100
PAUSE = 0.12  # seconds: a writer that waits for SQLite looks again every 0.1 s, and would never get its turn


@dataclass
class Report:
    """What a file came to. A row in `faults` was refused, as a whole or in the part that is named."""

    added: int = 0
    known: int = 0
    subscribed: int = 0
    faults: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)

    @property
    def people(self) -> int:
        return self.added + self.known

    def note(self, other: Report) -> None:
        """Add what a further part of the file came to."""
        self.added, self.known = self.added + other.added, self.known + other.known
        self.subscribed += other.subscribed
        self.faults += other.faults
        self.remarks += other.remarks


def import_file(path: Path, *, source: str) -> Report:
    """Import a whole file, 100 rows a transaction, giving way between them, so that a big one holds nobody up."""
    zone = settings.current().zone
    rows = people_file.read(path)
    report = Report()
    while batch := list(islice(rows, ROWS_A_TRANSACTION)):
        with transaction() as session:
            part = take_in(session, batch, source=source, zone=zone, at=clock.now())
            note_growth(session, "contacts", "addresses", "consent_events", "subscriptions")
        report.note(part)
        time.sleep(PAUSE)
    return report


def take_in(session: Session, rows: Iterable[Row | Note], *, source: str, zone: ZoneInfo, at: datetime) -> Report:
    """Import some rows; each is taken or named, none stops the others."""
    report = Report()
    for row in rows:
        if isinstance(row, Note):
            report.faults.append(row)
            continue
        try:
            _take(session, row, source, zone, at, report)
        except MailerError as error:  # raised before anything of the row was written
            report.faults.append(Note(row.line, str(error)))
    return report


def _take(session: Session, row: Row, source: str, zone: ZoneInfo, at: datetime, report: Report) -> None:
    """One row. A subscriber is nothing but their consent; an account holder stays when the consent is faulty."""
    origin = people_file.origin_of(row)
    consent, fault = None, None
    if row.topics:
        try:
            consent = people_file.consent_of(row, at, zone)
            for topic in row.topics:
                queries.get_topic(session, topic)
        except MailerError as error:
            if origin is Origin.SUBSCRIBER:
                raise
            consent, fault = None, error
    is_known = contact_queries.find_by_address(session, row.cells["email"]) is not None or (
        contact_queries.find_by_reference(session, row.cells["reference"]) is not None
    )
    contact = contacts.upsert(
        session,
        email=row.cells["email"],
        origin=origin,
        at=at,
        source=source,
        reference=row.cells["reference"] or None,
        name=row.cells["name"],
        company=row.cells["company"],
        locale=row.cells["locale"],
        time_zone=row.cells["time_zone"],
        reopens=False,
    )
    report.known, report.added = report.known + is_known, report.added + (not is_known)
    if fault is not None:
        report.faults.append(Note(row.line, f"{fault} The person was imported without newsletters."))
    if consent is not None:
        _subscribe(session, contact, row, consent, source, report)


def _subscribe(
    session: Session, contact: Contact, row: Row, consent: people_file.Consent, source: str, report: Report
) -> None:
    current = queries.subscriptions(session, contact.id)
    for topic in row.topics:
        left_at = queries.left_at(session, contact, topic)
        if left_at is not None:
            report.remarks.append(
                Note(row.line, f"{topic}: left newsletters on {left_at:%d %B %Y}; not subscribed again.")
            )
        elif topic not in current:
            actions.grant(
                session,
                contact,
                topic,
                basis=consent.basis,
                wording=consent.wording,
                source=source,
                at=consent.at,
                evidence=consent.evidence,
            )
            report.subscribed += 1
