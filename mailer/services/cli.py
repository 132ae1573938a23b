"""`mailer service …`: other services from the command line."""

from __future__ import annotations

import click

from mailer import clock, settings
from mailer.db import reading, transaction
from mailer.services import actions, queries
from mailer.services.rules import EventOut


@click.group()
def service() -> None:
    """Other services: what they tell us, what we tell them."""


@service.command()
@click.argument("name")
@click.option("--endpoint", default="", help="Where events are posted to; none if it only tells us things.")
@click.option(
    "--hears", multiple=True, help="An event it hears, such as policy.released; again for more. All if not given."
)
def create(name: str, endpoint: str, hears: tuple[str, ...]) -> None:
    """Make a service known and print its secret and token, once."""
    kinds = hears or tuple(kind.value for kind in EventOut)
    with transaction() as session:
        made, keys = actions.create(session, name=name, endpoint=endpoint, hears=kinds, at=clock.now())
    click.echo(f"{made.name} may call {settings.current().url}/webhooks/{made.name}")
    click.echo(f"Secret: {keys.secret}")
    click.echo(f"Token: {keys.token}")
    click.echo("Both are shown only now. The secret signs webhooks both ways; the token reads /api/.")


@service.command("list")
def list_services() -> None:
    """Show every service."""
    with reading() as session:
        dead = queries.dead_letters(session)
        for known in queries.all_services(session):
            state = "disabled" if known.disabled_at else f"{dead.get(known.id, 0)} dead letters"
            click.echo(f"{known.name:<30} {known.endpoint or '(hears nothing)':<50} {state}")
