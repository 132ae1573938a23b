"""One connection to an IMAP mailbox (RFC 3501, IDLE by RFC 2177). It reads and marks as read; it never deletes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import monotonic
from time import sleep as _sleep
from urllib.parse import unquote, urlsplit

from imapclient import SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError

CONNECT_SECONDS, READ_SECONDS = 20.0, 60.0
AT_ONCE = 200  # mails asked about in one command
LOOK_SECONDS = 1.0  # how long it listens before it asks whether to go on
FAULTS = (IMAPClientError, OSError, ssl.SSLError, EOFError, ValueError)
_PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}


@dataclass(frozen=True)
class Place:
    """Where a mailbox is; `name` says it without the password."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str

    @property
    def name(self) -> str:
        return f"imap {self.user}@{self.host}/{self.folder}"[:300]


@dataclass(frozen=True)
class Fetched:
    """One mail as the server keeps it; `raw` is None if it is gone, and cut if the mail was larger than asked for."""

    uid: int
    raw: bytes | None
    arrived_at: datetime | None


def place(url: str) -> Place:
    """Read `imaps://user:password@host:port/FOLDER`; the settings have looked at it before."""
    parts = urlsplit(url)
    return Place(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


@contextmanager
def opened(where: Place, *, readonly: bool = False) -> Iterator[Mailbox]:
    """Connect, sign in and open the folder; one of `FAULTS` if that cannot be done."""
    timeout = SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    is_tls = where.scheme == "imaps"
    context = ssl.create_default_context() if where.scheme != "imap" else None
    client = IMAPClient(where.host, where.port, ssl=is_tls, ssl_context=context if is_tls else None, timeout=timeout)
    try:
        if where.scheme == "imap+starttls":
            client.starttls(context)
        client.normalise_times = False  # instants keep their zone
        client.login(where.user, where.password)
        yield Mailbox(client, client.select_folder(where.folder, readonly=readonly))
    finally:
        _close(client)


class Mailbox:
    """A folder that is open; UIDs count only together with `uid_validity`."""

    def __init__(self, client: IMAPClient, told: dict[bytes, object]) -> None:
        self._client = client
        self.uid_validity = _number(told, b"UIDVALIDITY")
        self.uid_next = _number(told, b"UIDNEXT")

    def after(self, uid: int) -> list[int]:
        """Every UID above `uid`, lowest first."""
        # “n:*” names the last mail also where its number is below n
        return sorted(found for found in self._client.search(["UID", f"{uid + 1}:*"]) if found > uid)

    def unread(self, up_to: int | None = None) -> list[int]:
        """Every UID, up to one if it is given, that is not marked as read, lowest first."""
        if up_to == 0:
            return []
        return sorted(self._client.search(["UNSEEN"] if up_to is None else ["UID", f"1:{up_to}", "UNSEEN"]))

    def unread_or_since(self, day: date) -> list[int]:
        """Every UID that is not marked as read, or that came on or after a day of the server's, lowest first."""
        return sorted(self._client.search(["OR", "UNSEEN", "SINCE", day]))

    def fetch(self, uid: int, most: int) -> Fetched:
        """One mail, of one that is larger its first `most` bytes; it is not marked as read by that.

        One of `FAULTS` if the server has the mail and does not give it.
        """
        told = self._client.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]).get(uid)
        if told is None:
            return self._gone(uid)
        is_large = int(told.get(b"RFC822.SIZE", 0)) > most
        answer = self._client.fetch([uid], [f"BODY.PEEK[]<0.{most}>" if is_large else "BODY.PEEK[]"]).get(uid, {})
        raw = next((value for key, value in answer.items() if key.startswith(b"BODY[]")), None)
        return self._gone(uid) if raw is None else Fetched(uid, raw, _instant(told.get(b"INTERNALDATE")))

    def _gone(self, uid: int) -> Fetched:
        """Only what is not in the folder any more is passed over: a mail that is kept back is not gone."""
        if self._client.search(["UID", str(uid)]):
            raise IMAPClientError("the server has a mail that it does not give")
        return Fetched(uid, None, None)

    def mark_read(self, uids: Sequence[int]) -> None:
        """Set the flag that mail programs show as “read”."""
        for begin in range(0, len(uids), AT_ONCE):
            self._client.add_flags(uids[begin : begin + AT_ONCE], [SEEN], silent=True)

    def wait(self, seconds: float, goes_on: Callable[[], bool]) -> None:
        """Return when mail may have come, after `seconds`, or when `goes_on` says no."""
        end = monotonic() + seconds
        if not self._client.has_capability("IDLE"):
            while goes_on() and (left := end - monotonic()) > 0:
                _sleep(min(left, LOOK_SECONDS))
            self._client.noop()
            return
        self._client.idle()
        try:
            while goes_on() and (left := end - monotonic()) > 0:
                if any(b"EXISTS" in line for line in self._client.idle_check(timeout=min(left, LOOK_SECONDS))):
                    break
        finally:
            self._client.idle_done()


def _close(client: IMAPClient) -> None:
    """Say good-bye; a server that is gone cannot hear it, and the connection ends all the same."""
    try:
        client.logout()
    except FAULTS:
        with suppress(*FAULTS):
            client.shutdown()


def _number(told: dict[bytes, object], name: bytes) -> int:
    value = told.get(name)
    if isinstance(value, list):
        value = value[0]
    if not isinstance(value, int):
        raise IMAPClientError(f"the server did not tell {name.decode()}")
    return value


def _instant(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
