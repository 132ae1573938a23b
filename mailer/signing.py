"""Signed links and signed mail addresses: one salt a purpose, SHA-256, every key of the settings valid (STYLE §13).

What a token says is an id; the record is found by that id, never by the token's text (TRAPS 13).
Mail addresses get base 32, for local parts are lower-cased and cut at 64 octets on the way (TRAPS 14, DESIGN §9).
A mail carries up to six signatures, so what depends on a key alone is kept, by the text of the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_encode

from mailer import ids, settings
from mailer.errors import MailerError, NotFound

ADDRESS_MAC_LETTERS = 16  # 80 bits
KEY_ID_LETTERS = 4
_KEPT = 256  # purposes times valid keys, with room
_ADDRESS = re.compile(r"([a-z]+)\+([0-9a-hjkmnp-tv-z]{4})([0-9a-hjkmnp-tv-z]{13,26})([0-9a-hjkmnp-tv-z]{16})")


class BadToken(NotFound):
    """A token that we did not make, or not for this purpose; doors answer with one uniform page."""


class KeyGone(MailerError):
    """A message was signed by a key that the settings no longer hold."""


def newest_key_id() -> str:
    """The id of the key that signs now; rows keep it so that a mail renders the same after a rotation."""
    return _key_id(settings.current().keys[0])


def sign(purpose: str, what: str, key_id: str | None = None) -> str:
    """A URL-safe token that says `what`, valid for `purpose` only: what `_signer` signs, in half the time."""
    mac = _begun_token(purpose, _key(key_id or newest_key_id())).copy()
    mac.update(what.encode())
    return f"{what}.{base64_encode(mac.digest()).decode()}"


def read(purpose: str, token: str) -> str:
    """What a token made by `sign` says; BadToken on anything else."""
    for key in settings.current().keys:
        try:
            return _signer(purpose, key).unsign(token).decode()
        except (BadSignature, UnicodeError):
            continue
    raise BadToken("This link is not one of ours, or it was cut off. Open it again from the mail it came in.")


def address(word: str, payload: str, domain: str, key_id: str | None = None) -> str:
    """A mail address `word+<key id><payload><mac>@domain`; payload is base 32 of 13 to 26 letters."""
    key_id = key_id or newest_key_id()
    return f"{word}+{key_id}{payload}{_mac(word, payload, _key(key_id))}@{domain}"


def read_address(address: str, word: str) -> str | None:
    """The payload of an address that we made for `word`; None for any other."""
    found = _ADDRESS.fullmatch(address.rpartition("@")[0].lower())
    if found is None or found[1] != word:
        return None
    key_id, payload, mac = found[2], found[3], found[4]
    for key in settings.current().keys:
        if _key_id(key) == key_id and hmac.compare_digest(_mac(word, payload, key), mac):
            return payload
    return None


def keyed_digest(purpose: str, text: str, key_id: str | None = None) -> str:
    """A keyed SHA-256 of `text` as hex, for values that must be recognised but not read."""
    return _hmac(purpose, text, _key(key_id or newest_key_id())).hex()


def keyed_digests(purpose: str, text: str) -> list[str]:
    """`keyed_digest` under every valid key, newest first."""
    return [_hmac(purpose, text, key).hex() for key in settings.current().keys]


@lru_cache(maxsize=_KEPT)
def _signer(purpose: str, key: str) -> Signer:
    return Signer(key, salt=f"mailer/{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)


@lru_cache(maxsize=_KEPT)
def _begun_token(purpose: str, key: str) -> hmac.HMAC:
    """The HMAC of a signer's own key that has read nothing yet; use a copy."""
    return hmac.new(_signer(purpose, key).derive_key(), digestmod=hashlib.sha256)


def _hmac(purpose: str, text: str, key: str) -> bytes:
    begun = _begun(purpose, key).copy()
    begun.update(text.encode())
    return begun.digest()


@lru_cache(maxsize=_KEPT)
def _begun(purpose: str, key: str) -> hmac.HMAC:
    """An HMAC that has read the purpose and waits for the text; use a copy."""
    return hmac.new(key.encode(), f"mailer/{purpose}\0".encode(), "sha256")


def _mac(word: str, payload: str, key: str) -> str:
    return ids.encode(int.from_bytes(_hmac(f"address/{word}", payload, key)[:10]), ADDRESS_MAC_LETTERS)


@lru_cache(maxsize=_KEPT)
def _key_id(key: str) -> str:
    return ids.encode(
        int.from_bytes(hashlib.sha256(b"mailer/key-id\0" + key.encode()).digest()[:4]) >> 12, KEY_ID_LETTERS
    )


def _key(key_id: str) -> str:
    for key in settings.current().keys:
        if _key_id(key) == key_id:
            return key
    raise KeyGone(f"Key {key_id} is no longer in MAILER_SECRET_KEYS; put it back behind the newest one.")
