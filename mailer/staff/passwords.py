"""Passwords: hashed with argon2id, checked in the same time for everybody, first ones easy to type."""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's smallest advised argon2id: some 20 ms, for the database waits while an attempt is judged
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"
GROUPS = 5


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; without a hash it takes as long to say no."""
    try:
        return _hasher.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_stale(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def make_readable() -> str:
    """A random first password of 63 bits that can be read out on the telephone, such as `bado-kuzi-…`."""
    return "-".join("".join(_syllable() for _ in range(2)) for _ in range(GROUPS))


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex())
