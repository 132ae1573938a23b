"""`mailer contact erase`: joins the group of `mailer.consent.cli`, for erasing needs every room."""

from __future__ import annotations

import click

from mailer import clock
from mailer.admin import erasure, merging
from mailer.consent.cli import contact
from mailer.contacts import queries as contacts
from mailer.db import reading, transaction
from mailer.errors import Invalid

__all__ = ["contact"]


class NotConfirmed(Invalid):
    """Somebody typed something else."""


@contact.command()
@click.argument("kept", metavar="KEPT")
@click.argument("other", metavar="OTHER")
def merge(kept: str, other: str) -> None:
    """Make one person of two: OTHER goes over into KEPT. Each is a reference, an address or an id."""
    with transaction() as session:
        stays, goes = contacts.look_up(session, kept), contacts.look_up(session, other)
        merging.merge(session, stays, goes, clock.now())
        click.echo(f"{goes.id} is {stays.id} now; of newsletters the stricter word counts.")


@contact.command()
@click.argument("who", metavar="REFERENCE|EMAIL|ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(who: str, yes: bool) -> None:
    """Erase one person for good; nobody can take this back."""
    with reading() as session:
        found = contacts.look_up(session, who)
    if not yes and click.prompt(f"This cannot be undone. Type {found.id} to erase this person") != found.id:
        raise NotConfirmed("The id was not the same; nobody was erased.")
    with transaction() as session:
        erasure.erase(session, contacts.get(session, found.id), clock.now())
    click.echo(f"{found.id} is erased.")
