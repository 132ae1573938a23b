"""Whether our own mail server proved a sender's domain, from the Authentication-Results it wrote (RFC 8601)."""

from collections.abc import Collection, Sequence

import authres

LONGEST = 8_000  # letters of one header; its parser takes seconds over a very long one

_FEATURES = authres.all_features()


def domain_proven(results: Sequence[str], our_authserv_ids: Collection[str], domain: str) -> bool:
    """Whether the topmost of these header values that is ours says dmarc=pass, or an aligned dkim or spf pass.

    Anybody can send such a header: those of other servers, and all below the topmost of our own, count for nothing.
    """
    ours = {name.casefold() for name in our_authserv_ids}
    for value in results:
        if _authserv_id(value) in ours:
            return _passes(value, domain.casefold())
    return False


def _authserv_id(value: str) -> str:
    return value.partition(";")[0].strip().partition(" ")[0].strip('"').casefold()


def _passes(value: str, domain: str) -> bool:
    if len(value) > LONGEST:
        return False
    try:
        # Its parser takes no quoted name, and whose name it is has been read already.
        found = _FEATURES.parse(f"Authentication-Results: ours;{value.partition(';')[2]}").results
    except (authres.AuthResError, ValueError, IndexError, AttributeError, RecursionError):
        return False
    judged = [row for row in found if not isinstance(row, authres.NoneAuthenticationResult)]
    rows = [(str(row.method).lower(), str(row.result).lower(), _properties(row)) for row in judged]
    dmarc = [(result, names) for method, result, names in rows if method == "dmarc"]
    if dmarc:
        return any(result == "pass" and names.get("header.from", domain) == domain for result, names in dmarc)
    return any(result == "pass" and _covers(_vouched(method, names), domain) for method, result, names in rows)


def _properties(row: authres.AuthenticationResult) -> dict[str, str]:
    return {f"{item.type}.{item.name}".lower(): str(item.value).casefold() for item in row.properties}


def _vouched(method: str, names: dict[str, str]) -> str:
    """The domain that a passed dkim or spf speaks for, empty for any other method."""
    if method == "dkim":
        return names.get("header.d") or names.get("header.i", "").rpartition("@")[2]
    if method == "spf":
        return names.get("smtp.mailfrom", "").rpartition("@")[2]
    return ""


def _covers(vouched: str, domain: str) -> bool:
    return "." in vouched and (domain == vouched or domain.endswith("." + vouched))
