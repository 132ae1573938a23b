"""Routes: which SMTP servers take a channel's mail. No route serves both channels (DESIGN §8, lanes).

One a channel is told by `MAILER_SMTP_ESSENTIAL` and `MAILER_SMTP_MARKETING`, several by the file `MAILER_ROUTES`
(docs/routes.md). The file is read anew whenever the routes are asked for; nothing here is on the way of each mail.
"""

from __future__ import annotations

import os
import re
import ssl
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from email.utils import parseaddr
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mailer import settings
from mailer.consent.rules import Channel
from mailer.delivery import dkim, dkim_keys
from mailer.errors import Invalid
from mailer.settings import Settings

CONNECTIONS = 4
POST_OFFICE = "post-office"
MAILBOX_LIMIT = 200  # the journal keeps no longer From


class Tls(StrEnum):
    """How a connection is kept secret."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


_PORTS = {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.IMPLICIT: 465}
_SCHEMES = {"smtp": Tls.NONE, "smtp+starttls": Tls.STARTTLS, "smtps": Tls.IMPLICIT}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_VISIBLE = re.compile(r"[ -~]+")  # what AUTH can carry as smtplib spells it


class BadRoute(Invalid):
    """A route that cannot be read, or that cannot work."""


@dataclass(frozen=True, slots=True)
class Route:
    """One SMTP server: where it is, how to talk to it, as whom, and which share of a channel's mail it takes."""

    name: str
    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)
    channel: Channel = Channel.ESSENTIAL
    sent_from: str | None = None  # the mailbox in From; None: the channel's own
    envelope_domain: str | None = None  # None: MAILER_REPLY_DOMAIN
    dkim: bool = False  # whether we sign; the relay does otherwise
    weight: int = 1  # share among the routes of the same order
    order: int = 1  # lower first
    connections: int = CONNECTIONS  # at most, a worker
    rate: float | None = None  # mails a second, all workers together; None: no limit
    warm_up_from: date | None = None
    domains: tuple[tuple[str, float], ...] = ()  # mails a second to recipients at a domain

    def tls_context(self) -> ssl.SSLContext:
        """Certificates are verified, always."""
        return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    def rate_to(self, domain: str) -> float | None:
        """Mails a second that this route may send to one recipient domain; None where nothing was said of it."""
        return dict(self.domains).get(domain.lower())


@lru_cache(maxsize=4)
def _tls_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Reading the authorities takes longer than a connection; OpenSSL looks for them where these two say."""
    return ssl.create_default_context()


def routes_for(channel: Channel, config: Settings | None = None) -> tuple[Route, ...]:
    """The servers that take this channel's mail, first choice first; the local post office if none is configured."""
    config = config or settings.current()
    url = config.smtp_essential if channel is Channel.ESSENTIAL else config.smtp_marketing
    listed = [route for route in _listed(config) if route.channel is channel]
    if listed and url:
        raise BadRoute(
            f"MAILER_SMTP_{channel.upper()}: {config.routes} has routes for {channel} mail as well; keep one of both."
        )
    if listed:
        return tuple(sorted(listed, key=lambda route: (route.order, route.name)))
    if url:
        return (parse(url, channel.value, channel),)
    if config.routes_file is not None:
        raise BadRoute(
            f"{config.routes}: no route takes {channel} mail; add one, or set MAILER_SMTP_{channel.upper()}."
        )
    return (Route(POST_OFFICE, "127.0.0.1", config.post_office_port, Tls.NONE, channel=channel),)


def find(name: str, config: Settings | None = None) -> Route | None:
    """The route of this name."""
    every = (route for channel in Channel for route in routes_for(channel, config))
    return next((route for route in every if route.name == name), None)


def check(config: Settings) -> None:
    """BadRoute if a route cannot be read, or should sign and has no key; a sentence that says what to do."""
    for channel in Channel:
        for route in routes_for(channel, config):
            if why := why_unsigned(route, config):
                raise BadRoute(f"{config.routes}: route “{route.name}”, dkim: {why}.", field="dkim")


def choose(routes: Sequence[Route], open_breakers: Collection[str], chance: float) -> Route | None:
    """The route of a mail: of those of the lowest order whose breaker is closed, by weight; None if all are open.

    `open_breakers` holds names, `chance` is from 0 up to and without 1.
    """
    healthy = [route for route in routes if route.name not in open_breakers]
    if not healthy:
        return None
    lowest = min(route.order for route in healthy)
    sharing = [route for route in healthy if route.order == lowest]
    mark = chance * sum(route.weight for route in sharing)
    for route in sharing[:-1]:
        if mark < route.weight:
            return route
        mark -= route.weight
    return sharing[-1]


def sender(route: Route, config: Settings | None = None) -> str:
    """The mailbox in From of mail by this route."""
    config = config or settings.current()
    usual = config.from_essential if route.channel is Channel.ESSENTIAL else config.from_marketing
    return route.sent_from or usual


def signing_domain(route: Route, config: Settings | None = None) -> str | None:
    """The domain we sign for, which is that of From (DMARC, RFC 7489 §3.1.1); None where the relay signs."""
    return domain_of(sender(route, config)) if route.dkim else None


def why_unsigned(route: Route, config: Settings) -> str | None:
    """Why mail by this route cannot be signed as it should be; None if it can, or need not."""
    domain = signing_domain(route, config)
    if domain is None or dkim.signer_for(domain, config.dkim_folder) is not None:
        return None
    return (
        f"no key signs for {domain}: `mailer dkim new {domain}` makes one, and once its record stands in the DNS "
        f"`mailer dkim use {domain} SELECTOR` signs with it"
    )


def domain_of(mailbox: str) -> str:
    """The domain of an address like `Example <service@example.com>`, in small letters."""
    return parseaddr(mailbox)[1].rpartition("@")[2].lower()


def parse(url: str, name: str, channel: Channel = Channel.ESSENTIAL) -> Route:
    """Read `smtp://`, `smtp+starttls://` or `smtps://[user:password@]host[:port]`."""
    setting = f"MAILER_SMTP_{name.upper()}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its words may quote the password
        raise BadRoute(f"{setting}: the host or the port cannot be read; a port is 1 to 65535.") from None
    if parts.scheme not in _SCHEMES or not host:
        raise BadRoute(f"{setting}: “{parts.scheme}” is not known; write smtp+starttls://user:password@host:587.")
    tls = _SCHEMES[parts.scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and tls is Tls.NONE:
        raise BadRoute(f"{setting}: a password needs smtp+starttls:// or smtps://.")
    if user and not (_VISIBLE.fullmatch(user) and _VISIBLE.fullmatch(password)):
        raise BadRoute(f"{setting}: user and password must both be there, in plain ASCII characters.")
    return Route(name, host, port or _PORTS[tls], tls, user, password, channel)


def _known_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("write up to 40 small letters, digits and hyphens")
    return value


def _known_host(value: str) -> str:
    if not _HOST.fullmatch(value) and not (":" in value and _is_address(value)):
        raise ValueError("write a host name or an IP address, without a port")
    return value


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _mailbox(value: str) -> str:
    address = parseaddr(value)[1]
    if not re.fullmatch(r"[!-~]+@[!-~]+", address) or not dkim_keys.is_domain(address.rpartition("@")[2].lower()):
        raise ValueError("it holds no mail address; write it like Example <service@example.com>")
    if not value.isprintable() or len(value.encode()) > MAILBOX_LIMIT:
        raise ValueError(f"write it in one line of at most {MAILBOX_LIMIT} bytes")
    return value


def _known_domain(value: str) -> str:
    if not dkim_keys.is_domain(value.lower()):
        raise ValueError("write a domain like mail.example.com, one with other letters as xn--…")
    return value.lower()


_Domain = Annotated[str, AfterValidator(_known_domain)]
_Rate = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class _Entry(BaseModel):
    """What the file may say."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _DomainEntry(_Entry):
    rate: _Rate


class _RouteEntry(_Entry):
    """One `[[route]]` of the file."""

    name: Annotated[str, AfterValidator(_known_name)]
    channel: Channel = Field(strict=False)
    host: Annotated[str, AfterValidator(_known_host)]
    port: int | None = Field(None, ge=1, le=65535)
    tls: Tls = Field(Tls.STARTTLS, strict=False)
    user: str = ""
    password: str | None = None
    password_env: str | None = Field(None, min_length=1)
    password_file: str | None = Field(None, min_length=1)
    mailbox: Annotated[str, AfterValidator(_mailbox)] | None = Field(None, alias="from")
    envelope_domain: _Domain | None = None
    dkim: bool = False
    weight: int = Field(1, ge=1, le=1000)
    order: int = Field(1, ge=1, le=1000)
    connections: int = Field(CONNECTIONS, ge=1, le=500)
    rate: _Rate | None = None
    warm_up_from: date | None = None
    domains: dict[_Domain, _DomainEntry] = {}


@dataclass(frozen=True)
class _Place:
    """Where in the file something is wrong."""

    path: Path
    route: str

    def refuse(self, name: str, words: str) -> NoReturn:
        raise BadRoute(f"{self.path}: {self.route}, {name}: {words}.", field=name)


def _listed(config: Settings) -> list[Route]:
    """The routes of the file, each checked; none if there is no file."""
    path = config.routes_file
    if path is None:
        return []
    entries = _entries(path)
    if not entries:
        raise BadRoute(f"{path}: no [[route]] stands in it; docs/routes.md shows one.")
    listed, seen = [], set()
    for number, entry in enumerate(entries, 1):
        named = entry.get("name")
        place = _Place(path, f"route “{named}”" if isinstance(named, str) and named else f"route {number}")
        route = _route(place, entry)
        if route.name in seen:
            place.refuse("name", "another route has it as well; each needs its own, for the record names it")
        seen.add(route.name)
        listed.append(route)
    return listed


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadRoute(f"{path}: it cannot be read ({error.strerror}).") from None
    except ValueError as error:  # not UTF-8, or no TOML; its words give the line
        raise BadRoute(f"{path}: it is no TOML ({error}).") from None
    entries = said.pop("route", [])
    if said:
        raise BadRoute(f"{path}: “{next(iter(said))}” is not known; the file holds [[route]] and nothing else.")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadRoute(f"{path}: write [[route]] with two brackets on each side, one for every route.")
    return entries


def _route(place: _Place, said: dict[str, Any]) -> Route:
    try:
        entry = _RouteEntry.model_validate(said)
    except ValidationError as error:
        place.refuse(*_first_fault(error))
    if entry.name in {POST_OFFICE, *Channel} and entry.name != entry.channel:
        place.refuse("name", "it is taken by a route of our own; choose another")
    return Route(
        name=entry.name,
        host=entry.host,
        port=entry.port or _PORTS[entry.tls],
        tls=entry.tls,
        user=entry.user,
        password=_password(place, entry),
        channel=entry.channel,
        sent_from=entry.mailbox,
        envelope_domain=entry.envelope_domain,
        dkim=entry.dkim,
        weight=entry.weight,
        order=entry.order,
        connections=entry.connections,
        rate=entry.rate,
        warm_up_from=entry.warm_up_from,
        domains=tuple(sorted((domain, limit.rate) for domain, limit in entry.domains.items())),
    )


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """The field at fault and what is wrong with it, without what was written there: it may be a password."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"] if part != "[key]")
    match first["type"]:
        case "missing":
            return name, "it is missing"
        case "extra_forbidden":
            known = ("from" if field == "mailbox" else field for field in _RouteEntry.model_fields)
            return name, f"it is not known; a route has {', '.join(known)}"
        case _:
            return name, first["msg"].removeprefix("Value error, ").replace("Input should", "it should")


def _password(place: _Place, entry: _RouteEntry) -> str:
    """The password from where the route says it is; BadRoute if it is said twice, nowhere, or goes in the clear."""
    told = list(_passwords(place, entry))
    if len(told) > 1:
        place.refuse(told[1][0], f"{told[0][0]} stands there as well; keep one")
    if bool(entry.user) != bool(told):
        place.refuse("user", "user and password must both be there, or neither")
    if not told:
        return ""
    name, password = told[0]
    if entry.tls is Tls.NONE:
        place.refuse("tls", "a password needs starttls or implicit")
    for what, value in (("user", entry.user), (name, password)):
        if not _VISIBLE.fullmatch(value):
            place.refuse(what, "it is empty, or has other than plain ASCII characters, which cannot be sent")
    return password


def _passwords(place: _Place, entry: _RouteEntry) -> Iterator[tuple[str, str]]:
    if entry.password is not None:
        yield "password", entry.password
    if entry.password_env is not None:
        kept = settings.secret(entry.password_env)
        if not kept:
            place.refuse("password_env", f"{entry.password_env} is not set in the environment or in .env")
        yield "password_env", kept
    if entry.password_file is not None:
        path = place.path.parent / entry.password_file
        try:
            yield "password_file", path.read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            place.refuse("password_file", f"{path} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})")
