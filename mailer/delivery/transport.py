"""SMTP: one connection kept open, one transaction a message; what the server says becomes a value (STYLE §10)."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from mailer.delivery.compose import Mail
from mailer.delivery.routes import Route, Tls
from mailer.errors import MailerError
from mailer.outbox.actions import Answer
from mailer.outbox.rules import Outcome

NOT_CONNECTED = 0


class BareLineEnd(MailerError):
    """A mail with a CR or LF that stands alone must never reach the wire (TRAPS 3)."""


@dataclass(frozen=True)
class InDoubt:
    """The last byte went out and no answer came back."""

    why: str


class Connection:
    """A connection to a route's server, opened at first use and kept for the next mail.

    `is_down` says that the server could not be reached: the lane stops and asks again at the next bell.
    """

    def __init__(self, route: Route, timeout: float) -> None:
        self.route = route
        self.is_down = False
        self._timeout = timeout
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, mail: Mail) -> Answer | InDoubt:
        """One SMTP transaction (RFC 5321 §3.3)."""
        data = dot_stuff(mail.data)
        try:
            smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            self.is_down = True
            self._close()
            return self._answer(Outcome.DEFERRED, NOT_CONNECTED, f"could not connect: {error}")
        try:
            return self._transact(smtp, mail, data)
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            return self._answer(Outcome.DEFERRED, NOT_CONNECTED, f"connection broke: {error}")

    def _transact(self, smtp: smtplib.SMTP, mail: Mail, data: bytes) -> Answer | InDoubt:
        for command in (
            lambda: smtp.mail(mail.envelope_from),
            lambda: smtp.rcpt(mail.envelope_to),
            lambda: smtp.docmd("DATA"),
        ):
            code, reply = command()
            if code >= 400:
                self._reset(smtp)
                return self._said(code, reply)
        smtp.send(data)
        try:
            return self._said(*smtp.getreply())
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            return InDoubt(f"no answer after the last byte: {error}")

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        route = self.route
        if route.tls is Tls.IMPLICIT:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                route.host, route.port, timeout=self._timeout, context=route.tls_context()
            )
        else:
            smtp = smtplib.SMTP(route.host, route.port, timeout=self._timeout)
        self._smtp = smtp
        smtp.ehlo_or_helo_if_needed()
        if route.tls is Tls.STARTTLS:
            smtp.starttls(context=route.tls_context())
            smtp.ehlo_or_helo_if_needed()
        if route.user:
            smtp.login(route.user, route.password)
        return smtp

    def _said(self, code: int, reply: bytes) -> Answer:
        outcome = Outcome.ACCEPTED if code < 400 else Outcome.DEFERRED if code < 500 else Outcome.REFUSED
        if code == 421:  # the server is closing the channel (RFC 5321 §3.8)
            self._close()
        return self._answer(outcome, code, reply.decode("utf-8", "replace"))

    def _answer(self, outcome: Outcome, code: int, reply: str) -> Answer:
        return Answer(outcome, code, reply, self.route.name)

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._close()

    def _close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()


def dot_stuff(data: bytes) -> bytes:
    """The DATA block of a mail: dots doubled, ended by a lone dot (RFC 5321 §4.5.2). Refuses bare line ends."""
    whole = data.count(b"\r\n")
    if data.count(b"\n") != whole or data.count(b"\r") != whole:
        raise BareLineEnd("The mail holds a CR or LF that stands alone; it was not sent.")
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")
