"""Addresses in header fields, read strictly where identity hangs on them and widely where only delivery does.

The standard library's address parser recurses on comments and takes `a@b)c@d` for one of the two (CVE-2023-27043);
nothing here recurses, and every expression is linear in its input.
"""

import re
from collections.abc import Iterable

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"
_SPEC = rf"(?:{_ATOM}|\.){{1,128}}@(?:[A-Za-z0-9_\-\u0080-\U0010ffff]|\.){{1,255}}"
_ANY = re.compile(rf"(?<!{_ATOM})(?<![.@]){_SPEC}")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PHRASE = rf'(?:{_QUOTED}|[^"<>()@,;:\\\[\]])*'
_NAMED = re.compile(rf"\s*({_PHRASE})<\s*({_SPEC})\s*>\s*", re.DOTALL)
_BARE = re.compile(rf"\s*({_SPEC})\s*(?:\([^()\\]*\)\s*)?")
_ID = re.compile(r"<[^<>\s]{1,900}>")


def find_all(values: Iterable[str]) -> tuple[str, ...]:
    """Every address named anywhere in these fields, in order, each once."""
    return tuple(dict.fromkeys(tidy(found) for value in values for found in _ANY.findall(value)))


def tidy(address: str) -> str:
    """The address with its domain in lower case and no dot at its end."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.rstrip('.').lower()}"


def read_from(fields: tuple[str, ...]) -> tuple[tuple[str, ...], str, str | None]:
    """(addresses, display name, fault) of all From fields; no fault means one plain mailbox in one field."""
    if not fields:
        return (), "", "there is no From field"
    if len(fields) == 1:
        if named := _NAMED.fullmatch(fields[0]):
            return (tidy(named[2]),), named[1].strip().strip('"'), None
        if bare := _BARE.fullmatch(fields[0]):
            return (tidy(bare[1]),), "", None
    found = find_all(fields)
    if len(fields) > 1:
        return found, "", f"there are {len(fields)} From fields"
    return found, "", "the From field does not read as one mailbox"


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Every message id in these fields, with its angle brackets, in order, each once."""
    return tuple(dict.fromkeys(found for value in values for found in _ID.findall(value)))
