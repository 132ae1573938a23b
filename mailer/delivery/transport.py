"""SMTP: connections, replies and mails as the wire has them; what a server says becomes a value (STYLE §10)."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mailer.delivery.routes import Route, Tls
from mailer.errors import MailerError
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

NO_CODE = 0
READY = 220
CLOSING = 421  # RFC 5321 §3.8
GO_AHEAD = 354
REPLY_LINE = 2_048  # RFC 5321 §4.5.3.1.5 says 512 octets; some servers say more
REPLY_LINES = 100
# RFC 3463 §3.2: of the 5.1.x those that say the recipient's address itself is dead (TRAPS 18)
_DEAD = re.compile(r"\b5\.1\.(?:1|2|3|6|10)\b")

# each begins with one plain character, so that `re` jumps from line end to line end: a third of what `count` takes
_CR_ALONE = re.compile(rb"\r(?!\n)")
_LF_ALONE = re.compile(rb"\n(?<!\r\n)")
_LF_ALONE_OR_DOT = re.compile(rb"\n(?:\.|(?<!\r\n))")
_BARE = "The mail holds NUL, or a CR or LF that stands alone; it was not sent."
_PATH = re.compile(r"[!-;=?-~]*")  # what may stand between < and >: printable ASCII, no blank

LOST = (OSError, smtplib.SMTPException)


class BareLineEnd(MailerError):
    """A mail with a CR or LF that stands alone, or with NUL, must never reach the wire (TRAPS 3)."""


class BadPath(MailerError):
    """An envelope address with a character that would end the command, or that SMTP cannot carry."""


class NoReply(MailerError):
    """What a server wrote is no reply."""


class Reply(NamedTuple):
    """What a server said, its lines joined by line feeds."""

    code: int
    words: str


class Replies:
    """Cuts what a server writes into replies, in whatever pieces it comes (RFC 5321 §4.2)."""

    __slots__ = ("_before", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._before: list[str] = []  # the lines of a reply whose last line is still to come

    def read(self, data: bytes) -> Iterator[Reply]:
        """The replies that are whole with this piece; raises NoReply at what is none, or is longer than any."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            is_last, reply = _read_line(line)
            if not is_last:
                self._before.append(reply.words)
                if len(self._before) >= REPLY_LINES:
                    raise NoReply("the server's answer has no end")
            elif self._before:
                yield Reply(reply.code, "\n".join([*self._before, reply.words]))
                self._before = []
            else:
                yield reply
        if len(self._rest) > REPLY_LINE:
            raise NoReply("the server's answer has no end")


@lru_cache(maxsize=256)  # a server says much the same to every mail
def _read_line(line: bytes) -> tuple[bool, Reply]:
    """Whether a line is the last of its reply, and what it says."""
    code, mark = line[:3], line[3:4]
    if len(line) > REPLY_LINE or not (code.isdigit() and b"200" <= code < b"600" and mark in b" -\r"):
        raise NoReply("the server answered what is no reply")
    return mark != b"-", Reply(int(code), line[4:].strip().decode("utf-8", "replace"))


def unconnected(route: Route, timeout: float) -> smtplib.SMTP:
    """A session that can be introduced to a route's server; no wait of it is longer than `timeout` seconds."""
    if route.tls is Tls.IMPLICIT:
        return smtplib.SMTP_SSL(timeout=timeout, context=route.tls_context())
    return smtplib.SMTP(timeout=timeout)


def introduce(smtp: smtplib.SMTP, route: Route, timeout: float) -> None:
    """Connect, greet, make it secret and sign in, within `timeout` seconds; raises one of `LOST` if it fails."""
    until = time.monotonic() + timeout
    smtp._host = route.host  # type: ignore[attr-defined]  # whom the certificate must name; connect() does not say it
    code, words = smtp.connect(route.host, route.port)
    if code != READY:
        raise smtplib.SMTPConnectError(code, words)
    _in_time(smtp, until).ehlo_or_helo_if_needed()
    if route.tls is Tls.STARTTLS:
        _in_time(smtp, until).starttls(context=route.tls_context())
        _in_time(smtp, until).ehlo_or_helo_if_needed()
    if route.user:
        _in_time(smtp, until).login(route.user, route.password)


def _in_time(smtp: smtplib.SMTP, until: float) -> smtplib.SMTP:
    """The session, told to wait no longer than what is left; TimeoutError if nothing is."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server took too long")
    if smtp.sock is not None:
        smtp.sock.settimeout(left)
    return smtp


def says_dead(answer: Answer) -> bool:
    """Whether a server refused a mail because the address itself is dead, by the status it gave."""
    return answer.outcome is Outcome.REFUSED and _DEAD.search(answer.reply) is not None


def dot_stuff(data: bytes) -> bytes:
    """The DATA block of a mail: dots doubled, ended by a lone dot (RFC 5321 §4.5.2). Raises BareLineEnd."""
    if b"\0" in data or _CR_ALONE.search(data):
        raise BareLineEnd(_BARE)
    if _LF_ALONE_OR_DOT.search(data):
        if _LF_ALONE.search(data):
            raise BareLineEnd(_BARE)
        stuffed = data.replace(b"\r\n.", b"\r\n..")
    else:
        stuffed = data
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def envelope(sender: str, recipient: str) -> bytes:
    """The commands MAIL, RCPT and DATA of a transaction, a line each; BadPath at an address that could be more."""
    if not (_PATH.fullmatch(sender) and recipient and _PATH.fullmatch(recipient)):
        raise BadPath("An envelope address holds a character that no command may have; the mail was not sent.")
    return f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode("ascii")


def outcome_of(code: int) -> Outcome:
    """What a reply code means; an answer that is none at all is asked for again."""
    if 200 <= code < 300:
        return Outcome.ACCEPTED
    return Outcome.REFUSED if 500 <= code < 600 else Outcome.DEFERRED
