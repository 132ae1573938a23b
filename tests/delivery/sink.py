"""The next server, played on loopback: it keeps every byte that DATA brought and answers as it is told."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Sink:
    """What came in, and what is answered: a reply by the first word of a command, `.` for the end of DATA.

    The reply `drop` closes the connection instead; a function is asked with the whole command line.
    """

    port: int = 0
    replies: dict[str, str | Callable[[str], str]] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        return [line[line.index("<") + 1 : line.index(">")] for line in self.commands if line.startswith("RCPT")]

    def reply(self, word: str, line: str, usual: str) -> str:
        told = self.replies.get(word, usual)
        return told(line) if callable(told) else told


class _Session(socketserver.StreamRequestHandler):
    timeout = 20
    sink: Sink

    def handle(self) -> None:
        sink = self.sink
        with sink.lock:
            sink.connections += 1
        if not self._say(sink.reply("connect", "", "220 sink.example ready")):
            return
        while raw := self.rfile.readline():
            line = raw.decode("latin-1").rstrip("\r\n")
            word = line.split(" ", 1)[0].upper()
            line = word + line[len(word) :]
            with sink.lock:
                sink.commands.append(line)
            if word == "QUIT":
                self._say("221 bye")
                return
            if word == "EHLO":
                lines = ["sink.example", *sink.extensions]
                self._say("\r\n".join(f"250{'-' if text != lines[-1] else ' '}{text}" for text in lines))
                continue
            reply = sink.reply(word, line, "354 go on" if word == "DATA" else "250 ok")
            goes_on = self._say(reply)
            if goes_on and word == "DATA" and reply.startswith("354"):
                goes_on = self._data()
            if not goes_on:
                return

    def _data(self) -> bool:
        data = b""
        while not data.endswith(b"\r\n.\r\n"):
            got = self.rfile.readline()
            if not got:
                return False
            data += got
        with self.sink.lock:
            self.sink.mails.append(data)
        return self._say(self.sink.reply(".", "", "250 kept"))

    def _say(self, reply: str) -> bool:
        if reply == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        self.wfile.write(f"{reply}\r\n".encode())
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no fault of the server."""


@contextmanager
def running(**told: str | Callable[[str], str]) -> Iterator[Sink]:
    """A sink for the length of the block: `running(RCPT="550 5.1.1 nobody")`."""
    sink = Sink(replies=dict(told))
    handler = type("Session", (_Session,), {"sink": sink})
    with _Server(("127.0.0.1", 0), handler) as server:
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join(5)
