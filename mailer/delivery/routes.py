"""Routes: which SMTP server takes a channel's mail. Each channel has its own (DESIGN §8, lanes)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from mailer import settings
from mailer.consent.rules import Channel
from mailer.errors import Invalid
from mailer.settings import Settings


class Tls(StrEnum):
    """How a connection is kept secret."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    IMPLICIT = "smtps"


_PORTS = {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.IMPLICIT: 465}


class BadRoute(Invalid):
    """An SMTP address that cannot be read."""


@dataclass(frozen=True)
class Route:
    """One SMTP server: where it is, how to talk to it, as whom."""

    name: str
    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = ""

    def tls_context(self) -> ssl.SSLContext:
        """Certificates are verified, always."""
        return ssl.create_default_context()


def parse(url: str, name: str) -> Route:
    """Read `smtp://`, `smtp+starttls://` or `smtps://[user:password@]host[:port]`."""
    parts = urlsplit(url)
    if parts.scheme not in set(Tls) or not parts.hostname:
        raise BadRoute(
            f"MAILER_SMTP_{name.upper()}: “{parts.scheme}” is not known; write smtp+starttls://user:password@host:587."
        )
    tls = Tls(parts.scheme)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and tls is Tls.NONE:
        raise BadRoute(f"MAILER_SMTP_{name.upper()}: a password needs smtp+starttls:// or smtps://.")
    return Route(name, parts.hostname, parts.port or _PORTS[tls], tls, user, password)


def route_for(channel: Channel, config: Settings | None = None) -> Route:
    """The server that takes this channel's mail: the one configured, else the local post office in development."""
    config = config or settings.current()
    url = config.smtp_essential if channel is Channel.ESSENTIAL else config.smtp_marketing
    if url:
        return parse(url, channel.value)
    return Route("post-office", "127.0.0.1", config.post_office_port, Tls.NONE)
