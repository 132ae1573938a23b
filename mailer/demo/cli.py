"""`mailer demo`: the whole story on real mail, told step by step."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from mailer.demo import company, story
from mailer.demo.stage import Stage
from mailer.demo.world import World
from mailer.errors import MailerError


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the story's data are kept; must be empty. A temporary folder if not given.",
)
@click.option("--stay", is_flag=True, help="Keep the service up at the end, to look around; Ctrl-C ends it.")
@click.option(
    "--set-up", is_flag=True, help="Only make the sample company's topics and staff, in the database in force."
)
def demo(data_dir: Path | None, stay: bool, set_up: bool) -> None:
    """Tell the whole story on real mail: a database, Redis, SMTP and HTTP of its own, in under a minute."""
    if set_up:
        for account in company.set_up():
            click.echo(f"{account.email}\t{account.password}")
        return
    folder = data_dir or Path(tempfile.mkdtemp(prefix="mailer-demo-"))
    begun = time.monotonic()
    with story.staged(World.make(folder), click.echo) as stage:
        tell(stage)
        click.secho(f"\nAll {len(story.STEPS)} steps went as said, in {time.monotonic() - begun:.0f} s.", bold=True)
        click.echo(f"What it left is in {folder}.")
        if stay:
            click.echo(f"The service is up: {stage.look('/admin/')}. Press Ctrl-C to end it.")
            stage.world.wait()
        else:
            click.echo("The service ends now; with --stay it stays up, to look around.")


def tell(stage: Stage) -> None:
    """Every step in order; MailerError names the first that did not go as said."""
    for number, step in enumerate(story.STEPS, 1):
        click.secho(f"\n{number}. {step.title}", bold=True)
        try:
            step.happen(stage)
        except MailerError as error:
            raise type(error)(f"Step {number}, {step.title.lower()}: {error}") from None
