"""A small real IMAP server (pymap) on loopback, and a person's mail program at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from tests.front.processes import free_port, wait_for

USER, PASSWORD = "privacy", "a p@ss/word"


@dataclass(frozen=True)
class ImapServer:
    """Where it listens, and what stands in its mailbox."""

    port: int
    scheme: str = "imap"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{USER}:a%20p%40ss%2Fword@127.0.0.1:{self.port}/INBOX"

    @contextmanager
    def signed_in(self) -> Iterator[IMAPClient]:
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(USER, PASSWORD)
        client.select_folder("INBOX")
        yield client
        client.logout()

    def put(self, *mails: bytes, at: datetime | None = None, is_read: bool = False) -> None:
        """Deliver mails as a mail server would."""
        with self.signed_in() as client:
            for raw in mails:
                client.append("INBOX", raw, flags=[b"\\Seen"] if is_read else [], msg_time=at)

    def count(self, criterion: str = "ALL") -> int:
        with self.signed_in() as client:
            return len(client.search([criterion]))


@contextmanager
def running(folder: Path, *options: str, scheme: str = "imap", port: int = 0) -> Iterator[ImapServer]:
    """The server in a process of its own, its mail in memory."""
    port = port or free_port()
    command = [
        str(Path(sys.executable).with_name("pymap")),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *(options or ("--no-tls",)),
    ]
    with (folder / "imap.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "dict", "--demo-user", USER, "--demo-password", PASSWORD], stdout=log, stderr=log
        )
        try:
            wait_for(lambda: _answers(port), "the IMAP server did not start")
            yield ImapServer(port, scheme)
        finally:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        IMAPClient("127.0.0.1", port, ssl=False, timeout=5).logout()
    except (OSError, IMAPClientError):
        return False
    return True
