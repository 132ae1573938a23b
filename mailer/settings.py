"""Settings: read once from the environment (`MAILER_…`) or a `.env` file into one frozen object.

Nothing else in the product reads the environment. Secrets never show in `printable()`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from email.utils import parseaddr
from enum import StrEnum
from functools import cached_property, lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from holidays.utils import list_supported_countries
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mailer.errors import MailerError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
UNIX_SOCKET_PATH_LIMIT = 100  # sun_path is 108 bytes on Linux, 104 on macOS
POST_OFFICE_AUTHSERV_ID = "post-office.localhost"
IMAP_SCHEMES = ("imaps", "imap+starttls", "imap")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SECRET_FIELDS = frozenset({"secret_keys"})


class Environment(StrEnum):
    """Where this runs: development may catch mail locally, production never does."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class BadSettings(MailerError):
    """A setting has a value that cannot work."""


class Settings(BaseSettings):
    """Every setting of the product; defaults run everything on one machine with nothing installed."""

    model_config = SettingsConfigDict(env_prefix="MAILER_", env_file=".env", extra="ignore", frozen=True)

    environment: Environment = Environment.DEVELOPMENT
    demo: bool = False
    data_dir: Path = Path("var")
    database_url: str = ""
    redis_url: str = ""
    secret_keys: Annotated[tuple[str, ...], NoDecode] = ()

    web_host: str = "127.0.0.1"
    web_port: int = Field(8025, ge=1, le=65535)
    web_workers: int = Field(1, ge=1, le=64)
    inbound_host: str = "127.0.0.1"
    inbound_port: int = Field(8026, ge=1, le=65535)
    inbound_protocol: str = Field("smtp", pattern="^(smtp|lmtp)$")
    inbound_tls_cert: str = ""
    inbound_tls_key: str = ""
    inbound_relays: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.0/8", "::1/128")
    inbound_per_minute: int = Field(60, ge=1, le=100_000)
    inbound_connections: int = Field(10, ge=1, le=1_000)
    imap_url: str = ""
    imap_poll_seconds: int = Field(60, ge=1, le=3600)
    post_office_port: int = Field(8027, ge=1, le=65535)
    public_url: str = ""

    smtp_essential: str = ""
    smtp_marketing: str = ""
    routes: str = ""
    dkim_dir: str = ""
    from_essential: str = "Leadmark TRAC <service@leadmark.example>"
    from_marketing: str = "Leadmark News <news@news.leadmark.example>"
    reply_domain: str = "reply.leadmark.example"
    public_mailbox: str = "privacy@leadmark.example"
    authserv_ids: Annotated[tuple[str, ...], NoDecode] = ()

    company_name: str = "Leadmark"
    company_address: str = "Leadmark B.V., Stationsplein 1, 3511 ED Utrecht, the Netherlands"
    time_zone: str = "Europe/Amsterdam"
    country: str = Field("NL", pattern="^[A-Z]{2}$")
    remind_days_before: int = Field(7, ge=0, le=29)

    sweep_seconds: int = Field(30, ge=1, le=3600)
    quiet_hours: str = ""
    marketing_workers: int = Field(2, ge=1, le=64)
    lease_seconds: int = Field(120, ge=5, le=3600)
    smtp_timeout_seconds: int = Field(60, ge=1, le=600)
    log_level: str = "INFO"

    @field_validator("secret_keys", "authserv_ids", "inbound_relays", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"“{value}” is not a time zone; use a name like Europe/Amsterdam") from None
        return value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        if value not in list_supported_countries(include_aliases=False):
            raise ValueError(f"the holidays of “{value}” are not known; use a country's two letters, like NL")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("begin it with postgresql+psycopg:// or sqlite:///")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("begin it with redis://, rediss:// or unix://")
        return value

    @field_validator("inbound_relays")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(f"“{text}” is no network; write one like 192.0.2.0/24 or 192.0.2.25/32") from None
        return value

    @field_validator("imap_url")
    @classmethod
    def _mailbox_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in IMAP_SCHEMES or not (parts.hostname and parts.username and parts.password)):
            raise ValueError("write it like imaps://user:password@imap.example/INBOX, special characters as %40")
        if parts.scheme == "imap" and parts.hostname not in LOOPBACK:
            raise ValueError("imap:// would send the password in the clear; use imaps:// or imap+starttls://")
        return value

    @field_validator("routes", "inbound_tls_cert", "inbound_tls_key")
    @classmethod
    def _existing_file(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError(f"there is no file {value}; name one that is there, or leave it empty")
        return value

    @field_validator("public_url")
    @classmethod
    def _full_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("begin it with https://, for it stands in every link")
        return value

    @field_validator("from_essential", "from_marketing")
    @classmethod
    def _with_address(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError(f"“{value}” holds no mail address; write it like Example <service@example.com>")
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, value: str) -> str:
        if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"“{value}” is not two times; write them like 21:00-08:00, or leave it empty")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in LOG_LEVELS:
            raise ValueError(f"“{value}” is not one of {', '.join(LOG_LEVELS)}")
        return value.upper()

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Settings:
        if bool(self.inbound_tls_cert) != bool(self.inbound_tls_key):
            raise ValueError("MAILER_INBOUND_TLS_CERT and MAILER_INBOUND_TLS_KEY belong together; set both or none")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Settings:
        if self.environment is not Environment.PRODUCTION:
            return self
        if self.demo:
            raise ValueError("MAILER_DEMO cannot be on in production")
        needed = ("secret_keys", *(() if self.routes else ("smtp_essential", "smtp_marketing")), "public_url")
        missing = [f"MAILER_{name.upper()}" for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}; set them in the environment or in .env")
        if any(len(key) < 32 for key in self.secret_keys):
            raise ValueError("MAILER_SECRET_KEYS: each key needs at least 32 characters")
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @cached_property
    def zone(self) -> ZoneInfo:
        """The company's time zone: legal days are counted in it (DESIGN §5)."""
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'mailer.db').absolute()}"

    @property
    def uses_embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens: beside the data, or in the temporary folder if that path is too long."""
        beside = self.data_dir.absolute() / "redis" / "redis.sock"
        if len(os.fsencode(beside)) <= UNIX_SOCKET_PATH_LIMIT:
            return beside
        digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"mailer-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def redis(self) -> str:
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def routes_file(self) -> Path | None:
        """The file that lists the routes, if there are more than one a channel."""
        return Path(self.routes) if self.routes else None

    @cached_property
    def dkim_folder(self) -> Path:
        """Where the private keys lie that sign our mail."""
        return Path(self.dkim_dir) if self.dkim_dir else self.data_dir / "dkim"

    @property
    def catches_mail(self) -> bool:
        """Whether the local post office stands in for any SMTP route; never in production, nor with a routes file."""
        return not self.is_production and not self.routes and not (self.smtp_essential and self.smtp_marketing)

    @property
    def trusted_authserv_ids(self) -> tuple[str, ...]:
        """Whose Authentication-Results count (RFC 8601 §5): those configured, and the post office's in its place."""
        return (*self.authserv_ids, POST_OFFICE_AUTHSERV_ID) if self.catches_mail else self.authserv_ids

    @property
    def url(self) -> str:
        """The public address of the pages, without a slash at the end."""
        return (self.public_url or f"http://{self.web_host}:{self.web_port}").rstrip("/")

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The secret keys, newest first; in development one is made and kept in the data folder."""
        return self.secret_keys or (_kept_key(self.data_dir / "secret-key"),)

    def printable(self) -> dict[str, str]:
        """Every setting as `MAILER_NAME` to text, with secrets and passwords hidden."""
        shown: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name in SECRET_FIELDS:
                text = f"({len(value)} hidden)" if value else "(made and kept in the data folder)"
            elif isinstance(value, tuple):
                text = ",".join(value)
            else:
                text = _without_password(str(value))
            shown[f"MAILER_{name.upper()}"] = text
        return shown


def _without_password(value: str) -> str:
    """An address without the passwords before its host and among its parameters."""
    if "://" not in value:
        return value
    value = re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", value)
    parts = urlsplit(value)
    if parts.password is None:
        return value
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


def _kept_key(path: Path) -> str:
    """The key kept in `path`, made on first use; two processes that start together agree on one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def secret(name: str) -> str | None:
    """A password that a file of ours names by its variable, from the environment or `.env`; None if it is not set."""
    file = Settings.model_config.get("env_file")
    kept = dotenv_values(file) if isinstance(file, str) else {}
    return os.environ.get(name, kept.get(name))


def read() -> Settings:
    """Read the settings now; a bad value is one sentence that names the setting."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "MAILER_" + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else "Settings"
        raise BadSettings(f"{name}: {first['msg'].removeprefix('Value error, ')}.") from None


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read at first use."""
    return read()
