"""`mailer doctor`: looks at everything the service needs and says, in a sentence each, what is well and what is not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from mailer import clock, db, migrations, redis_server
from mailer.consent.rules import Channel
from mailer.delivery import dkim, routes, trial
from mailer.delivery.routes import Route
from mailer.errors import MailerError
from mailer.inbound import doors, mailbox
from mailer.ledger import queries as ledger
from mailer.ledger import rules as ledger_rules
from mailer.services import queries as services
from mailer.settings import Settings

SECONDS = 5.0
CLOCKS_APART = 2.0  # seconds that two clocks may differ


class Verdict(StrEnum):
    """How a part is."""

    WELL = "ok"
    BAD = "BAD"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    what: str
    verdict: Verdict
    words: str


def examine(config: Settings) -> list[Finding]:
    """Look at each part; one that cannot be reached keeps no other from being looked at."""
    parts: list[tuple[str, Callable[[Settings], str]]] = [
        ("database", _database),
        ("clock", _clocks),
        ("redis", _redis),
        *_routes(config),
        *_doors(config),
        ("public address", _public_url),
    ]
    if config.catches_mail:
        parts.append(("post office", _post_office))
    return [*(_look(what, part, config) for what, part in parts), *_unchecked()]


def _look(what: str, part: Callable[[Settings], str], config: Settings) -> Finding:
    try:
        return Finding(what, Verdict.WELL, part(config))
    except (MailerError, OSError) as error:
        return Finding(what, Verdict.BAD, str(error))
    except SQLAlchemyError as error:
        return Finding(what, Verdict.BAD, f"cannot be used ({type(error).__name__}); look at MAILER_DATABASE_URL")


class _Unwell(MailerError):
    """What is wrong with a part."""


def _database(config: Settings) -> str:
    with db.engine().connect() as connection:
        at, head = migrations.revision(connection), migrations.head()
    if at != head:
        raise _Unwell(f"is at {at or 'no migration'}, this release needs {head}: run `mailer migrate`")
    return f"{make_url(config.database).render_as_string(hide_password=True)}, migrated to {at}"


def _clocks(config: Settings) -> str:
    with db.reading() as session:
        fault = ledger_rules.clock_fault(clock.now(), ledger.latest(session))
    if fault is not None:
        raise _Unwell(fault)
    with db.engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            shift = f"; the demo's clock says {clock.now():%Y-%m-%d %H:%M} UTC" if config.demo else ""
            return f"one machine, one clock{shift}"
        theirs = connection.execute(text("SELECT now()")).scalar_one()
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > CLOCKS_APART:
        raise _Unwell(f"this machine and the database differ by {apart:.0f} s: set both by NTP")
    return "this machine and the database agree"


def _redis(config: Settings) -> str:
    if not redis_server.is_ready(config.redis):
        raise _Unwell(
            "does not answer; mail goes out late until it does. `mailer up` starts it, or see MAILER_REDIS_URL"
        )
    return "embedded, answers" if config.uses_embedded_redis else "answers"


def _routes(config: Settings) -> Iterator[tuple[str, Callable[[Settings], str]]]:
    """Each route's server, and whether the mail we are to sign has a key."""
    seen = set()
    for channel in Channel:
        try:
            found = routes.routes_for(channel, config)
        except MailerError as error:
            yield f"smtp {channel}", _says(error)
            continue
        for route in found:
            if route.name not in seen:  # the post office takes the mail of both
                yield f"smtp {route.name}", _answers(route)
            if route.dkim:
                yield f"dkim {route.name}", _signs(route)
            seen.add(route.name)


def _says(error: MailerError) -> Callable[[Settings], str]:
    def look(config: Settings) -> str:
        raise error

    return look


def _answers(route: Route) -> Callable[[Settings], str]:
    def look(config: Settings) -> str:
        tried = trial.try_out(route, SECONDS)
        for step in tried.steps:
            if not step.is_good:
                raise _Unwell(f"{route.host}:{route.port} does not answer as it must ({step.name}: {step.words})")
        return f"{route.host}:{route.port}, {route.tls}{', signed in' if route.user else ''}"

    return look


def _signs(route: Route) -> Callable[[Settings], str]:
    def look(config: Settings) -> str:
        if why := routes.why_unsigned(route, config):
            raise _Unwell(why)
        domain = routes.signing_domain(route, config) or ""
        signer = dkim.signer_for(domain, config.dkim_folder)
        return f"signs for {domain} with {signer.selector if signer else 'nothing'}"

    return look


def _doors(config: Settings) -> Iterator[tuple[str, Callable[[Settings], str]]]:
    """The doors that mail comes in by; the pipe, `mailer mail ingest`, needs nothing but the database."""
    yield f"inbound {config.inbound_protocol}", _listener
    if config.imap_url:
        yield "inbound imap", _mailbox
    yield "inbound upload", _uploads


def _listener(config: Settings) -> str:
    host, port = config.inbound_host, config.inbound_port
    _must_listen(host, port, "`mailer inbound`")
    tls = "with STARTTLS" if config.inbound_tls_cert else "without STARTTLS (MAILER_INBOUND_TLS_CERT)"
    return f"{config.inbound_protocol.upper()} at {host}:{port}, {tls}"


def _mailbox(config: Settings) -> str:
    """Sign in and look, and see that our own reader does so, too."""
    where = mailbox.place(config.imap_url)
    try:
        with mailbox.opened(where, readonly=True) as box:
            unread = len(box.unread())
    except mailbox.FAULTS as error:
        raise _Unwell(
            f"{where.name} cannot be opened ({type(error).__name__}): look at MAILER_IMAP_URL and its server"
        ) from None
    with db.reading() as session:
        for door in doors.health(session, config, clock.now()):
            if door.name == where.name and door.fault:
                raise _Unwell(f"{where.name} {door.fault}")
    return f"{where.name}, {unread} unread"


def _uploads(config: Settings) -> str:
    with db.reading() as session:
        count = sum(service.disabled_at is None for service in services.all_services(session))
    return f"POST {config.url}/inbound/<service>; services with a secret: {count}"


def _post_office(config: Settings) -> str:
    _must_listen("127.0.0.1", config.post_office_port, "`mailer post-office`")
    return f"catches mail at 127.0.0.1:{config.post_office_port}; read it at {config.url}/post-office"


def _must_listen(host: str, port: int, starter: str) -> None:
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError:
        raise _Unwell(f"nothing listens at {host}:{port}: start {starter} or `mailer up`") from None


def _public_url(config: Settings) -> str:
    if config.is_production and not config.url.startswith("https://"):
        raise _Unwell(f"MAILER_PUBLIC_URL is {config.url}: mail clients unsubscribe by https only (RFC 8058)")
    return config.url


def _unchecked() -> Iterator[Finding]:
    yield Finding("SPF, DKIM, DMARC", Verdict.UNCHECKED, "ask your DNS for the records of both sender domains")
