"""`mailer`: the front door on the command line. A person's mistake is one sentence on stderr and exit 1."""

from __future__ import annotations

import logging
import os
import sys
from datetime import date, datetime, time
from importlib import import_module
from typing import Any

import click
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from mailer import clock, settings
from mailer.errors import Invalid, MailerError
from mailer.worker import Lane

ROOMS = {
    "contact": "mailer.admin.cli",
    "demo": "mailer.demo.cli",
    "dkim": "mailer.delivery.cli",
    "evidence": "mailer.admin.evidence_cli",
    "ledger": "mailer.ledger.cli",
    "mail": "mailer.inbound.cli",
    "policy": "mailer.notices.cli",
    "routes": "mailer.delivery.cli",
    "service": "mailer.services.cli",
    "staff": "mailer.staff.cli",
}
# these log what they carry: addresses, URLs with tokens (invariant 12)
TALKATIVE = ("alembic", "asyncio", "httpcore", "httpx", "mail.debug", "mail.error", "mail.log", "rq.job", "rq.worker")


class BadInstant(Invalid):
    """A time that cannot be read, or that has passed."""

    field = "at"


class Front(click.Group):
    """Our own commands and those of the rooms, each room imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ROOMS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(ROOMS[cmd_name]), cmd_name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MailerError as error:
            raise click.exceptions.Exit(_complain(str(error))) from None
        except DBAPIError as error:
            raise click.exceptions.Exit(_complain(_explain(error))) from None


@click.group(cls=Front, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mail that must be sent, mail that may be sent, and the policies people live under."""


@main.command()
@click.option("--demo", is_flag=True, help="With the sample company, and a clock that can be moved.")
def up(demo: bool) -> None:
    """Start every process of the service and keep it running; Ctrl-C ends all of it."""
    from mailer import up, welcome
    from mailer.migrations import migrate

    if demo:
        _set("MAILER_DEMO", "1")
    _log("up")
    config = settings.current()
    with up.only_one(config.data_dir):
        up.check(config)
        migrate()
        accounts = welcome.first_accounts(config)
        up.run(config, lambda: click.echo(welcome.text(config, accounts)))


@main.command()
def web() -> None:
    """Serve the pages."""
    from mailer import web

    _log("web")
    web.serve()


@main.command()
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), required=True, help="What to work on.")
def worker(lane: str) -> None:
    """Work on one lane: essential mail, marketing mail, or chores."""
    from mailer import worker

    _log(f"worker {lane}")
    worker.serve(Lane(lane))


@main.command()
def scheduler() -> None:
    """Sweep regularly, and do once a day what a day brings."""
    from mailer import scheduler

    _log("scheduler")
    scheduler.serve()


@main.command()
def inbound() -> None:
    """Take in mail by SMTP or LMTP."""
    from mailer.inbound import listener

    _log("inbound")
    listener.serve()


@main.command("post-office")
def post_office() -> None:
    """Catch all mail that goes out, in development."""
    from mailer.demo import post_office

    _log("post-office")
    post_office.serve()


@main.command()
def redis() -> None:
    """Start the embedded Redis."""
    from mailer import redis_server

    redis_server.become()


@main.command()
def migrate() -> None:
    """Bring the database to this release's tables."""
    from mailer.migrations import migrate

    click.echo(f"The database is at {migrate()}.")


@main.command("settings")
def show_settings() -> None:
    """Show every setting in force, secrets hidden."""
    for name, value in settings.current().printable().items():
        click.echo(f"{name}={value}")


@main.command()
def doctor() -> None:
    """Look at everything the service needs, and say what is wrong; exit 1 if anything is."""
    from mailer import doctor

    findings = doctor.examine(settings.current())
    for finding in findings:
        click.echo(f"{finding.verdict:<12} {finding.what:<16} {finding.words}")
    if any(finding.verdict is doctor.Verdict.BAD for finding in findings):
        raise click.exceptions.Exit(1)


@main.command()
@click.option("--once", is_flag=True, required=True, help="Do it now, once; the scheduler does it every day.")
@click.option("--at", default="", help="Move the demo's clock there first: a date or an instant, like 2027-01-15.")
def schedule(once: bool, at: str) -> None:
    """Do what is due: versions take effect, agreement is deemed, what waits is rung for."""
    from mailer import scheduler, worker

    if at:
        clock.move_to(read_instant(at))
    now = clock.now()
    worker.call(scheduler.SCHEDULE, now)
    worker.call(scheduler.SWEEP)
    click.echo(f"Done for {now.astimezone(settings.current().zone):%A %d %B %Y, %H:%M}.")


def read_instant(text: str) -> datetime:
    """An ISO date (its first moment) or instant, in the company's zone if it names none; never before now."""
    zone = settings.current().zone
    try:
        read = datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        raise BadInstant(f"--at: “{text}” is no date or time; write 2027-01-15 or 2027-01-15T09:00.") from None
    instant = read if read.tzinfo else read.replace(tzinfo=zone)
    if instant < clock.now():
        raise BadInstant(f"--at: {text} has passed on the demo's clock, which only goes forward.")
    return instant


def _log(process: str) -> None:
    """Log to stderr, with the name of the process, and nothing that holds personal data."""
    level = settings.current().log_level
    logging.basicConfig(level=level, format=f"%(asctime)s {process}: %(levelname)s %(name)s: %(message)s")
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _set(name: str, value: str) -> None:
    """Change a setting for this process and all it starts."""
    os.environ[name] = value
    settings.current.cache_clear()


def _complain(sentence: str) -> int:
    click.echo(sentence, err=True)
    return 1


def _explain(error: DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    if isinstance(error, OperationalError | ProgrammingError) and ("no such table" in said or "does not exist" in said):
        return "The database has not this release's tables yet: run `mailer migrate`."
    if isinstance(error, OperationalError | InterfaceError):
        return f"The database cannot be used ({said}); look at MAILER_DATABASE_URL and MAILER_DATA_DIR."
    raise error


if __name__ == "__main__":
    sys.exit(main())
