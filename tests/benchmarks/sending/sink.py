"""A mail server of our own: quick, late on order, and it writes down what it took.

    python -m tests.benchmarks.sending.sink PORT [--delay SECONDS] [--record FILE]

Every round trip waits `--delay` seconds, as on a long line: what came in one piece is answered in one piece. A line
of the record is JSON: when it was taken, for whom, its size, the SHA-256 of the mail without DKIM-Signature, whether
it had one.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from typing import Any, TextIO

_END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection; it takes everything."""

    def __init__(self, delay: float, record: TextIO | None) -> None:
        self._delay = delay
        self._record = record
        self._waiting = bytearray()
        self._in_body = False
        self._to = ""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._say([b"220 sink ESMTP\r\n"])

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        answers: list[bytes] = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        if answers:
            self._say(answers)

    def _next(self) -> bytes | None:
        """The answer to the next complete thing that came; None if there is none."""
        end = self._waiting.find(_END if self._in_body else b"\r\n")
        if end < 0:
            return None
        heard = bytes(self._waiting[:end])
        del self._waiting[: end + (len(_END) if self._in_body else 2)]
        if self._in_body:
            self._in_body = False
            self._note(heard + b"\r\n")
            return b"250 taken\r\n"
        return self._answer(heard)

    def _answer(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO":
                return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
            case b"RCPT":
                self._to = line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace")
                return b"250 ok\r\n"
            case b"DATA":
                self._in_body = True
                return b"354 go on\r\n"
            case b"QUIT":
                return b"221 bye\r\n"
            case _:
                return b"250 ok\r\n"

    def _note(self, mail: bytes) -> None:
        if self._record is None:
            return
        at = time.time()
        plain = mail.replace(b"\r\n..", b"\r\n.")
        is_signed = plain.startswith(b"DKIM-Signature:")
        bare = _without_first_header(plain) if is_signed else plain
        digest = hashlib.sha256(bare).hexdigest()
        line = {"at": at, "to": self._to, "bytes": len(mail), "sha256": digest, "is_signed": is_signed}
        self._record.write(json.dumps(line) + "\n")
        self._record.flush()

    def _say(self, answers: list[bytes]) -> None:
        said = b"".join(answers)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, said)
        else:
            self._write(said)

    def _write(self, said: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(said)
        if said.endswith(b"221 bye\r\n"):
            self._transport.close()


def _without_first_header(mail: bytes) -> bytes:
    at = mail.find(b"\r\n") + 2
    while mail[at : at + 1] in (b" ", b"\t"):
        at = mail.find(b"\r\n", at) + 2
    return mail[at:]


async def serve(port: int, delay: float, record: TextIO | None) -> None:
    """Take mail until this process is ended."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Sink(delay, record), "127.0.0.1", port, backlog=1000, reuse_address=True
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--record")
    given = parser.parse_args()
    record = open(given.record, "a", encoding="utf-8") if given.record else None  # noqa: SIM115 - as long as we live
    asyncio.run(serve(given.port, given.delay, record))


if __name__ == "__main__":
    main()
