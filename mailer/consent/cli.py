"""`mailer contact …`: people from the command line. Erasing, which empties every room, stands in `mailer.admin.cli`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy.orm import Session

from mailer.consent import importing, queries
from mailer.consent.people_file import COLUMNS
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.db import reading

_EXPORTED = (
    "id",
    "email",
    "name",
    "company",
    "reference",
    "locale",
    "time_zone",
    "origin",
    "topics",
    "suppressed",
    "consumer",
    "closed_at",
)


@click.group()
def contact() -> None:
    """People: bring in, look up, take out."""


@contact.command("import", help=f"Import a CSV file in UTF-8 with a header row. Columns: {', '.join(COLUMNS)}.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", default="", help="Where the people come from, for the record; the file's name if not given.")
def import_(file: Path, source: str) -> None:
    report = importing.import_file(file, source=source or f"import of {file.name}")
    click.echo(
        f"{report.people} people imported: {report.added} new, {report.known} known already; "
        f"{report.subscribed} subscriptions added."
    )
    for remark in report.remarks:
        click.echo(f"line {remark.line}: {remark.words}")
    if report.faults:
        click.echo(f"{len(report.faults)} rows were faulty:")
    for fault in report.faults:
        click.echo(f"  line {fault.line}: {fault.words}")


@contact.command()
@click.argument("who", metavar="REFERENCE|EMAIL|ID")
def show(who: str) -> None:
    """Show one person: addresses, topics, what stands against mailing them."""
    with reading() as session:
        found = contacts.look_up(session, who)
        click.echo(f"{found.id}  {found.name or '(no name)'}{f', {found.company}' if found.company else ''}")
        click.echo(f"  origin     {found.origin}, since {found.created_at:%d %B %Y}")
        click.echo(f"  reference  {found.reference or '-'}    language {found.locale}")
        if found.is_consumer:
            click.echo("  consumer   agrees with a change only by saying so")
        click.echo(f"  time zone  {found.time_zone or '- (the company’s)'}")
        for word, at in (("closed", found.closed_at), ("erased", found.erased_at)):
            if at is not None:
                click.echo(f"  {word}     {at:%d %B %Y}")
        for address in found.addresses:
            against = ", ".join(sorted(queries.reasons_against(session, address.email_key)))
            primary = " (primary)" if address.is_primary else ""
            click.echo(f"  address    {address.email}{primary}{f'  not mailed: {against}' if against else ''}")
        for event in queries.history(session, found.id):
            click.echo(f"  {event.at:%Y-%m-%d}  {event.topic}: {event.act}, {event.basis}, by {event.source}")


@contact.command()
def export() -> None:
    """Write everybody who is not erased to standard output, as CSV."""
    writer = csv.writer(sys.stdout)
    writer.writerow(_EXPORTED)
    with reading() as session:
        for person in _everybody(session):
            primary = person.primary
            said = queries.subscriptions(session, person.id).values()
            writer.writerow(
                (
                    person.id,
                    primary.email if primary else "",
                    _plain(person.name),
                    _plain(person.company),
                    _plain(person.reference or ""),
                    person.locale,
                    person.time_zone or "",
                    person.origin.value,
                    ";".join(sorted(row.topic for row in said if row.is_subscribed)),
                    ";".join(sorted(queries.reasons_against(session, primary.email_key))) if primary else "",
                    "yes" if person.is_consumer else "no",
                    person.closed_at.isoformat() if person.closed_at else "",
                )
            )


def _everybody(session: Session) -> Iterator[Contact]:
    after = ""
    while page := contacts.search(session, after=after, limit=500):
        yield from (person for person in page if person.erased_at is None)
        after = page[-1].id


def _plain(text: str) -> str:
    """`text` as a spreadsheet shows it: what it would run as a formula is made text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
