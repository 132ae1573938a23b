"""Compose a mail: its bytes are a function of frozen content and message row (invariant 9).

The bytes are written here and not by `EmailMessage`, which turns long `List-Unsubscribe` and `References` headers
into encoded-words (TRAPS 1) and draws a random boundary.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, parseaddr

from mailer import ids, settings, signing
from mailer.consent import links
from mailer.consent.rules import Channel
from mailer.contacts.rules import first_name
from mailer.delivery import slots
from mailer.errors import Invalid
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import MailKind

GREETINGS = {"en": ("Dear {},", "Hello,"), "nl": ("Beste {},", "Hallo,")}
LINE_LIMIT = 998  # RFC 5322 §2.1.1
PLAIN_LIMIT = 240  # longer text is folded, as encoded-words
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,500}>")  # RFC 5322 §3.6.4, nearly


class UnsafeHeader(Invalid):
    """A value that would have put a line of its own into the header (TRAPS 2)."""


@dataclass(frozen=True)
class Mail:
    """A finished mail: CRLF only, 7-bit clean, lines under 998."""

    data: bytes
    sha256: str
    envelope_from: str
    envelope_to: str


@dataclass(frozen=True)
class Rendered:
    """What a reader sees of it."""

    subject: str
    text: str
    html: str


def compose(message: Message) -> Mail:
    """The mail of one message, as it goes to the next server."""
    content = message.content
    rendered = render(content, values(message))
    payload = message.id.removeprefix("msg_")
    headers = _headers(message, content, rendered.subject, payload)
    boundary = "=_" + hashlib.sha256(message.id.encode()).hexdigest()[:32]  # "=_" cannot occur in quoted-printable
    head = [_header(name, value) for name, value in headers]
    head += [_header("MIME-Version", "1.0"), _header("Content-Type", f'multipart/alternative; boundary="{boundary}"')]
    parts = [_part(boundary, "plain", rendered.text), _part(boundary, "html", rendered.html)]
    data = b"".join([*head, b"\r\n", *parts, f"--{boundary}--\r\n".encode()])
    bounce_to = signing.address("bounce", payload, content.reply_domain, message.key_id)
    return Mail(data, hashlib.sha256(data).hexdigest(), bounce_to, message.to_address)


def render(content: Content, filled: dict[str, str]) -> Rendered:
    """Frozen wording with one recipient's values; preview, test mail and real mail all pass here."""
    return Rendered(
        slots.fill(content.subject, filled, html=False),
        slots.fill(content.text, filled, html=False),
        slots.fill(content.html, filled, html=True),
    )


def values(message: Message) -> dict[str, str]:
    """What one recipient's slots hold."""
    content = message.content
    who = (content.url, message.contact_id, message.id, message.key_id)
    return {
        **(message.facts or {}),
        **person(message.name, message.company, message.to_address, content.locale),
        "leave_url": links.leave_url(*who),
        "preferences_url": links.preferences_url(*who),
    }


def person(name: str, company: str, email: str, locale: str) -> dict[str, str]:
    """The slots that describe a person, with a greeting that reads well without a name."""
    named, unnamed = GREETINGS[locale]
    first = first_name(name)
    greeting = named.format(first) if first else unnamed
    return {"greeting": greeting, "first_name": first, "name": name, "company": company, "email": email}


def preview(content: Content, sample: dict[str, str] | None = None) -> Rendered:
    """Frozen wording as a sample person would see it; links lead nowhere."""
    config = settings.current()
    anyone = person("Anna de Vries", "Example B.V.", "anna@example.com", content.locale)
    lead_nowhere = {"leave_url": f"{config.url}/u/preview", "preferences_url": f"{config.url}/preferences/preview"}
    facts = {name: f"[{name.replace('_', ' ')}]" for name in slots.names(content.subject + content.text + content.html)}
    return render(content, facts | anyone | lead_nowhere | (sample or {}))


def message_id_header(message: Message) -> str:
    """The Message-ID, made with the row and the same at every try (TRAPS 5); a MAC keeps others from guessing it."""
    payload = message.id.removeprefix("msg_")
    return f"<{signing.address('id', payload, message.content.reply_domain, message.key_id).replace('+', '.', 1)}>"


def read_message_id(header: str) -> int | None:
    """The message row that a Message-ID of ours names; None for any other."""
    local, at, domain = header.strip().strip("<>").partition("@")
    payload = signing.read_address(f"{local.replace('.', '+', 1)}{at}{domain}", "id")
    return ids.message_row(f"msg_{payload}") if payload else None


def _headers(message: Message, content: Content, subject: str, payload: str) -> list[tuple[str, str]]:
    reply_to = signing.address("reply", payload, content.reply_domain, message.key_id)
    dated: datetime = message.dated_at or message.created_at
    headers = [
        ("From", _mailbox(*parseaddr(content.sender))),
        ("To", _mailbox(message.name, message.to_address)),
        ("Reply-To", reply_to),
        ("Subject", _text(subject, "Subject")),
        ("Date", format_datetime(dated)),
        ("Message-ID", message_id_header(message)),
    ]
    if message.in_reply_to and _MESSAGE_ID.fullmatch(message.in_reply_to):  # what a stranger sent may be anything
        headers += [("In-Reply-To", message.in_reply_to), ("References", message.in_reply_to)]
    match message.channel:
        case Channel.ESSENTIAL:
            headers += [("Auto-Submitted", how)] if (how := _auto_submitted(message.kind)) else []
        case Channel.MARKETING:
            leave = links.leave_url(content.url, message.contact_id, message.id, message.key_id)
            mailto = signing.address("leave", payload, content.reply_domain, message.key_id)
            domain = parseaddr(content.sender)[1].rpartition("@")[2]
            headers += [
                ("List-Unsubscribe", f"<{leave}>, <mailto:{mailto}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                ("List-Id", f"<{message.topic or 'news'}.{domain}>"),
            ]
    return headers


def _auto_submitted(kind: MailKind) -> str | None:
    """What a machine sent says so, and whether it answers a mail; what a person wrote says nothing (RFC 3834 §5)."""
    match kind:
        case MailKind.ANSWER:
            return None
        case MailKind.TERMINATION_RECEIPT | MailKind.TERMINATION_CONFIRM:
            return "auto-replied"
        case _:
            return "auto-generated"


def _mailbox(name: str, address: str) -> str:
    if not address.isascii() or _CONTROL.search(address):
        raise UnsafeHeader("email: the address holds a character that no header may have.", field="email")
    if not name:
        return address
    shown = _text(name, "name")
    if shown == name and not name.replace(" ", "").isalnum():
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{address}>"


def _text(value: str, header: str) -> str:
    """Text as a header holds it: plain, or folded into encoded-words. Only this folds, so a value cannot (TRAPS 2)."""
    if _CONTROL.search(value):
        raise UnsafeHeader(f"{header}: the value holds a line end or a control character.", field=header)
    if value.isascii() and "=?" not in value and len(value) <= PLAIN_LIMIT:
        return value
    return Header(value, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")


def _header(name: str, value: str) -> bytes:
    lines = f"{name}: {value}".split("\r\n ")
    if any(_CONTROL.search(line) or len(line) > LINE_LIMIT for line in lines):
        raise UnsafeHeader(f"{name}: the value holds a control character or is too long for a line.", field=name)
    return f"{name}: {value}\r\n".encode("ascii")


def _part(boundary: str, subtype: str, text: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
    head += "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    unix = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    body = b2a_qp(unix, istext=True).replace(b"\n", b"\r\n")
    return head.encode() + body.rstrip(b"\r\n") + b"\r\n"
