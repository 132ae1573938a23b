"""Try a route out: talk to its server as a mail would, up to the mail itself, and say what it answered."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from mailer.delivery import routes, transport
from mailer.delivery.routes import Route, Tls

WORDS_LIMIT = 500  # of what a server says
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")


@dataclass(frozen=True)
class Step:
    """One thing that was tried, and what came of it in words; a password never stands in them."""

    name: str
    is_good: bool
    words: str


@dataclass(frozen=True)
class Trial:
    """What was tried, in order, up to the first thing that failed."""

    steps: tuple[Step, ...]

    @property
    def is_good(self) -> bool:
        return all(step.is_good for step in self.steps)


class _Unanswered(Exception):
    """A server said no, or what is no answer."""


def try_out(route: Route, timeout: float, to: str = "") -> Trial:
    """Connect, greet, go secret, sign in; with `to` also name sender and recipient. No mail is ever sent.

    Takes at most about `timeout` seconds, unless the server gives its answers in drops.
    """
    return Trial(tuple(_Attempt(route, time.monotonic() + timeout, to).steps()))


class _Attempt:
    """A connection being tried out."""

    def __init__(self, route: Route, until: float, to: str) -> None:
        self._route, self._until, self._to = route, until, to
        self._smtp: smtplib.SMTP | None = None

    def steps(self) -> Iterator[Step]:
        """Each step once it is done; the first bad one is the last."""
        try:
            for name, act in self._plan():
                try:
                    yield Step(name, True, self._shown(act()))
                except (_Unanswered, OSError, smtplib.SMTPException, ValueError) as error:
                    yield Step(name, False, self._shown(_explain(error)))
                    return
        finally:
            if self._smtp is not None:
                self._smtp.close()

    def _plan(self) -> Iterator[tuple[str, Callable[[], str]]]:
        route = self._route
        yield "address", self._find
        yield "connect", self._connect
        if route.tls is Tls.IMPLICIT:
            yield "TLS", self._secrecy
        yield "EHLO", self._greet
        if route.tls is Tls.STARTTLS:
            yield "STARTTLS", self._start_tls
            yield "TLS", self._secrecy
            yield "EHLO", self._greet
        if route.user:
            yield "AUTH", self._sign_in
        if self._to:
            yield "MAIL", lambda: self._answered(self._in_time.mail(_address(parseaddr(routes.sender(self._route))[1])))
            yield "RCPT", lambda: self._answered(self._in_time.rcpt(_address(self._to)))
            yield "RSET", lambda: self._answered(self._in_time.rset())
        yield "QUIT", self._leave

    def _find(self) -> str:
        found = socket.getaddrinfo(self._route.host, self._route.port, type=socket.SOCK_STREAM)
        return f"{self._route.host} is at {', '.join(dict.fromkeys(str(entry[4][0]) for entry in found))}"

    def _connect(self) -> str:
        route = self._route
        self._smtp = transport.unconnected(route, self._left())
        self._smtp._host = route.host  # type: ignore[attr-defined]  # whom the certificate must name
        return self._answered(self._smtp.connect(route.host, route.port))

    def _greet(self) -> str:
        code, _ = self._in_time.ehlo()
        if code // 100 == 5:
            return f"it is not known; HELO: {self._answered(self._in_time.helo())}"
        self._answered((code, self._in_time.ehlo_resp or b""))
        offers = self._in_time.esmtp_features
        spelled = (f"{name.upper()} {' '.join(words.split())}".strip() for name, words in sorted(offers.items()))
        return f"offers {', '.join(spelled)}" if offers else "offers nothing"

    def _start_tls(self) -> str:
        return self._answered(self._in_time.starttls(context=self._route.tls_context()))

    def _secrecy(self) -> str:
        sock = self._in_time.sock
        if not isinstance(sock, ssl.SSLSocket):
            raise _Unanswered("the connection is not secret")
        certificate: dict[str, Any] = sock.getpeercert() or {}
        names = ", ".join(name for _, name in certificate.get("subjectAltName", ()))
        return f"{sock.version()}; a good certificate for {names}, until {certificate.get('notAfter')}"

    def _sign_in(self) -> str:
        self._in_time.login(self._route.user, self._route.password)
        return f"signed in as {self._route.user}"

    def _leave(self) -> str:
        """A courtesy: a server that closes without a word has done nothing wrong."""
        try:
            return self._answered(self._in_time.quit())
        except (_Unanswered, OSError, smtplib.SMTPException):
            return "closed without a word"

    @property
    def _in_time(self) -> smtplib.SMTP:
        """The connection, told to wait no longer than what is left."""
        if self._smtp is None or self._smtp.sock is None:
            raise _Unanswered("the connection is closed")
        self._smtp.sock.settimeout(self._left())
        return self._smtp

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server took too long")
        return left

    def _answered(self, reply: tuple[int, bytes]) -> str:
        """What the server said; _Unanswered unless it was yes."""
        code, said = reply
        words = f"{code} {said.decode('utf-8', 'replace')}"
        if not 200 <= code < 300:
            raise _Unanswered(f"the server said {words}" if code > 0 else "the server gave no answer that SMTP knows")
        return words

    def _shown(self, words: str) -> str:
        """Words for a person: in one line, printable, without the password, in whichever spelling it was sent."""
        user, password = self._route.user, self._route.password
        words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
        if password:
            for hidden in (_base64(f"\0{user}\0{password}"), _base64(password), password):
                words = words.replace(hidden, "***")
        return words[:WORDS_LIMIT]


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise _Unanswered(f"“{text}” is no mail address")
    return text


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _explain(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException():
            said = error.smtp_error
            words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            return f"the server said {error.smtp_code} {words}"
        case ssl.SSLCertVerificationError():
            return f"the certificate is not good: {error.verify_message}"
        case ssl.SSLError():
            return f"no TLS: {error.reason or error}"
        case TimeoutError():
            return "the server took too long"
        case smtplib.SMTPServerDisconnected() if "timed out" in str(error):  # so smtplib words a TimeoutError
            return "the server took too long"
        case smtplib.SMTPServerDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "the server closed the connection"
        case OSError():
            return error.strerror or str(error)
        case _:
            return str(error)
