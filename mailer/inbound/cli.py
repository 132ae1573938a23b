"""`mailer mail …`: the pipe door for mail servers, and a look at how files would be read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from mailer import doorbell
from mailer.clock import now
from mailer.db import transaction
from mailer.errors import Invalid
from mailer.inbound import actions as inbound
from mailer.inbound import doors, verdicts
from mailer.inbound.desk import storable

TRY_AGAIN = os.EX_TEMPFAIL  # a mail server that pipes here keeps the mail and tries again


@click.group()
def mail() -> None:
    """Mail that comes in."""


@mail.command()
@click.option(
    "--recipient", default="", help="The envelope recipient; else the header says it, else it is the public mailbox."
)
@click.option("--sender", default="", help="The envelope sender, <> for a null one; else Return-Path says it.")
@click.argument("message", type=click.File("rb"), default="-")
def ingest(message: BinaryIO, recipient: str, sender: str) -> None:
    """Take in one mail from a pipe or a file: `mailer mail ingest < message.eml`. Exit 75: try again later."""
    raw = message.read(doors.MAX_BYTES + 1)
    if not raw:
        raise Invalid("message: nothing came in; pipe one whole mail into this command.", field="message")
    if len(raw) > doors.MAX_BYTES:
        limit = doors.MAX_BYTES // 1024 // 1024
        raise Invalid(f"message: it is larger than {limit} MB, the most that is taken in.", field="message")
    try:
        with transaction(is_durable=True) as session:
            mail_id = inbound.keep(session, raw, sender=sender, recipient=recipient, door="pipe", at=now())
    except Exception as error:
        # whatever it was, wrong settings included: the mail is not ours yet, and its sender must keep it
        click.echo(f"The mail could not be kept ({type(error).__name__}); send it again later.", err=True)
        raise click.exceptions.Exit(TRY_AGAIN) from None
    doorbell.ring("chores", doors.READ_JOB)
    click.echo(mail_id)


@mail.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def classify(files: tuple[str, ...], as_json: bool) -> None:
    """Say how mails in files would be read. Nothing is kept, and no database is needed."""
    for line in _lines(verdicts.classify_files(files), as_json):
        click.echo(line)


def _lines(found: Iterable[dict[str, Any]], as_json: bool) -> Iterator[str]:
    for one in found:
        if as_json:
            yield json.dumps(one, ensure_ascii=True)
        else:
            # a file's name may be any bytes
            yield storable(f"{one['file']}: {one['class']} ({one['confidence']:.0%}); {'; '.join(one['reasons'])}")
