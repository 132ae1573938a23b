"""The pump: one thread keeps every SMTP connection of a worker busy (DESIGN §8, RFC 5321, RFC 2920).

Where the server offers PIPELINING, MAIL, RCPT and DATA of a mail go out in one write, and with the body of one mail
goes the envelope of the next: RFC 2920 §3.1 lets a message's text be the first of a group. So a mail costs one round
trip, one write and one read. Elsewhere each command waits for its reply. Nothing here retries what a server answered.
"""

from __future__ import annotations

import contextlib
import selectors
import smtplib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

from mailer.delivery import transport
from mailer.delivery.routes import Route
from mailer.delivery.transport import CLOSING, GO_AHEAD, NO_CODE, BadPath, BareLineEnd, NoReply, Replies, Reply
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

TRIES = 3  # connections that may break under one mail before its body; then it waits like any deferred one
KEEP = 30.0  # seconds a connection without work is kept
FAREWELL = 1.0  # seconds for the answer to QUIT, which is a courtesy
PAUSE = 1.0  # seconds without a new connection after one failed
CROWDED = 10.0  # the same, while others to the server work: it wants no more of them
CAUTIOUS = 300.0  # seconds in which nothing is written ahead to a server that closed between two mails
AT_ONCE = 16  # connections of a route being opened at the same time
ROUNDS = 4  # of listening in one turn, while it is worth it
SOON = 0.002  # seconds in which more has to be heard for that
READ = 65_536
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_TOO_LONG = "the server took too long"


class Job(NamedTuple):
    """One mail to be handed over: finished bytes, not yet dot-stuffed. `ticket` is the caller's own.

    `signature` is a header that goes before them (RFC 6376 §3.5), or nothing. `is_clean` says that no bare line end
    and no leading dot can be in them, for they were composed of parts that are proven to have none
    (`delivery.compiled`); all others are looked through.
    """

    ticket: Any
    data: bytes
    envelope_from: str
    envelope_to: str
    is_clean: bool = False
    signature: bytes = b""


class Feed(Protocol):
    """Whoever has the mails. Every job that `next` gave comes back once, by `answered` or `given_back`."""

    def next(self, route: Route) -> Job | None:
        """The mail to begin now on this route, or None: nothing may begin. It may be one round trip ahead."""

    def may_begin(self, job: Job) -> bool:
        """The last look, right before the first byte of the body. A no costs the connection: DATA has no way back."""

    def answered(self, job: Job, answer: Answer) -> None:
        """The server's final word to this mail; in doubt if its whole body went out and no word came."""

    def given_back(self, job: Job) -> None:
        """No byte of its body was written: `may_begin` said no, the route is unreachable, or the pump stops."""

    def unreachable(self, route: Route, words: str) -> None:
        """No connection to the route could be made, or its server does not take us as a sender."""

    def reachable(self, route: Route) -> None:
        """A connection to the route stands."""


class _Stage(StrEnum):
    """Whose reply a connection waits for."""

    IDLE = "nothing"
    RESET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "the whole mail"
    EMPTY = "a lone dot"
    QUIT = "QUIT"


_ENVELOPE = (_Stage.MAIL, _Stage.RCPT, _Stage.DATA)


@dataclass(slots=True)
class _Transaction:
    """A job on its way."""

    job: Job
    body: bytes
    end: bytes  # what of the body's end is not in it
    envelope: bytes
    lost: int = 0  # connections that broke under it
    failed: Answer | None = None  # the first command that the server did not take
    has_recipient: bool = False

    def command(self, stage: _Stage) -> bytes:
        """One of the commands of the envelope, for a server that wants them one by one."""
        return self.envelope.splitlines(keepends=True)[_ENVELOPE.index(stage)]


class _Opening(threading.Thread):
    """A connection in the making. `smtplib` blocks, so each has a thread, of which nobody waits for the end."""

    def __init__(self, road: _Road, timeout: float, done: Callable[[_Opening], None]) -> None:
        super().__init__(name=f"smtp {road.route.name}", daemon=True)
        self.road = road
        self.until = time.monotonic() + timeout
        self.smtp: smtplib.SMTP | None = None
        self.error = ""
        self.is_given_up = False
        self._timeout = timeout
        self._done = done

    def run(self) -> None:
        try:
            self.smtp = transport.unconnected(self.road.route, self._timeout)
            transport.introduce(self.smtp, self.road.route, self._timeout)
        except (*transport.LOST, ValueError) as error:  # ValueError: a host name that cannot be one
            self.error = str(error) or type(error).__name__
            self.close()
        self._done(self)
        if self.is_given_up:  # nobody may be there any more to take it
            self.close()

    def give_up(self) -> None:
        """Wake the thread out of whatever it reads; it ends by itself."""
        self.is_given_up = True
        if self.smtp is not None and self.smtp.sock is not None:
            with contextlib.suppress(OSError):
                self.smtp.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self.smtp is not None:
            self.smtp.close()

    def take(self) -> tuple[socket.socket, bool]:
        """The socket, now ours, and whether the server offers PIPELINING."""
        smtp = self.smtp
        assert smtp is not None
        assert smtp.sock is not None
        sock, smtp.sock = smtp.sock, None
        smtp.close()  # its reader alone: the socket is ours
        return sock, smtp.has_extn("pipelining")


class _Line:
    """One connection: what is on its way on it, and whose reply comes next."""

    __slots__ = (
        "_ahead",
        "_current",
        "_is_fresh",
        "_must_reset",
        "_out",
        "_pipelines",
        "_replies",
        "_road",
        "_sock",
        "_stage",
        "_tls",
        "_unsent",
        "_was_ahead",
        "_watches_writes",
        "is_closed",
        "until",
    )

    def __init__(self, road: _Road, sock: socket.socket, pipelines: bool) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._road = road
        self._sock = sock
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        self._pipelines = pipelines
        self._replies = Replies()
        self._stage = _Stage.IDLE
        self._current: _Transaction | None = None
        self._ahead: _Transaction | None = None  # its envelope went out with the body of the current one
        self._out: bytes | memoryview = b""  # what the socket did not take yet
        self._unsent = 0  # bytes of the body among it, the final dot included
        self._must_reset = False
        self._is_fresh = True  # no transaction ended on it yet
        self._was_ahead = False  # the current envelope went out before the answer to the mail before it
        self._watches_writes = False
        self.is_closed = False
        self.until = 0.0  # on the monotonic clock: the end of the transaction, of keeping it, or of the farewell
        road.selector.register(sock, selectors.EVENT_READ, self.ready)

    # what the road asks

    def go_on(self) -> None:
        """Begin the next mail, or rest."""
        following = self._road.next()
        if following is not None:
            self.begin(following)
            return
        self._stage = _Stage.IDLE
        self.until = time.monotonic() + self._road.keep
        self._road.idle.append(self)

    def begin(self, transaction: _Transaction) -> None:
        """Write the envelope."""
        self._current = transaction
        self._was_ahead = False
        self.until = time.monotonic() + self._road.timeout
        first = transaction.envelope if self._pipelines else transaction.command(_Stage.MAIL)
        if self._must_reset:
            self._must_reset = False
            self._stage = _Stage.RESET
            self._write(b"RSET\r\n" + first if self._pipelines else b"RSET\r\n")
        else:
            self._stage = _Stage.MAIL
            self._write(first)

    def ready(self) -> None:
        """The socket can be read or written. What the server said last is read even when it takes no more."""
        error = self._flush() if self._out else None
        if not self.is_closed:
            self._read()
        if error is not None and not self.is_closed:
            self._broke(error)

    def out_of_time(self) -> None:
        """`until` has passed."""
        if self._stage is _Stage.IDLE:
            self.leave()
        elif self._stage is _Stage.QUIT:
            self.close()
        else:
            self._broke(_TOO_LONG, again=False)

    def leave(self) -> None:
        """Say goodbye; with a transaction under way, just go."""
        if self._current is not None:
            self._broke("stopped", again=False)
            return
        if self._stage is not _Stage.QUIT:
            self._road.forget_idle(self)
            self._stage = _Stage.QUIT
            self.until = time.monotonic() + FAREWELL
            self._write(b"QUIT\r\n")

    def close(self) -> None:
        """Close the socket; what was written ahead goes elsewhere."""
        self.is_closed = True
        self._road.forget(self)
        self._road.selector.unregister(self._sock)
        self._sock.close()
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._road.again(ahead)

    # bytes

    def _write(self, data: bytes) -> None:
        self._out = b"".join((self._out, data)) if self._out else data
        self._flush()  # an error shows again when the selector finds the socket dead

    def _flush(self) -> str | None:
        """Write what the socket takes; the words of an error that ended it."""
        if self._tls is not None:
            self._unsent = 0  # OpenSSL may send a record and still say “not now”: then the dot may be out
        error: str | None = None
        try:
            sent = self._sock.send(self._out)
        except _NOT_NOW:
            sent = 0
        except OSError as lost:
            sent, error = 0, str(lost)
        self._unsent = max(0, self._unsent - sent)
        self._out = memoryview(self._out)[sent:] if sent < len(self._out) else b""
        if bool(self._out) is not self._watches_writes:
            self._watches_writes = bool(self._out)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
            self._road.selector.modify(self._sock, events, self.ready)
        return error

    def _read(self) -> None:
        while not self.is_closed:
            try:
                data = self._sock.recv(READ)
            except _NOT_NOW:
                return
            except OSError as error:
                self._broke(str(error))
                return
            if not data:
                self._broke("the server closed it")
                return
            self._hear(data)
            if self._tls is None:
                return  # the selector tells of more; of what OpenSSL holds it does not know

    def _hear(self, data: bytes) -> None:
        try:
            for reply in self._replies.read(data):
                if reply.code == CLOSING:
                    self._closing(reply)
                else:
                    _HEAR[self._stage](self, reply)
                if self.is_closed:
                    return
        except NoReply as error:
            self._broke(str(error), again=False)

    # replies

    def _hear_unasked(self, _reply: Reply) -> None:
        self.close()

    def _hear_reset(self, _reply: Reply) -> None:
        assert self._current is not None
        self._await(_Stage.MAIL, self._current)

    def _hear_mail(self, reply: Reply) -> None:
        transaction = self._current
        assert transaction is not None
        if reply.code < 300:
            self._await(_Stage.RCPT, transaction)
        elif reply.code >= 500:  # the envelope sender is ours: this is about us, not about the recipient
            self._current = None
            self.close()
            self._road.refused(transaction, reply)
        else:
            self._fail(_Stage.RCPT, Outcome.DEFERRED, reply)

    def _hear_rcpt(self, reply: Reply) -> None:
        transaction = self._current
        assert transaction is not None
        if reply.code < 300:
            transaction.has_recipient = True
            self._await(_Stage.DATA, transaction)
        else:
            self._fail(_Stage.DATA, transport.outcome_of(reply.code), reply)

    def _hear_data(self, reply: Reply) -> None:
        transaction = self._current
        assert transaction is not None
        if transaction.failed is None and reply.code == GO_AHEAD:
            self._hand_over(transaction)
        elif reply.code != GO_AHEAD:
            outcome = transport.outcome_of(reply.code)  # a yes is no 354
            self._fail(None, Outcome.DEFERRED if outcome is Outcome.ACCEPTED else outcome, reply)
        elif transaction.has_recipient:  # MAIL was not taken, yet the server waits for a mail to somebody
            self._over(transaction)
        else:
            self._stage = _Stage.EMPTY  # RFC 2920 §3.1: no recipient was taken, yet the server waits for a mail
            self._write(b".\r\n")

    def _hear_empty(self, _reply: Reply) -> None:
        assert self._current is not None
        self._over(self._current, keep=True)

    def _hear_body(self, reply: Reply) -> None:
        transaction = self._current
        assert transaction is not None
        outcome = transport.outcome_of(reply.code)
        if 300 <= reply.code < 400 or (self._unsent and outcome is Outcome.ACCEPTED):
            outcome = Outcome.IN_DOUBT  # it said neither yes nor no, or yes to half a mail
        if self._out or outcome is Outcome.IN_DOUBT:  # it does not listen, or nobody knows to what
            self._current = None
            self.close()
            self._settle(transaction, outcome, reply.code, reply.words)
            return
        self._current, self._ahead = self._ahead, None
        self._is_fresh = False
        if self._current is not None:
            self._stage = _Stage.MAIL
            self._was_ahead = True
            self.until = time.monotonic() + self._road.timeout
        self._settle(transaction, outcome, reply.code, reply.words)
        if self._current is None:
            self.go_on()

    def _closing(self, reply: Reply) -> None:
        """421 (RFC 5321 §3.8): the server closes; a kept connection may have had its number of mails."""
        if self._current is not None and self._stage is _Stage.BODY:
            transaction, self._current = self._current, None
            self.close()
            self._settle(transaction, Outcome.DEFERRED, reply.code, reply.words)
        elif self._stage in (_Stage.RESET, _Stage.MAIL) and not self._is_fresh:
            self._broke(reply.words)
        elif self._current is not None:
            self._current.failed = self._current.failed or self._answer(Outcome.DEFERRED, reply)
            self._over(self._current)
        else:
            self.close()

    # what follows from them

    def _await(self, stage: _Stage, transaction: _Transaction) -> None:
        self._stage = stage
        if not self._pipelines:
            self._write(transaction.command(stage))

    def _fail(self, stage: _Stage | None, outcome: Outcome, reply: Reply) -> None:
        """The server did not take a command. If the rest is written already, its replies still come."""
        transaction = self._current
        assert transaction is not None
        transaction.failed = transaction.failed or self._answer(outcome, reply)
        if stage is not None and self._pipelines:
            self._stage = stage
        else:
            self._must_reset = True
            self._over(transaction, keep=reply.code >= 400)

    def _over(self, transaction: _Transaction, *, keep: bool = False) -> None:
        """A transaction ended before its body; the connection goes on only if both sides know where they are."""
        assert transaction.failed is not None
        self._current = None
        if not keep:
            self.close()
        self._road.answered(transaction, transaction.failed)
        if keep:
            self._is_fresh = False
            self.go_on()

    def _hand_over(self, transaction: _Transaction) -> None:
        """Write the body, and with it the next envelope if mails wait."""
        road = self._road
        ahead = road.next_ahead() if self._pipelines else None
        if not road.feed.may_begin(transaction.job):
            self._current, self._ahead = None, ahead
            self.close()
            road.give_back(transaction)
            return
        self._stage = _Stage.BODY
        self._ahead = ahead
        signature, body, end = transaction.job.signature, transaction.body, transaction.end
        self._unsent = len(signature) + len(body) + len(end)
        following = ahead.envelope if ahead is not None else b""
        self._write(b"".join((signature, body, end, following)))

    def _broke(self, words: str, *, again: bool = True) -> None:
        """The connection is lost, or of no more use."""
        road, transaction = self._road, self._current
        self._current = None
        if self._ahead is not None or (self._was_ahead and self._stage is _Stage.MAIL):
            road.be_cautious()  # it closes between mails, and what it has not read may cost us its last answer
        self.close()
        if transaction is None:
            return
        if self._stage is _Stage.BODY and self._unsent == 0:
            self._settle(transaction, Outcome.IN_DOUBT, NO_CODE, f"no answer after the last byte: {words}")
        elif self._stage is _Stage.BODY:  # no server takes a mail without its final dot (RFC 5321 §4.1.1.4)
            self._settle(transaction, Outcome.DEFERRED, NO_CODE, f"the connection broke: {words}")
        elif transaction.failed is not None:
            road.answered(transaction, transaction.failed)
        elif road.is_closing:
            road.give_back(transaction)
        elif again and transaction.lost + 1 < TRIES:
            transaction.lost += 1
            road.again(transaction)
        else:
            self._settle(transaction, Outcome.DEFERRED, NO_CODE, f"the connection broke: {words}")

    def _settle(self, transaction: _Transaction, outcome: Outcome, code: int, words: str) -> None:
        self._road.answered(transaction, Answer(outcome, code, words, self._road.route.name))

    def _answer(self, outcome: Outcome, reply: Reply) -> Answer:
        return Answer(outcome, reply.code, reply.words, self._road.route.name)


_HEAR: dict[_Stage, Callable[[_Line, Reply], None]] = {
    _Stage.IDLE: _Line._hear_unasked,
    _Stage.RESET: _Line._hear_reset,
    _Stage.MAIL: _Line._hear_mail,
    _Stage.RCPT: _Line._hear_rcpt,
    _Stage.DATA: _Line._hear_data,
    _Stage.BODY: _Line._hear_body,
    _Stage.EMPTY: _Line._hear_empty,
    _Stage.QUIT: _Line._hear_unasked,
}


class _Road:
    """All connections to one route, and its mails in hand."""

    def __init__(
        self,
        route: Route,
        feed: Feed,
        selector: selectors.BaseSelector,
        opened: Callable[[_Opening], None],
        *,
        limit: int,
        timeout: float,
        keep: float,
    ) -> None:
        self.route, self.feed, self.selector = route, feed, selector
        self.timeout, self.keep = timeout, keep
        self.lines: set[_Line] = set()
        self.idle: list[_Line] = []  # the last used at the end: it is taken first, the others grow old
        self.openings: set[_Opening] = set()
        self.in_hand = 0
        self.is_closing = False
        self._opened = opened
        self._limit = limit
        self._wanted = 0
        self._waiting: deque[_Transaction] = deque()  # lost their connection before their body
        self._feeds_after = self._opens_after = self._ahead_after = 0.0

    # mails

    def next(self) -> _Transaction | None:
        """The next mail to begin, past those that cannot be written at all."""
        if self.is_closing or (self._feeds_after and not self._may_feed()):
            return None
        if self._waiting:
            return self._waiting.popleft()
        while (job := self.feed.next(self.route)) is not None:
            self.in_hand += 1
            self._wanted -= 1
            try:
                envelope = transport.envelope(job.envelope_from, job.envelope_to)
                if job.is_clean:
                    return _Transaction(job, job.data, b".\r\n", envelope)
                return _Transaction(job, transport.dot_stuff(job.data), b"", envelope)
            except (BareLineEnd, BadPath) as error:
                self.in_hand -= 1
                self.feed.answered(job, Answer(Outcome.REFUSED, NO_CODE, str(error), self.route.name))
        return None

    def next_ahead(self) -> _Transaction | None:
        """A mail whose envelope may go out now already; none where another connection would be free for it."""
        if self._wanted < self._limit or (self._ahead_after and time.monotonic() < self._ahead_after):
            return None
        return self.next()

    def answered(self, transaction: _Transaction, answer: Answer) -> None:
        self.in_hand -= 1
        self.feed.answered(transaction.job, answer)

    def give_back(self, transaction: _Transaction) -> None:
        self.in_hand -= 1
        self.feed.given_back(transaction.job)

    def again(self, transaction: _Transaction) -> None:
        """Nothing of it reached a server: it goes on another connection."""
        if self.is_closing:
            self.give_back(transaction)
        else:
            self._waiting.append(transaction)

    def refused(self, transaction: _Transaction, reply: Reply) -> None:
        """The server does not take us as a sender."""
        self._feeds_after = time.monotonic() + PAUSE
        self.give_back(transaction)
        self._unreachable(f"the server does not take mail from us: {reply.code} {reply.words}")

    def be_cautious(self) -> None:
        self._ahead_after = time.monotonic() + CAUTIOUS

    def _may_feed(self) -> bool:
        if time.monotonic() < self._feeds_after:
            return False
        self._feeds_after = 0.0
        return True

    def _unreachable(self, words: str) -> None:
        self._opens_after = time.monotonic() + PAUSE
        while self._waiting:
            self.give_back(self._waiting.popleft())
        self.feed.unreachable(self.route, words)

    # connections

    def work(self, wanted: int) -> None:
        """Give the idle connections something to do, and open more if they are not enough."""
        self._wanted = wanted
        while self.idle and (following := self.next()) is not None:
            self.idle.pop().begin(following)
        waiting = self._wanted + len(self._waiting)
        if self.idle or waiting <= 0 or self.is_closing or time.monotonic() < self._opens_after:
            return
        room = min(self._limit - len(self.lines), waiting, AT_ONCE) - len(self.openings)
        for _ in range(room):
            opening = _Opening(self, self.timeout, self._opened)
            self.openings.add(opening)
            opening.start()

    def adopt(self, opening: _Opening) -> None:
        """A connection is made, or could not be."""
        if opening not in self.openings:  # given up meanwhile
            opening.close()
            return
        self.openings.discard(opening)
        if opening.error:
            self._failed(opening.error)
            return
        line = _Line(self, *opening.take())
        self.lines.add(line)
        self.feed.reachable(self.route)
        line.go_on()

    def forget(self, line: _Line) -> None:
        self.lines.discard(line)
        self.forget_idle(line)

    def forget_idle(self, line: _Line) -> None:
        if line in self.idle:
            self.idle.remove(line)

    def look_at_the_clock(self) -> None:
        """End what took too long, and what was kept long enough."""
        at = time.monotonic()
        for line in [line for line in self.lines if line.until <= at]:
            line.out_of_time()
        for opening in [opening for opening in self.openings if opening.until <= at]:
            self.openings.discard(opening)
            opening.give_up()
            self._failed(_TOO_LONG)

    def stop(self) -> None:
        """No mail begins from now on, and no connection."""
        self.is_closing = True
        while self._waiting:
            self.give_back(self._waiting.popleft())
        while self.openings:
            self.openings.pop().give_up()

    def _failed(self, words: str) -> None:
        if self.lines or self.openings:
            self._opens_after = time.monotonic() + CROWDED
        else:
            self._unreachable(f"could not connect: {words}")


class Pump:
    """All connections of a worker, at most `connections` to each route; whoever calls `turn` does the work.

    Connecting takes at most `timeout` seconds, and so does one transaction. A connection without work is kept for
    `keep` seconds. Not to be shared by threads.
    """

    def __init__(
        self, routes: Sequence[Route], feed: Feed, connections: int, timeout: float, *, keep: float = KEEP
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._made: SimpleQueue[_Opening] = SimpleQueue()
        self._bell, self._rings = socket.socketpair()  # an opening rings when it is done
        for end in (self._bell, self._rings):
            end.setblocking(False)
        self._selector.register(self._rings, selectors.EVENT_READ, self._adopt)
        self._roads = [
            _Road(
                route,
                feed,
                self._selector,
                self._opened,
                limit=min(connections, route.connections),
                timeout=timeout,
                keep=keep,
            )
            for route in routes
        ]
        self._look_every = min(0.25, timeout / 10, keep / 2)
        self._look_at = 0.0

    @property
    def busy(self) -> int:
        """Mails in hand: taken from the feed, neither answered nor given back."""
        return sum(road.in_hand for road in self._roads)

    def turn(self, wait: float, wanted: Mapping[str, int] | int) -> None:
        """Feed idle connections, open more if mails wait, then see to whatever the servers say, for a few rounds.

        `wanted` is how many mails wait, in all or by the name of the route. Waits at most `wait` seconds until a
        server says something, and goes on only while more is heard at once.
        """
        for road in self._roads:
            road.work(wanted if isinstance(wanted, int) else wanted.get(road.route.name, 0))
        for _ in range(ROUNDS):
            if not self._round(wait):
                return
            wait = min(wait, SOON)

    def close(self, grace: float) -> None:
        """Finish what is under way for at most `grace` seconds, then go.

        A mail whose body was not begun is given back; one whose body is out without an answer is in doubt.
        """
        for road in self._roads:
            road.stop()
        self._until(time.monotonic() + grace, lambda: self.busy == 0)
        for line in self._lines():
            line.leave()
        self._until(time.monotonic() + FAREWELL, lambda: not self._lines())
        for line in self._lines():
            line.close()
        self._selector.close()
        self._bell.close()
        self._rings.close()
        self._drain()

    def _until(self, end: float, is_done: Callable[[], bool]) -> None:
        while not is_done() and (left := end - time.monotonic()) > 0:
            self._round(left)

    def _round(self, wait: float) -> bool:
        """Hear what is said within `wait` seconds, each connection once; whether anything was."""
        heard = self._selector.select(min(wait, self._look_every))
        for key, _ in heard:
            key.data()
        at = time.monotonic()
        if at >= self._look_at:
            self._look_at = at + self._look_every
            for road in self._roads:
                road.look_at_the_clock()
        return bool(heard)

    def _lines(self) -> list[_Line]:
        return [line for road in self._roads for line in road.lines]

    def _opened(self, opening: _Opening) -> None:
        """Called by the opening's own thread."""
        self._made.put(opening)
        with contextlib.suppress(OSError):  # a full bell rings anyway, and a closed pump hears none
            self._bell.send(b"!")

    def _adopt(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._rings.recv(READ)
        self._drain()

    def _drain(self) -> None:
        while True:
            try:
                opening = self._made.get_nowait()
            except Empty:
                return
            opening.road.adopt(opening)
