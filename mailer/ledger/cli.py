"""`mailer ledger …`: walk the chain, or a copy of it; compare it with a head that was kept elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from mailer.db import reading
from mailer.errors import Invalid, MailerError, NotFound
from mailer.ledger import queries, rules

HEAD_FILE_LIMIT = 100_000  # bytes; a head is a line


class BrokenChain(MailerError):
    """The chain does not hold."""


class BadCopy(MailerError):
    """A file that is no copy of a ledger."""


class BadHead(Invalid):
    """Neither a head nor a file that holds one."""

    field = "head"


class NoEntry(NotFound):
    """The ledger has not begun."""


@click.group()
def ledger() -> None:
    """What happened: the hash chain."""


@ledger.command()
@click.argument("copy", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--head", "kept", metavar="FILE|SEQ:HASH", help="A head kept elsewhere, which the chain must pass.")
def verify(copy: Path | None, kept: str | None) -> None:
    """Walk the whole chain past every published head and say whether it is whole.

    With COPY, walk a file that `export` wrote. A head is what `mailer ledger head` prints, or the JSON of /ledger.json.
    """
    heads = [_read_head(kept)] if kept else []
    if copy is None:
        with reading() as session:
            outcome = queries.verify(session, *heads)
    else:
        outcome = rules.verify(_read(copy), heads)
    match outcome:
        case rules.Broken(seq, why):
            raise BrokenChain(f"The ledger is broken at entry {seq}: {why}.")
        case rules.Whole(entries, head):
            passed = f", and passes the head of entry {heads[0].seq}" if heads else ""
            click.echo(f"The ledger is whole: {entries} entries, head {head}{passed}.")


@ledger.command()
@click.option("--published", is_flag=True, help="The last one that was published, instead of that of now.")
def head(published: bool) -> None:
    """Print where the chain stands, as SEQ:HASH: keep it elsewhere, for `mailer ledger verify --head`."""
    with reading() as session:
        found = next(iter(queries.published(session)[-1:]), None) if published else queries.head(session)
    if found is None:
        raise NoEntry("Nothing was published yet." if published else "The ledger has no entry yet.")
    click.echo(found)


@ledger.command()
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
def export(output: Path) -> None:
    """Write the chain to a file, an entry a line as JSON: ids and digests, nothing personal."""
    with reading() as session, output.open("w", encoding="utf-8") as file:
        for row in queries.links(session):
            file.write(json.dumps(rules.Link(*row)._asdict(), ensure_ascii=False) + "\n")


def _read_head(kept: str) -> rules.Head:
    found = rules.read_head(kept)
    if found is None and (path := Path(kept)).is_file() and path.stat().st_size <= HEAD_FILE_LIMIT:
        found = rules.read_head(path.read_text("utf-8", errors="replace"))
    if found is None:
        raise BadHead(f"--head: “{kept[:80]}” is no head and no file that holds one; write it as SEQ:HASH.")
    return found


def _read(copy: Path) -> Iterator[rules.Link]:
    with copy.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield rules.Link(**json.loads(line))
            except (ValueError, TypeError):
                raise BadCopy(
                    f"{copy.name}: line {number} is no ledger entry; write the copy with `mailer ledger export`."
                ) from None
