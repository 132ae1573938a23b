"""`mailer staff …`: accounts from the command line."""

from __future__ import annotations

import click

from mailer import clock
from mailer.db import reading, transaction
from mailer.staff import actions, queries
from mailer.staff.rules import Role


@click.group()
def staff() -> None:
    """Accounts of the people who sign in."""


@staff.command()
@click.argument("email")
@click.option("--name", default="", help="What colleagues see; the address if not given.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
def create(email: str, name: str, roles: tuple[str, ...]) -> None:
    """Create an account and print its first password, once."""
    with transaction() as session:
        chosen = [Role(role) for role in roles]
        made, first = actions.create(session, email=email, name=name or email, roles=chosen, at=clock.now())
    click.echo(f"{made.email} may sign in as {', '.join(made.roles)}.")
    click.echo(f"First password: {first}")
    click.echo("It is shown only now, and must be changed at first sign-in.")


@staff.command("list")
def list_staff() -> None:
    """Show every account."""
    with reading() as session:
        for person in queries.all_staff(session):
            state = "disabled" if person.disabled_at else "first password" if person.must_change else "active"
            click.echo(f"{person.email:<40} {','.join(person.roles):<30} {state}")


@staff.command("reset")
@click.argument("email")
def reset(email: str) -> None:
    """Give an account a new first password and print it, once."""
    with transaction() as session:
        first = actions.reset_password(session, queries.get_by_email(session, email), clock.now())
    click.echo(f"First password: {first}")


@staff.command()
@click.argument("email")
def disable(email: str) -> None:
    """End an account and all its sessions."""
    with transaction() as session:
        actions.disable(session, queries.get_by_email(session, email), clock.now())
    click.echo(f"{email} can no longer sign in.")
