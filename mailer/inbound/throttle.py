"""How much one client may bring to the door at a time. Who is told “later” brings it again: nothing is lost by it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

MOST_CLIENTS = 10_000  # remembered at once; the one that was away longest is forgotten first
MOST_CONNECTIONS = 200  # of all clients together
KEPT_FOR_RELAYS = 50  # of them: strangers together must not keep our own servers out


@dataclass
class _Client:
    connections: int
    tokens: float
    at: float


class Throttle:
    """Counts connections and mails by client; our own relays are not held up by mails, for they bring everybody's.

    Instants are seconds of any clock that only goes forward, handed in. An IPv6 client is its /64.
    """

    def __init__(self, per_minute: int, connections: int, relays: Iterable[str]) -> None:
        self._per_minute, self._connections = per_minute, connections
        self._relays = [ip_network(relay) for relay in relays]
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self.open = 0

    def is_relay(self, peer: str) -> bool:
        """Whether a client is one of our own mail servers."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in self._relays)

    def enter(self, peer: str, now: float) -> bool:
        """Whether a client may open one more connection; if so, `leave` must follow."""
        client = self._client(peer, now)
        is_relay = self.is_relay(peer)
        if self.open >= MOST_CONNECTIONS - (0 if is_relay else KEPT_FOR_RELAYS):
            return False
        if client.connections >= self._connections and not is_relay:
            return False
        client.connections += 1
        self.open += 1
        return True

    def leave(self, peer: str, now: float) -> None:
        """A connection that `enter` let in has ended."""
        client = self._client(peer, now)
        client.connections = max(client.connections - 1, 0)
        self.open -= 1

    def may_mail(self, peer: str, now: float) -> bool:
        """Whether a client may bring one more mail now."""
        if self.is_relay(peer):
            return True
        client = self._client(peer, now)
        earned = (now - client.at) * self._per_minute / 60
        client.tokens, client.at = min(client.tokens + earned, self._per_minute), now
        if client.tokens < 1:
            return False
        client.tokens -= 1
        return True

    def _client(self, peer: str, now: float) -> _Client:
        key = _key(peer)
        client = self._clients.pop(key, None) or _Client(0, self._per_minute, now)
        self._clients[key] = client
        if len(self._clients) > MOST_CLIENTS:
            # whoever is still here must not begin anew; at most `MOST_CONNECTIONS` are
            away = next((key for key, one in self._clients.items() if not one.connections and one is not client), None)
            if away is not None:
                del self._clients[away]
        return client


def _key(peer: str) -> str:
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
