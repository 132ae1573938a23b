"""The private keys that sign our mail, in files: `<folder>/<domain>/<selector>.pem` and a small `state.json`.

A key is never written over: its selector stands in the DNS and in mails already sent. Which one signs is said apart
from the keys, so that a new one can wait until its record is seen everywhere.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailer.errors import Conflict, Invalid, MailerError, NotFound

KEY_BITS = 2048  # RFC 8301 §3.2
STAYS = timedelta(days=7)  # a replaced key's record: mail is tried again for 5 days, and read later than it came
STATE = "state.json"
_STRING = 255  # a TXT record is made of strings no longer than this (RFC 1035 §3.3)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMPTY = (0, 0, 0)
Seen = tuple[int, int, int]


class BadName(Invalid):
    """What is no domain, or no selector."""


class BadKey(MailerError):
    """A key, or the file that says which one signs, that cannot be used."""


class NoKey(NotFound):
    """A domain has no such key."""


class Standing(StrEnum):
    """What a key is there for."""

    SIGNS = "signs"
    WAITS = "waits"  # made, and never used yet
    REPLACED = "replaced"  # its record must stay for mail on the way
    RETIRED = "retired"


@dataclass(frozen=True)
class State:
    """Which key of a domain signs; when each of the others was replaced or retired, by selector."""

    signs: str = ""
    replaced: dict[str, datetime] = field(default_factory=dict)
    retired: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """One key of a domain: what it is there for, and since when if that is known."""

    domain: str
    selector: str
    standing: Standing
    since: datetime | None = None


@dataclass(frozen=True)
class Record:
    """A TXT record of the DNS (RFC 6376 §3.6.1)."""

    name: str
    value: str

    def strings(self) -> list[str]:
        """The value in pieces that a record may be made of."""
        return [self.value[at : at + _STRING] for at in range(0, len(self.value), _STRING)]

    def zone_line(self) -> str:
        """The record as a zone file has it."""
        strings = " ".join(f'"{string}"' for string in self.strings())
        return f"{self.name}. IN TXT ( {strings} )"


def is_domain(text: str) -> bool:
    """Whether a text is a domain as DNS and headers spell it: small ASCII letters, at least two labels."""
    labels = text.split(".")
    return len(text) <= 253 and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def make(folder: Path, domain: str, selector: str, at: datetime) -> Record:
    """Make a pair that does not sign yet, also where it is the first: until its record is seen it proves nothing.

    An empty `selector` becomes one of the day. Conflict if the selector was used before.
    """
    home = _home(folder, domain)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(home):
        taken = {kept.selector for kept in every(folder, domain)}
        selector = _selector(selector) if selector else _of_the_day(at, taken)
        if selector in taken:
            raise Conflict(
                f"{domain} has or had a key {selector}, and it is not written over: take another selector.",
                field="selector",
            )
        key = generate_private_key(65537, KEY_BITS)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(home / f"{selector}.pem", pem)
    return _record(domain, selector, key.public_key())


def use(folder: Path, domain: str, selector: str, at: datetime) -> str:
    """Sign with this key from now on; the selector of the key it replaces, or nothing."""
    load(folder, domain, selector)
    home = _home(folder, domain)
    with _held(home):
        state = read(folder, domain)
        before = state.signs
        if before == selector:
            raise Conflict(f"{selector} signs for {domain} already.", field="selector")
        replaced = {name: when for name, when in state.replaced.items() if name != selector}
        if before:
            replaced[before] = at
        _keep(home, State(selector, replaced, state.retired))
    return before


def retire(folder: Path, domain: str, selector: str, at: datetime, *, early: bool = False) -> Record:
    """Give a key up for ever: its file is deleted; the record that says so, to stand in place of its old one.

    Conflict if it signs, or was replaced less than seven days ago and this is not `early`.
    """
    home = _home(folder, domain)
    if not home.is_dir():
        raise _no_key(domain, selector)
    with _held(home):
        state = read(folder, domain)
        if selector == state.signs:
            raise Conflict(
                f"{selector} signs for {domain}: let another do so first, with `mailer dkim use`.", field="selector"
            )
        if selector not in {kept.selector for kept in every(folder, domain)}:
            raise _no_key(domain, selector)
        until = state.replaced.get(selector, at - STAYS) + STAYS
        if at < until and not early:
            raise Conflict(
                f"{selector} signed until {until - STAYS:%Y-%m-%d}, and mail it signed is on the way until "
                f"{until:%Y-%m-%d}: retire it then, or now with --early.",
                field="selector",
            )
        replaced = {name: when for name, when in state.replaced.items() if name != selector}
        _keep(home, State(state.signs, replaced, {selector: at} | state.retired))
        (home / f"{selector}.pem").unlink(missing_ok=True)
    return Record(_name(domain, selector), "v=DKIM1; k=rsa; p=")


def record(folder: Path, domain: str, selector: str) -> Record:
    """The record of a key; that of a retired one has an empty p= (RFC 6376 §3.6.1)."""
    if selector in read(folder, domain).retired:
        return Record(_name(domain, selector), "v=DKIM1; k=rsa; p=")
    return _record(domain, selector, load(folder, domain, selector).public_key())


def domains(folder: Path) -> list[str]:
    """The domains that have keys."""
    return sorted(path.name for path in folder.iterdir() if is_domain(path.name)) if folder.is_dir() else []


def every(folder: Path, domain: str) -> list[Kept]:
    """The keys of a domain, retired ones too, by their selectors."""
    home, state = _home(folder, domain), read(folder, domain)
    selectors = {path.stem for path in home.glob("*.pem")} | set(state.retired)
    return [_kept(domain, selector, state) for selector in sorted(selectors)]


def read(folder: Path, domain: str) -> State:
    """Which key of a domain signs. BadKey if that cannot be read."""
    path = _home(folder, domain) / STATE
    try:
        said = json.loads(path.read_text("utf-8"))
        replaced, retired = (
            {str(name): datetime.fromisoformat(when) for name, when in said[part].items()}
            for part in ("replaced", "retired")
        )
        return State(str(said["signs"]), replaced, retired)
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise BadKey(f"{path} cannot be read ({error.strerror}): give it to the user the service runs as.") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise BadKey(f"{path} is broken: delete it and choose the key again with `mailer dkim use`.") from None


def load(folder: Path, domain: str, selector: str) -> RSAPrivateKey:
    """A private key. NoKey if there is none, BadKey if it cannot be used."""
    path = _home(folder, domain) / f"{_selector(selector)}.pem"
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise _no_key(domain, selector) from None
    except OSError as error:
        raise BadKey(f"{path} cannot be read ({error.strerror}): give it to the user the service runs as.") from None
    except (ValueError, TypeError):  # no PEM; or one under a password
        raise BadKey(f"{path} holds no private key without a password.") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS:
        raise BadKey(f"{path} holds no RSA key of {KEY_BITS} bits or more.")
    return key


def look(folder: Path, domain: str) -> Seen:
    """What the state of a domain looks like from outside: it differs after every change. Costs one system call."""
    try:
        found = (_home(folder, domain) / STATE).stat()
    except OSError:
        return _EMPTY
    return found.st_mtime_ns, found.st_ino, found.st_size


def _kept(domain: str, selector: str, state: State) -> Kept:
    if selector == state.signs:
        return Kept(domain, selector, Standing.SIGNS)
    for standing, those in ((Standing.RETIRED, state.retired), (Standing.REPLACED, state.replaced)):
        if selector in those:
            return Kept(domain, selector, standing, those[selector])
    return Kept(domain, selector, Standing.WAITS)


def _no_key(domain: str, selector: str) -> NoKey:
    return NoKey(f"{domain} has no key {selector}; `mailer dkim list` shows those it has.", field="selector")


def _home(folder: Path, domain: str) -> Path:
    if not is_domain(domain):
        raise BadName(f"“{domain}” is no domain; write it like mail.example.com, in small letters.", field="domain")
    return folder / domain


def _selector(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise BadName(f"“{text}” is no selector; write up to 63 small letters, digits and hyphens.", field="selector")
    return text


def _of_the_day(at: datetime, taken: set[str]) -> str:
    day = f"m{at:%Y%m%d}"
    return next(name for name in chain([day], (f"{day}-{number}" for number in count(2))) if name not in taken)


def _name(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"


def _record(domain: str, selector: str, key: RSAPublicKey) -> Record:
    spelled = b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    return Record(_name(domain, selector), f"v=DKIM1; k=rsa; p={spelled}")


@contextmanager
def _held(home: Path) -> Iterator[None]:
    """Hold a domain's folder: of two that change it, one waits."""
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)  # the names in the folder
    finally:
        os.close(handle)


def _keep(home: Path, state: State) -> None:
    _write(home / STATE, json.dumps(asdict(state), default=datetime.isoformat, indent=2).encode() + b"\n")


def _write(path: Path, data: bytes) -> None:
    """Write a file that is whole or as it was before, and nobody else's to read."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
