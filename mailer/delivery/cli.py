"""`mailer dkim …` and `mailer routes …`: the keys that sign our mail, and the servers that take it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mailer import clock, settings
from mailer.consent.rules import Channel
from mailer.delivery import dkim_keys, trial
from mailer.delivery import routes as configured
from mailer.delivery.dkim_keys import STAYS, Kept, Record, Standing
from mailer.delivery.routes import Route
from mailer.errors import NotFound

SECONDS = 30.0  # what a server gets to answer a trial; RFC 5321 §4.5.3.2 would give it minutes


class NoRoute(NotFound):
    """No route has this name."""


@click.group()
def dkim() -> None:
    """The keys that sign our mail (DKIM)."""


@dkim.command("new")
@click.argument("domain")
@click.option("--selector", default="", help="The key's name in the DNS; one of the day if left out.")
def new_key(domain: str, selector: str) -> None:
    """Make a key pair and print its DNS record; it does not sign until `dkim use` says so."""
    made = dkim_keys.make(_folder(), domain.lower(), selector, clock.now())
    _print(made)
    chosen = made.name.partition(".")[0]
    click.echo(f"Once the DNS answers with it everywhere: mailer dkim use {domain.lower()} {chosen}", err=True)


@dkim.command("list")
def list_keys() -> None:
    """Show every key, and which of a domain signs."""
    found = [kept for domain in dkim_keys.domains(_folder()) for kept in dkim_keys.every(_folder(), domain)]
    for kept in found:
        click.echo(f"{kept.domain:<30} {kept.selector:<20} {_standing(kept)}")
    if not found:
        click.echo(f"No keys lie in {_folder()}; `mailer dkim new DOMAIN` makes one.", err=True)


@dkim.command("show")
@click.argument("domain")
@click.argument("selector")
def show_record(domain: str, selector: str) -> None:
    """Print the DNS record of a key."""
    _print(dkim_keys.record(_folder(), domain.lower(), selector))


@dkim.command("use")
@click.argument("domain")
@click.argument("selector")
def use_key(domain: str, selector: str) -> None:
    """Sign with this key from now on; the one before it stays in the DNS for seven days."""
    at = clock.now()
    before = dkim_keys.use(_folder(), domain.lower(), selector, at)
    click.echo(f"Mail from {domain.lower()} is signed with {selector} from now on.")
    if before:
        click.echo(f"Leave the record of {before} as it is until {at + STAYS:%Y-%m-%d}; then retire it.")


@dkim.command("retire")
@click.argument("domain")
@click.argument("selector")
@click.option("--early", is_flag=True, help="Although mail it signed may still be on the way.")
def retire_key(domain: str, selector: str, early: bool) -> None:
    """Delete a key that signs no more, and print the record that takes the place of its old one."""
    _print(dkim_keys.retire(_folder(), domain.lower(), selector, clock.now(), early=early))


@click.group()
def routes() -> None:
    """The servers that take our mail."""


@routes.command("list")
def list_routes() -> None:
    """Show every route, first choice first."""
    for channel in Channel:
        for route in configured.routes_for(channel):
            click.echo(f"{channel:<10} {route.name:<20} {', '.join(_described(route))}")


@routes.command("test")
@click.argument("name")
@click.option("--to", default="", help="An address to name as recipient; no mail is sent to it.")
def test_route(name: str, to: str) -> None:
    """Talk to a route's server up to the mail itself, and say what it answers; exit 1 if mail could not go out."""
    route = configured.find(name)
    if route is None:
        raise NoRoute(f"There is no route “{name}”; `mailer routes list` shows those there are.", field="name")
    tried = trial.try_out(route, SECONDS, to)
    for step in tried.steps:
        click.echo(f"{'ok' if step.is_good else 'FAILED':<7} {step.name:<9} {step.words}")
    if not tried.is_good:
        raise click.exceptions.Exit(1)


def _folder() -> Path:
    return settings.current().dkim_folder


def _print(record: Record) -> None:
    """The record alone on stdout, as a zone file has it, and how to type it into a form on stderr."""
    click.echo(record.zone_line())
    click.echo(f"In a form: type TXT, name {record.name}, value {record.value}", err=True)


def _standing(kept: Kept) -> str:
    match kept.standing, kept.since:
        case Standing.REPLACED, since if since:
            return f"replaced on {since:%Y-%m-%d}, stays in the DNS until {since + STAYS:%Y-%m-%d}"
        case Standing.RETIRED, since if since:
            return f"retired on {since:%Y-%m-%d}"
        case standing, _:
            return standing.value


def _described(route: Route) -> Iterator[str]:
    yield f"{route.host}:{route.port}"
    yield f"tls {route.tls}"
    yield f"as {route.user}" if route.user else "not signed in"
    yield f"order {route.order}, weight {route.weight}, {route.connections} connections"
    if route.rate is not None:
        yield f"{route.rate:g}/s"
    yield from (f"{rate:g}/s to {domain}" for domain, rate in route.domains)
    yield f"from {configured.sender(route)}"
    if route.envelope_domain:
        yield f"envelope {route.envelope_domain}"
    if route.warm_up_from:
        yield f"warms up from {route.warm_up_from}"
    yield f"DKIM for {configured.signing_domain(route)}" if route.dkim else "DKIM by the relay"
