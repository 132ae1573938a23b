"""DKIM: mail is signed in this process, rsa-sha256 and relaxed/relaxed (RFC 6376).

The signature costs most of the work of a mail that we sign, so all around it is kept small: `bytes` methods that look
for what is rarely there come first, the key is loaded once. OpenSSL signs without the GIL.
"""

from __future__ import annotations

import hashlib
import re
import time
from binascii import b2a_base64
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from mailer import settings
from mailer.delivery import dkim_keys
from mailer.errors import MailerError

# named once more than they stand there: nobody on the way can add one that a reader would see (RFC 6376 §5.4.2)
OVERSIGNED = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
)
# named once more where they stand (RFC 8058 §4); where they do not, a list that forwards the mail may add its own
UNSUBSCRIBE = ("List-Unsubscribe", "List-Unsubscribe-Post")
SIGNED = (*OVERSIGNED, *UNSUBSCRIBE, "List-Id", "In-Reply-To", "References", "Auto-Submitted")
FRESH_SECONDS = 1.0  # how long a kept signer is used without a look at the files
_LINE = 72
_FOLD = "\r\n\t"
_BLANKS = re.compile(rb"  +")  # begins with a literal, which `re` finds ten times faster than a set of characters
_PADDING, _SHA256 = PKCS1v15(), SHA256()
_PLACES = {name.lower().encode(): place for place, name in enumerate(SIGNED)}
_FROM = SIGNED.index("From")


class Unsignable(MailerError):
    """A mail that no signature may stand on."""


class Signer:
    """Signs for one domain with one key. Threads may share it."""

    def __init__(self, domain: str, selector: str, key: RSAPrivateKey) -> None:
        self.domain = domain
        self.selector = selector
        self._key = key
        self._opening = lru_cache(maxsize=64)(self._of_headers)  # the sets of headers that our kinds of mail have

    def sign(self, data: bytes, at: datetime, *, is_canonical: bool = False) -> bytes:
        """The `DKIM-Signature` header of a finished mail (CRLF only), folded and ended, to be put in front of it.

        `is_canonical` says that the body is its own canonical form, as that of composed mail is (`compiled`).
        No l=, which would let others add to the body, and no x=: a mail may be read again after years.
        """
        end = data.find(b"\r\n\r\n")
        head, body = data[: end if end >= 0 else None], memoryview(data)[end + 4 if end >= 0 else len(data) :]
        times, canonical = _in_order(head)
        if not times[_FROM]:
            raise Unsignable("A mail without From cannot be signed (RFC 6376 §5.4).")
        body_hash = hashlib.sha256(body if is_canonical else canonical_body(bytes(body))).digest()
        said = int(at.timestamp()), b2a_base64(body_hash, newline=False)
        opening, own = self._opening(times)
        signature = self._key.sign(canonical + own % said, _PADDING, _SHA256)
        return b"%b%b\r\n" % (opening % said, _folded(signature))

    def _of_headers(self, times: tuple[int, ...]) -> tuple[bytes, bytes]:
        """The header up to its signature, as it goes out and in relaxed form, with room for time and body hash."""
        opening = (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;{_FOLD}"
            f"d={self.domain}; s={self.selector}; t=%d;{_FOLD}h={_named(times)};{_FOLD}bh=%b;{_FOLD}b="
        )
        own = "dkim-signature:" + opening.removeprefix("DKIM-Signature: ").replace(_FOLD, " ")
        return opening.encode(), own.encode()


def canonical_body(body: bytes) -> bytes:
    """The body as relaxed canonicalisation has it: blanks to one, none before a line end, no empty lines at the end."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    if b"  " in body:
        body = _BLANKS.sub(b" ", body)
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    if body.endswith(b" "):
        body = body[:-1]
    if not body.endswith(b"\r\n"):
        return body + b"\r\n" if body else b""
    if not body.endswith(b"\r\n\r\n") and len(body) > 2:
        return body
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _in_order(head: bytes) -> tuple[tuple[int, ...], bytes]:
    """How often each of SIGNED stands in a head, and those fields in relaxed form in that order.

    Of several of one name the last comes first (RFC 6376 §5.4.2).
    """
    times, fields = [0] * len(SIGNED), [b""] * len(SIGNED)
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ") if b"\r\n " in head or b"\r\n\t" in head else head
    is_single = b"\t" not in unfolded and b"  " not in unfolded
    for line in unfolded.split(b"\r\n"):
        name, _, value = line.partition(b":")
        place, start = _field(name)
        if start:
            field = start + (value.strip(b" ") if is_single else _one_blank(value))
            fields[place] = b"%b\r\n%b" % (field, fields[place]) if times[place] else field
            times[place] += 1
    return tuple(times), b"\r\n".join([field for field in fields if field] + [b""])


@lru_cache(maxsize=64)  # the names of headers that our mails have
def _field(name: bytes) -> tuple[int, bytes]:
    """The place of a field in SIGNED and how it begins in relaxed form; nothing if we do not sign it."""
    wanted = name.rstrip(b" \t").lower()
    return (_PLACES[wanted], wanted + b":") if wanted in _PLACES else (0, b"")


def _one_blank(value: bytes) -> bytes:
    if b"\t" in value:
        value = value.replace(b"\t", b" ")
    if b"  " in value:
        value = _BLANKS.sub(b" ", value)
    return value.strip(b" ")


def _named(times: tuple[int, ...]) -> str:
    """The value of `h=`, folded: each name as often as it stands in the mail, and once more where none may be added."""
    names: list[str] = []
    for name, stands in zip(SIGNED, times, strict=True):
        once_more = name in OVERSIGNED or (name in UNSUBSCRIBE and stands > 0)
        names += [name.lower()] * (stands + once_more)
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _LINE - len("h=;"):
            lines.append("")
        lines[-1] += f"{name}:"
    return _FOLD.join(lines).removesuffix(":")


def _folded(signature: bytes) -> bytes:
    text = b2a_base64(signature, newline=False)
    return b"\r\n\t".join([text[at : at + _LINE] for at in range(0, len(text), _LINE)])


@dataclass(slots=True)
class _Kept:
    """A signer as it was loaded, what the files looked like then, and when they were last looked at."""

    signer: Signer | None
    seen: dkim_keys.Seen
    looked_at: float


_kept: dict[tuple[Path, str], _Kept] = {}  # one a domain of ours: a handful


def signer_for(domain: str, folder: Path | None = None) -> Signer | None:
    """Who signs for a domain now; None if no key does. A change of the files is seen within a second.

    BadKey if the key that should sign cannot be read.
    """
    folder, domain = folder or settings.current().dkim_folder, domain.lower()
    kept, now = _kept.get((folder, domain)), time.monotonic()
    if kept is not None and now - kept.looked_at < FRESH_SECONDS:
        return kept.signer
    seen = dkim_keys.look(folder, domain)
    if kept is None or kept.seen != seen:
        kept = _Kept(_load(folder, domain), seen, now)
        _kept[folder, domain] = kept
    kept.looked_at = now
    return kept.signer


def _load(folder: Path, domain: str) -> Signer | None:
    selector = dkim_keys.read(folder, domain).signs
    return Signer(domain, selector, dkim_keys.load(folder, domain, selector)) if selector else None
