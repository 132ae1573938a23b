"""SMTP: one connection kept open, one transaction a message; what the server says becomes a value (STYLE §10)."""

from __future__ import annotations

import re
import smtplib
import time
from types import TracebackType
from typing import Self

from mailer.delivery.compose import Mail
from mailer.delivery.routes import Route, Tls
from mailer.errors import MailerError
from mailer.outbox.lanes import Answer
from mailer.outbox.rules import Outcome

NO_CODE = 0
CLOSING = 421  # RFC 5321 §3.8
GO_AHEAD = 354
# RFC 3463 §3.2: of the 5.1.x those that say the recipient's address itself is dead (TRAPS 18)
_DEAD = re.compile(r"\b5\.1\.(?:1|2|3|6|10)\b")

_Lost = (OSError, smtplib.SMTPException)


class BareLineEnd(MailerError):
    """A mail with a CR or LF that stands alone must never reach the wire (TRAPS 3)."""


class Connection:
    """A connection to a route's server, opened at first use and kept for the next mail.

    Connecting and one transaction take at most `timeout` seconds each. `is_down` says that the server could not be
    reached or does not take us as a sender: the lane stops and asks again at the next bell.
    """

    def __init__(self, route: Route, timeout: float) -> None:
        self.route = route
        self.is_down = False
        self._timeout = timeout
        self._until = 0.0
        self._has_begun = False
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, mail: Mail) -> Answer:
        """One SMTP transaction (RFC 5321 §3.3)."""
        data = dot_stuff(mail.data)
        was_open = self._smtp is not None
        answer = self._try(mail, data)
        if was_open and self._smtp is None and answer.outcome is Outcome.DEFERRED and not self._has_begun:
            return self._try(mail, data)  # it only closed the kept connection: some take so many mails and no more
        return answer

    def _try(self, mail: Mail, data: bytes) -> Answer:
        self._has_begun = False
        try:
            smtp = self._connected()
        except _Lost as error:
            self.is_down = True
            self._close()
            return self._answer(Outcome.DEFERRED, NO_CODE, f"could not connect: {error}")
        try:
            return self._transact(smtp, mail, data)
        except _Lost as error:
            self._close()
            return self._answer(Outcome.DEFERRED, NO_CODE, f"the connection broke: {error}")

    def _transact(self, smtp: smtplib.SMTP, mail: Mail, data: bytes) -> Answer:
        self._until = time.monotonic() + self._timeout
        code, reply = self._in_time(smtp).mail(mail.envelope_from)
        if _outcome(code) is not Outcome.ACCEPTED:
            self.is_down = code >= 500  # the envelope sender is ours: this is about us, not about the recipient
            return self._stop(smtp, Outcome.DEFERRED, code, reply)
        self._has_begun = True
        code, reply = self._in_time(smtp).rcpt(mail.envelope_to)
        if _outcome(code) is not Outcome.ACCEPTED:
            return self._stop(smtp, _outcome(code), code, reply)
        code, reply = self._in_time(smtp).docmd("DATA")
        if code != GO_AHEAD:
            return self._stop(smtp, _outcome(code), code, reply)
        self._in_time(smtp).send(data)
        return self._last_answer(smtp)

    def _last_answer(self, smtp: smtplib.SMTP) -> Answer:
        """What the server says to the whole mail; without a yes or no it may have it or not."""
        try:
            code, reply = self._in_time(smtp).getreply()
        except _Lost as error:
            self._close()
            return self._answer(Outcome.IN_DOUBT, NO_CODE, f"no answer after the last byte: {error}")
        if code == CLOSING:
            self._close()
        outcome = _outcome(code) if code // 100 in (2, 4, 5) else Outcome.IN_DOUBT
        return self._answer(outcome, code, _text(reply))

    def _stop(self, smtp: smtplib.SMTP, outcome: Outcome, code: int, reply: bytes) -> Answer:
        """The server did not take a command: nothing of this mail is with it."""
        try:
            if code == CLOSING:
                self._close()
            else:
                self._in_time(smtp).rset()
        except _Lost:
            self._close()
        if outcome is Outcome.ACCEPTED:  # a yes to DATA, which wants 354
            outcome = Outcome.DEFERRED
        return self._answer(outcome, code, _text(reply))

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        route = self.route
        self._until = time.monotonic() + self._timeout
        if route.tls is Tls.IMPLICIT:
            self._smtp = smtplib.SMTP_SSL(route.host, route.port, timeout=self._timeout, context=route.tls_context())
        else:
            self._smtp = smtplib.SMTP(route.host, route.port, timeout=self._timeout)
        smtp = self._smtp
        self._in_time(smtp).ehlo_or_helo_if_needed()
        if route.tls is Tls.STARTTLS:
            self._in_time(smtp).starttls(context=route.tls_context())
            self._in_time(smtp).ehlo_or_helo_if_needed()
        if route.user:
            self._in_time(smtp).login(route.user, route.password)
        return smtp

    def _in_time(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        """The connection, told to wait no longer than what is left; TimeoutError if nothing is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server took too long")
        if smtp.sock is not None:
            smtp.sock.settimeout(left)
        return smtp

    def _answer(self, outcome: Outcome, code: int, reply: str) -> Answer:
        return Answer(outcome, code, reply, self.route.name)

    def _close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(1)  # QUIT is a courtesy
            smtp.quit()
        except _Lost:
            smtp.close()


def says_dead(answer: Answer) -> bool:
    """Whether a server refused a mail because the address itself is dead, by the status it gave."""
    return answer.outcome is Outcome.REFUSED and _DEAD.search(answer.reply) is not None


def dot_stuff(data: bytes) -> bytes:
    """The DATA block of a mail: dots doubled, ended by a lone dot (RFC 5321 §4.5.2). Refuses bare line ends."""
    whole = data.count(b"\r\n")
    if data.count(b"\n") != whole or data.count(b"\r") != whole:
        raise BareLineEnd("The mail holds a CR or LF that stands alone; it was not sent.")
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _outcome(code: int) -> Outcome:
    """What a reply code means; an answer that is none at all is asked for again."""
    if 200 <= code < 300:
        return Outcome.ACCEPTED
    return Outcome.REFUSED if 500 <= code < 600 else Outcome.DEFERRED


def _text(reply: bytes) -> str:
    return reply.decode("utf-8", "replace")
