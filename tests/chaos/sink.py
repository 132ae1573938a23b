"""The next server, played: it takes mail fast, records every one it accepts, and misbehaves on order.

As a process of its own, which nobody kills while the product is being killed:

    python -m tests.chaos.sink --port 2525 --record mails.jsonl --rules rules.json

or `with process(path) as sink`, or in a thread of a test: `with running(Rule(Moment.DOT, Deed.DROP), record=path)`.
Both give a `Control`, by which the rules change while mail flows. `Record.load(path)` reads what was accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self, cast

_MESSAGE_ID = re.compile(rb"^Message-ID:[ \t]*(?:\r\n[ \t]+)?(\S+)", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(rb"DKIM-Signature:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", re.IGNORECASE)
_PATH = re.compile(r"<([^>]*)>")
A_MOMENT = 0.005


class Moment(StrEnum):
    """When a rule is asked: at a connection, a command, or the final dot of a mail."""

    CONNECT = "connect"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "."


class Deed(StrEnum):
    """What is done instead of the usual reply."""

    SAY = "say"  # `text`; a 421 is followed by closing
    DROP = "drop"  # close without a word
    HALF = "half"  # write half of `text`, or of the usual reply, and close
    DRIP = "drip"  # write it byte by byte over `seconds`
    SILENCE = "silence"  # never answer, and keep the connection
    THEN_CLOSE = "then_close"  # say it, and close: a server that takes one mail a connection
    THEN_HOOK = "then_hook"  # say it, call the hook named `hook`, and only then read on
    GREYLIST = "greylist"  # say `text` to a pair of sender and recipient until `seconds` after its first try


@dataclass(frozen=True)
class Rule:
    """One order. The first rule that applies is followed; the others do not count the occasion."""

    at: Moment
    deed: Deed = Deed.SAY
    text: str = ""  # the reply, without line end; empty: the usual one
    seconds: float = 0.0
    hook: str = ""
    to: str = "*"  # a pattern of the recipient (at RCPT, DATA, DOT)
    first: int = 1  # the first occasion that counts, of those that match
    times: int = 0  # so many times and no more; 0: always
    chance: float = 1.0  # drawn with the seed of the sink


@dataclass(frozen=True)
class Row:
    """One whole mail that came: times are seconds of `time.time()`."""

    number: int
    connection: int
    outcome: str  # `accepted`: the 250 to its final dot was written; `refused`: 4xx or 5xx; `lost`: no whole answer
    mail_at: float  # the command MAIL was read
    body_at: float  # the final dot was read
    answered_at: float
    envelope_from: str
    envelope_to: str
    message_id: str
    sha256: str  # of the mail without dot-stuffing and without a DKIM-Signature in front
    size: int


@dataclass(frozen=True)
class Record:
    """What came in, in the order of the answers."""

    rows: tuple[Row, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record; a last line that is being written is left out."""
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return cls(tuple(Row(**json.loads(line)) for line in lines))

    @property
    def accepted(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.outcome == "accepted")

    def copies(self) -> dict[str, list[Row]]:
        """The accepted ones by Message-ID."""
        found: dict[str, list[Row]] = {}
        for row in self.accepted:
            found.setdefault(row.message_id, []).append(row)
        return found


@dataclass
class _Occasions:
    """How often each rule matched, and the dice."""

    rules: tuple[Rule, ...]
    dice: random.Random
    seen: dict[int, int] = field(default_factory=dict)
    met: dict[tuple[str, str], float] = field(default_factory=dict)  # greylisting: first try of a pair

    def rule_at(self, at: Moment, sender: str, recipient: str) -> Rule | None:
        for index, rule in enumerate(self.rules):
            if rule.at is not at or not fnmatchcase(recipient, rule.to):
                continue
            count = self.seen[index] = self.seen.get(index, 0) + 1
            if count < rule.first or (rule.times and count >= rule.first + rule.times):
                continue
            if rule.chance < 1 and self.dice.random() >= rule.chance:
                continue
            if rule.deed is Deed.GREYLIST and self._is_known(rule, sender, recipient):
                continue
            return rule
        return None

    def _is_known(self, rule: Rule, sender: str, recipient: str) -> bool:
        at = time.monotonic()
        first = self.met.setdefault((sender, recipient), at)
        return first != at and at - first >= rule.seconds


class Sink:
    """The server. It lives in one event loop; all but its `control` belongs to that loop."""

    def __init__(
        self,
        record: Path,
        *,
        rules: Sequence[Rule] = (),
        delay: float = 0.0,
        pipelining: bool = True,
        tls: ssl.SSLContext | None = None,
        is_implicit: bool = False,
        seed: int = 0,
        hooks: dict[str, Callable[[], None]] | None = None,
    ) -> None:
        self.delay = delay  # seconds from what was read in one piece to the replies to it: a round trip
        self.pipelining = pipelining
        self.tls = tls
        self.hooks = hooks or {}
        self.occasions = _Occasions(tuple(rules), random.Random(seed))
        self.connections = 0
        self.commands = 0
        self.accepted = 0
        self.rows = 0
        self.port = 0
        self._is_implicit = is_implicit
        self._seed = seed
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self.late = 0.0
        self.open: set[_Session] = set()

    async def listen(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        secret = self.tls if self._is_implicit else None
        self._server = await loop.create_server(lambda: _Session(self), "127.0.0.1", port, ssl=secret, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        if self._watch is None:
            self._watch = loop.create_task(self._watch_itself())

    async def _watch_itself(self) -> None:
        """How late it read at most what had come: the machine may have other things to do."""
        while True:
            at = time.monotonic()
            await asyncio.sleep(A_MOMENT)
            self.late = max(self.late, time.monotonic() - at - A_MOMENT)

    async def deaf(self, seconds: float) -> None:
        """Refuse connections for a while, and end those that are."""
        assert self._server is not None
        self._server.close()
        for session in list(self.open):
            session.end()
        await asyncio.sleep(seconds)
        await self.listen(self.port)

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()
        for session in list(self.open):
            session.end()
        until = time.monotonic() + 0.5
        while self.open and time.monotonic() < until:
            await asyncio.sleep(0.005)
        os.close(self._record)

    def keep(self, row: Row) -> None:
        """Append a row, at once with the operating system."""
        self.rows += 1
        self.accepted += row.outcome == "accepted"
        os.write(self._record, json.dumps(vars(replace(row, number=self.rows))).encode() + b"\n")

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order of a `Control`."""
        match order:
            case {"rules": rules}:
                self.occasions = _Occasions(tuple(_read_rule(rule) for rule in rules), random.Random(self._seed))
            case {"deaf": seconds}:
                self._background = asyncio.get_running_loop().create_task(self.deaf(seconds))
                await asyncio.sleep(0)
            case {"delay": seconds}:
                self.delay = seconds
            case {"drop_all": True}:
                for session in list(self.open):
                    session.end()
        return {
            "port": self.port,
            "accepted": self.accepted,
            "rows": self.rows,
            "connections": self.connections,
            "open": len(self.open),
            "commands": self.commands,
            "late_ms": round(self.late * 1000),
        }


class _Session(asyncio.Protocol):
    """One connection. Replies to what was read in one piece leave in one piece."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._rest = b""
        self._replies: list[bytes] = []
        self._answered: list[Row] = []  # their replies are among `_replies`
        self._is_data = self._is_stopped = False
        self._is_secret = False
        self._waits = False  # what was read is not looked at yet
        self._sender, self._recipient, self._mail_at = "", "", 0.0
        self._has_sender = False

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sink.open.add(self)
        self._sink.connections += 1
        self._number = self._sink.connections
        self._answer(Moment.CONNECT, "220 sink.example ESMTP")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_stopped = True
        self._sink.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._is_stopped:
            return
        self._rest += data
        while self._rest and not self._is_stopped and not self._waits and self._one():
            pass
        self._flush()

    # reading

    def _one(self) -> bool:
        """Take one command or one body; False if it is not whole."""
        return self._body() if self._is_data else self._command()

    def _command(self) -> bool:
        line, end, rest = self._rest.partition(b"\r\n")
        if not end:
            return False
        self._rest = rest
        self._sink.commands += 1
        words = line.decode("latin-1")
        match words[:4].upper():
            case "MAIL" if self._has_sender:
                self._replies.append(b"503 5.5.1 nested MAIL\r\n")
            case "MAIL":
                self._mail_at = time.time()
                self._sender, self._recipient = _path(words), ""
                self._has_sender = self._answer(Moment.MAIL, "250 2.1.0 Ok").startswith("2")
            case "RCPT" if not self._has_sender:
                self._replies.append(b"503 5.5.1 MAIL first\r\n")
            case "RCPT":
                self._recipient = _path(words)
                if not self._answer(Moment.RCPT, "250 2.1.5 Ok").startswith("2"):
                    self._recipient = ""
            case "DATA":
                usual = "354 End data with <CR><LF>.<CR><LF>" if self._recipient else "554 5.5.1 no valid recipients"
                self._is_data = self._answer(Moment.DATA, usual).startswith("354")
            case "EHLO" | "HELO":
                self._answer(Moment.EHLO, "\r\n".join(self._greeting()))
            case "STAR":
                return self._starttls()
            case "AUTH":
                self._answer(Moment.AUTH, "235 2.7.0 Ok")
            case "NOOP":
                self._replies.append(b"250 2.0.0 Ok\r\n")
            case "RSET":
                self._forget_mail()
                self._replies.append(b"250 2.0.0 Ok\r\n")
            case "QUIT":
                self._replies.append(b"221 2.0.0 Bye\r\n")
                self._stop()
            case _:
                self._replies.append(b"500 5.5.2 what?\r\n")
        return True

    def _body(self) -> bool:
        if self._rest.startswith(b".\r\n"):
            block, end = b"", 3
        else:
            found = self._rest.find(b"\r\n.\r\n")
            if found < 0:
                return False
            block, end = self._rest[: found + 2], found + 5
        self._rest = self._rest[end:]
        self._is_data = False
        usual = "250 2.0.0 Ok: kept" if self._recipient else "554 5.5.1 no valid recipients"
        self._answer(Moment.DOT, usual, self._row(block))
        self._forget_mail()
        return True

    def _forget_mail(self) -> None:
        self._sender, self._recipient, self._has_sender = "", "", False

    def _row(self, block: bytes) -> Row:
        data = block.replace(b"\r\n.", b"\r\n")
        if data.startswith(b"."):
            data = data[1:]
        signature = _SIGNATURE.match(data)
        digest = hashlib.sha256(memoryview(data)[signature.end() :] if signature else data).hexdigest()
        named = _MESSAGE_ID.search(data)
        at = time.time()
        return Row(
            0,
            self._number,
            "",
            self._mail_at,
            at,
            at,
            self._sender,
            self._recipient,
            named[1].decode("latin-1") if named else "",
            digest,
            len(data),
        )

    def _greeting(self) -> list[str]:
        offers = ["sink.example", "SIZE 20000000", "8BITMIME"]
        offers += ["PIPELINING"] if self._sink.pipelining else []
        offers += ["STARTTLS"] if self._sink.tls and not self._is_secret and not self._is_on_tls() else []
        offers += ["AUTH PLAIN"] if self._is_secret or self._is_on_tls() else []
        return [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]

    # answering

    def _answer(self, at: Moment, usual: str, row: Row | None = None) -> str:
        """Reply as the rules say, else as usual; the reply, or nothing if the connection ends here."""
        rule = self._sink.occasions.rule_at(at, self._sender, self._recipient)
        text = (rule and rule.text) or usual
        whole = f"{text}\r\n".encode("latin-1")
        deed = rule.deed if rule else Deed.SAY
        match deed:
            case Deed.DROP:
                self._lose(row)
                self._stop()
            case Deed.SILENCE:
                self._lose(row)
                self._is_stopped = True
            case Deed.HALF:
                self._replies.append(whole[: len(whole) // 2])
                self._lose(row)
                self._stop()
            case Deed.DRIP if rule:
                self._drip(whole, rule.seconds, row)
            case _:
                self._replies.append(whole)
                if row is not None:
                    self._answered.append(replace(row, outcome="accepted" if text[0] == "2" else "refused"))
        if deed is Deed.THEN_HOOK and rule:
            self._flush()
            self._sink.hooks[rule.hook]()
        if deed is Deed.THEN_CLOSE or (deed is Deed.SAY and text.startswith("421")):
            self._stop()
        return "" if self._is_stopped else text

    def _lose(self, row: Row | None) -> None:
        if row is not None:
            self._sink.keep(replace(row, outcome="lost"))

    def _flush(self) -> None:
        if not self._replies:
            return
        replies, answered = b"".join(self._replies), self._answered
        self._replies, self._answered = [], []
        if self._sink.delay:
            asyncio.get_running_loop().call_later(self._sink.delay, self._write, replies, answered)
        else:
            self._write(replies, answered)

    def _write(self, replies: bytes, answered: Sequence[Row]) -> None:
        transport = self._transport
        assert transport is not None
        is_gone = transport.is_closing()
        if not is_gone:
            transport.write(replies)
        at = time.time()
        for row in answered:
            self._sink.keep(replace(row, answered_at=at, outcome="lost" if is_gone else row.outcome))

    def _drip(self, whole: bytes, seconds: float, row: Row | None) -> None:
        """Byte by byte; what came with it or comes meanwhile waits."""
        self._flush()
        loop = asyncio.get_running_loop()
        transport = self._transport
        assert transport is not None
        transport.pause_reading()
        self._waits = True
        for index in range(len(whole) - 1):
            loop.call_later(seconds * index / len(whole), self._write, whole[index : index + 1], ())
        outcome = "accepted" if whole[:1] == b"2" else "refused"
        rows = [replace(row, outcome=outcome)] if row is not None else []

        def finish() -> None:
            self._write(whole[-1:], rows)
            self._waits = False
            if not transport.is_closing():
                transport.resume_reading()
                self.data_received(b"")

        loop.call_later(seconds, finish)

    def _stop(self) -> None:
        """Close once everything is written."""
        self._is_stopped = True
        self._flush()
        assert self._transport is not None
        asyncio.get_running_loop().call_later(self._sink.delay, self._transport.close)

    def end(self) -> None:
        """Cut it, unread input and all."""
        if self._transport is not None:
            self._transport.abort()

    # TLS

    def _is_on_tls(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is not None

    def _starttls(self) -> bool:
        if self._sink.tls is None:
            self._replies.append(b"502 5.5.1 no TLS here\r\n")
            return True
        rule = self._sink.occasions.rule_at(Moment.STARTTLS, "", "")
        if rule is None:
            self._replies.append(b"220 2.0.0 go on\r\n")
            self._flush()
            self._task = asyncio.get_running_loop().create_task(self._secure())
            return False
        self._replies.append(f"{rule.text or '220 go on'}\r\n".encode("latin-1"))
        if rule.deed is not Deed.SAY:  # advertised, agreed to, and then no handshake
            self._replies.append(b"this is no TLS\r\n" * 8)
            self._stop()
        return True

    async def _secure(self) -> None:
        loop, transport = asyncio.get_running_loop(), self._transport
        assert transport is not None
        assert self._sink.tls is not None
        self._is_secret, self._rest, self._waits = True, b"", True  # the first words may come before we resume here
        with contextlib.suppress(OSError):
            secret = await loop.start_tls(transport, self, self._sink.tls, server_side=True)
            if secret is not None:
                self._transport, self._waits = secret, False
                self.data_received(b"")


class Control:
    """Gives orders to a sink, from any thread or process."""

    def __init__(self, host_port: tuple[str, int], control: tuple[str, int], record: Path) -> None:
        self.host, self.port = host_port
        self.record = record
        self._control = control

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    def rules(self, *rules: Rule) -> None:
        """These instead of those before; counts begin anew."""
        self._order(rules=[asdict(rule) for rule in rules])

    def deaf(self, seconds: float) -> None:
        """Refuse connections for so long, from now, and cut those that stand."""
        self._order(deaf=seconds)

    def delay(self, seconds: float) -> None:
        """Wait so long with the replies to what came in one piece."""
        self._order(delay=seconds)

    def drop_all(self) -> None:
        """Cut every connection."""
        self._order(drop_all=True)

    def counts(self) -> dict[str, int]:
        """`accepted`, `rows`, `connections`, `open`, `commands`, `late_ms`."""
        return self._order()

    def rows(self) -> tuple[Row, ...]:
        return Record.load(self.record).rows

    def _order(self, **order: Any) -> dict[str, int]:
        with socket.create_connection(self._control, timeout=10) as link, link.makefile("rwb") as lines:
            lines.write(json.dumps(order).encode() + b"\n")
            lines.flush()
            answer: dict[str, int] = json.loads(lines.readline())
            return answer


async def _control_server(sink: Sink) -> tuple[asyncio.Server, int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # at the end; `asyncio` would log it
            while line := await reader.readline():
                writer.write(json.dumps(await sink.obey(json.loads(line))).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@contextlib.contextmanager
def running(
    *rules: Rule,
    record: Path,
    delay: float = 0.0,
    pipelining: bool = True,
    tls: ssl.SSLContext | None = None,
    is_implicit: bool = False,
    seed: int = 0,
    hooks: dict[str, Callable[[], None]] | None = None,
) -> Iterator[Control]:
    """A sink in a thread, for the length of the block."""
    loop = asyncio.new_event_loop()
    sink = Sink(
        record,
        rules=rules,
        delay=delay,
        pipelining=pipelining,
        tls=tls,
        is_implicit=is_implicit,
        seed=seed,
        hooks=hooks,
    )
    loop.run_until_complete(sink.listen())
    server, port = loop.run_until_complete(_control_server(sink))
    thread = threading.Thread(target=loop.run_forever, name="sink")
    thread.start()
    try:
        yield Control(("127.0.0.1", sink.port), ("127.0.0.1", port), record)
    finally:
        asyncio.run_coroutine_threadsafe(_end(sink, server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end(sink: Sink, server: asyncio.Server) -> None:
    server.close()
    await sink.close()
    rest = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextlib.contextmanager
def process(record: Path, *rules: Rule, options: Sequence[str] = ()) -> Iterator[Control]:
    """A sink in a process of its own, for the length of the block; `options` as on the command line."""
    orders = record.with_suffix(".rules.json")
    orders.write_text(json.dumps([asdict(rule) for rule in rules]))
    command = [sys.executable, "-m", "tests.chaos.sink", "--record", str(record), "--rules", str(orders), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        try:
            assert child.stdout is not None
            port, control = (int(word) for word in child.stdout.readline().split())
            yield Control(("127.0.0.1", port), ("127.0.0.1", control), record)
        finally:
            child.terminate()


def server_tls(certificate: Path) -> ssl.SSLContext:
    """What a server shows: certificate and key in one PEM file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _path(words: str) -> str:
    found = _PATH.search(words)
    return found[1] if found else ""


def _read_rule(written: dict[str, Any]) -> Rule:
    return Rule(**{**written, "at": Moment(written["at"]), "deed": Deed(written.get("deed", Deed.SAY))})


def _shell(command: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(command, shell=True, check=False)

    return run


async def _serve(chosen: argparse.Namespace) -> None:
    sink = Sink(
        chosen.record,
        rules=[_read_rule(rule) for rule in json.loads(chosen.rules.read_text())] if chosen.rules else (),
        delay=chosen.delay,
        pipelining=not chosen.no_pipelining,
        tls=server_tls(chosen.certificate) if chosen.certificate else None,
        is_implicit=chosen.implicit_tls,
        seed=chosen.seed,
        hooks={name: _shell(command) for name, _, command in (hook.partition("=") for hook in chosen.hook)},
    )
    await sink.listen(chosen.port)
    _server, port = await _control_server(sink)
    print(sink.port, port, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until terminated; the first line of output holds the port and the port of control."""
    reader = argparse.ArgumentParser(prog="python -m tests.chaos.sink", description=__doc__)
    reader.add_argument("--port", type=int, default=0, help="0: any that is free")
    reader.add_argument("--record", type=Path, required=True, help="file to append a JSON line a mail to")
    reader.add_argument("--rules", type=Path, help="file with a JSON list of rules")
    reader.add_argument("--delay", type=float, default=0.0, help="seconds a round trip")
    reader.add_argument("--no-pipelining", action="store_true")
    reader.add_argument("--certificate", type=Path, help="PEM with certificate and key: offers STARTTLS")
    reader.add_argument("--implicit-tls", action="store_true", help="TLS from the first byte instead")
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--hook", action="append", default=[], metavar="NAME=COMMAND", help="for THEN_HOOK")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(reader.parse_args()))


if __name__ == "__main__":
    main()
