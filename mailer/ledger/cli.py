"""`mailer ledger …`: walk the chain, or a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from mailer.db import reading
from mailer.errors import MailerError
from mailer.ledger import queries, rules


class BrokenChain(MailerError):
    """The chain does not hold."""


class BadCopy(MailerError):
    """A file that is no copy of a ledger."""


@click.group()
def ledger() -> None:
    """What happened: the hash chain."""


@ledger.command()
@click.argument("copy", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify(copy: Path | None) -> None:
    """Walk the whole chain and say whether it is whole; with COPY, walk a file that `export` wrote."""
    if copy is None:
        with reading() as session:
            outcome = queries.verify(session)
    else:
        outcome = rules.verify(_read(copy))
    match outcome:
        case rules.Broken(seq, why):
            raise BrokenChain(f"The ledger is broken at entry {seq}: {why}.")
        case rules.Whole(entries, head):
            click.echo(f"The ledger is whole: {entries} entries, head {head}.")


@ledger.command()
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
def export(output: Path) -> None:
    """Write the chain to a file, an entry a line as JSON: ids and digests, nothing personal."""
    with reading() as session, output.open("w", encoding="utf-8") as file:
        for link in queries.links(session):
            file.write(json.dumps(asdict(link), ensure_ascii=False) + "\n")


def _read(copy: Path) -> Iterator[rules.Link]:
    with copy.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield rules.Link(**json.loads(line))
            except (ValueError, TypeError):
                raise BadCopy(
                    f"{copy.name}: line {number} is no ledger entry; write the copy with `mailer ledger export`."
                ) from None
