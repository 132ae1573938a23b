"""`mailer evidence …`: make the evidence of a person or of a version, and check a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from mailer import clock
from mailer.admin import evidence as evidences
from mailer.errors import Invalid
from mailer.notices.proof import verify as verifier

BY = "command line"


class BadCall(Invalid):
    """Neither a person and a version, nor a version alone."""


class Evidence(click.Group):
    """A group whose first word may also be a person: `mailer evidence CONTACT VERSION -o FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_command = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_command or not args else ["make", *args])


@click.group(cls=Evidence)
def evidence() -> None:
    """What proves that people were told: `mailer evidence CONTACT VERSION -o FILE.zip`."""


@evidence.command()
@click.argument("words", nargs=-1, metavar="CONTACT VERSION")
@click.option("--version", "whole", metavar="VERSION", help="Of everybody who is told of this version, by ids alone.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
def make(words: tuple[str, ...], whole: str | None, output: Path) -> None:
    """Write the evidence of one person and one version. CONTACT is an id, a reference or an address.

    VERSION is an id or, like privacy/2, the name of the policy and the number.
    """
    if bool(whole) == bool(words) or len(words) not in (0, 2):
        raise BadCall(
            "Name a person and a version, as in `mailer evidence ref-4711 privacy/2`, or --version privacy/2."
        )
    at = clock.now()
    made = evidences.give_whole(whole, BY, at) if whole else evidences.give(words[0], words[1], BY, at)
    output.write_bytes(made.data)
    click.echo(f"{output} is written: {len(made.data):,} bytes. Check it with `mailer evidence verify {output}`.")


@evidence.command()
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
def verify(bundle: Path) -> None:
    """Say whether a bundle holds, or what does not; the same program lies in the bundle."""
    raise click.exceptions.Exit(verifier.main([str(bundle)]))
