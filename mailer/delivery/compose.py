"""Compose a mail: its bytes are a function of frozen content and message row (invariant 9).

The bytes are written here and not by `EmailMessage`, which turns long `List-Unsubscribe` and `References` headers
into encoded-words (TRAPS 1) and draws a random boundary. What many mails share is made once: the body by `compiled`,
what else the mails of a content on a route have in common by `_paper`, the date by its instant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

from mailer import ids, settings, signing
from mailer.consent import links
from mailer.consent.rules import Channel
from mailer.contacts.rules import first_name
from mailer.delivery import compiled, headers, slots
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind

GREETINGS = {"en": ("Dear {},", "Hello,"), "nl": ("Beste {},", "Hallo,")}
LEAVE = frozenset({"leave_url"})
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,500}>")  # RFC 5322 §3.6.4, nearly
_LEAVING = re.compile(r"<[!-;=?-~]+>, <mailto:[!-;=?-~]+>")  # RFC 2369 §3.2
_LIST_ID = re.compile(r"<[A-Za-z0-9!#-'*+\-./=?^-~]+>")  # RFC 2919 §2


class Letter(Protocol):
    """What is composed: a message row, or as much of one as a worker reads."""

    @property
    def id(self) -> str: ...
    @property
    def contact_id(self) -> str | None: ...
    @property
    def kind(self) -> MailKind: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def topic(self) -> str | None: ...
    @property
    def key_id(self) -> str: ...
    @property
    def to_address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def company(self) -> str: ...
    @property
    def facts(self) -> dict[str, str] | None: ...
    @property
    def in_reply_to(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def dated_at(self) -> datetime | None: ...
    @property
    def content(self) -> Content: ...
    @property
    def sent_from(self) -> str | None:
        """Who it comes from where the route has an identity of its own; else the content says."""

    @property
    def envelope_domain(self) -> str | None:
        """Where its bounces and replies go, likewise."""


class Mail(NamedTuple):
    """A finished mail: CRLF only, 7-bit, header lines under 998, body lines at most 76."""

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


@dataclass(frozen=True, slots=True)
class Paper:
    """What the mails of one content have in common, those of one kind on one route under one key."""

    ready: compiled.Compiled
    opening: str
    """The header lines before the recipient's own."""
    closing: str
    """Those after, and the empty line."""
    bounce: Callable[[str], str]
    reply: Callable[[str], str]
    message_id: Callable[[str], str]
    leave: Callable[[str], str] | None
    """Where a mail to leave goes; None for mail that nobody can leave."""
    links: tuple[tuple[str, links.Makes], ...]
    """The slots of signed links that these mails need, each with what makes one."""


def compose(letter: Letter) -> Mail:
    """The mail of one message, as it goes to the next server."""
    content, public_id = letter.content, letter.id
    paper = _paper(
        content,
        letter.sent_from,
        letter.envelope_domain,
        letter.kind,
        letter.channel,
        letter.topic,
        signing.seal(letter.key_id),
    )
    filled = _values(letter, public_id, paper.links)
    payload = public_id.removeprefix("msg_")
    head = _head(letter, paper, filled, payload)
    data = b"".join((head.encode("ascii"), *paper.ready.body(filled)))
    return Mail(data, hashlib.sha256(data).hexdigest(), paper.bounce(payload), letter.to_address)


def render(content: Content, filled: dict[str, str]) -> Rendered:
    """Frozen wording with one recipient's values; preview, test mail and real mail all pass here."""
    return Rendered(
        slots.fill(content.subject, filled, html=False),
        slots.fill(content.text, filled, html=False),
        slots.fill(content.html, filled, html=True),
    )


def values(letter: Letter, names: Collection[str] = slots.BASE) -> dict[str, str]:
    """What one recipient's slots hold; of the signed links only those in `names`."""
    return _values(letter, letter.id, _links(letter.content.url, signing.seal(letter.key_id), names))


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


def message_id_header(letter: Letter) -> str:
    """The Message-ID, made with the row and the same at every try (TRAPS 5); a MAC keeps others from guessing it."""
    domain = letter.envelope_domain or letter.content.reply_domain
    return _bracketed(signing.address("id", letter.id.removeprefix("msg_"), domain, letter.key_id))


def read_message_id(header: str) -> int | None:
    """The message row that a Message-ID of ours names; None for any other."""
    local, at, domain = header.strip().strip("<>").partition("@")
    payload = signing.read_address(f"{local.replace('.', '+', 1)}{at}{domain}", "id")
    return ids.message_row(f"msg_{payload}") if payload else None


# a content is frozen (invariant 9), so the object stands for its words
@lru_cache(maxsize=compiled.KEPT_CONTENTS)
def _paper(
    content: Content,
    sent_from: str | None,
    envelope_domain: str | None,
    kind: MailKind,
    channel: Channel,
    topic: str | None,
    seal: signing.Seal,
) -> Paper:
    ready = compiled.of(content)
    name, email = headers.sender(sent_from or content.sender)
    domain = envelope_domain or content.reply_domain
    names, closing = ready.names, ""
    match channel:
        case Channel.ESSENTIAL:
            closing = f"Auto-Submitted: {how}\r\n" if (how := _auto_submitted(kind)) else ""
        case Channel.MARKETING:
            names |= LEAVE
            list_id = f"<{topic or 'news'}.{email.rpartition('@')[2]}>"
            closing = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            closing += f"List-Id: {headers.matching(list_id, 'List-Id', _LIST_ID)}\r\n"
    mime = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{ready.boundary}"\r\n\r\n'
    return Paper(
        ready,
        f"From: {headers.mailbox(name, email, 'From')}\r\n",
        closing + mime,
        seal.addresses("bounce", domain),
        seal.addresses("reply", domain),
        seal.addresses("id", domain),
        seal.addresses("leave", domain) if channel == Channel.MARKETING else None,
        _links(content.url, seal, names),
    )


def _links(base: str, seal: signing.Seal, names: Collection[str]) -> tuple[tuple[str, links.Makes], ...]:
    makes = {"leave_url": links.leave_urls, "preferences_url": links.preferences_urls}
    return tuple((name, made(base, seal)) for name, made in makes.items() if name in names)


def _values(letter: Letter, public_id: str, signed: Iterable[tuple[str, links.Makes]]) -> dict[str, str]:
    filled = person(letter.name, letter.company, letter.to_address, letter.content.locale)
    if letter.facts:
        filled = letter.facts | filled
    for name, made in signed:
        filled[name] = made(letter.contact_id, public_id)
    return filled


def _head(letter: Letter, paper: Paper, filled: dict[str, str], payload: str) -> str:
    """All header lines and the empty line after them; every value in them was looked at (TRAPS 2)."""
    return (
        f"{paper.opening}To: {headers.mailbox(letter.name, letter.to_address, 'To')}\r\n"
        f"Reply-To: {headers.address(paper.reply(payload))}\r\n"
        f"Subject: {headers.text(paper.ready.subject.filled(filled), 'Subject')}\r\n"
        f"Date: {_date(letter.dated_at or letter.created_at)}\r\n"
        f"Message-ID: {_bracketed(paper.message_id(payload))}\r\n"
        f"{_thread(letter.in_reply_to)}{_leaving(paper, filled, payload)}{paper.closing}"
    )


@lru_cache(maxsize=256)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))  # equal instants are one entry, so they have one spelling


def _bracketed(address: str) -> str:
    """An address as a Message-ID has it."""
    return f"<{address.replace('+', '.', 1)}>"


def _thread(in_reply_to: str | None) -> str:
    """The lines that answer a mail; what a stranger sent may be anything, and is left out if it is no Message-ID."""
    if not in_reply_to or "=?" in in_reply_to or not _MESSAGE_ID.fullmatch(in_reply_to):
        return ""
    return f"In-Reply-To: {in_reply_to}\r\nReferences: {in_reply_to}\r\n"


def _leaving(paper: Paper, filled: dict[str, str], payload: str) -> str:
    if paper.leave is None:
        return ""
    ways = f"<{filled['leave_url']}>, <mailto:{paper.leave(payload)}>"
    return f"List-Unsubscribe: {headers.matching(ways, 'List-Unsubscribe', _LEAVING)}\r\n"


def _auto_submitted(kind: MailKind) -> str | None:
    """What a machine sent says so, and whether it answers a mail; what a person wrote says nothing (RFC 3834 §5)."""
    match kind:
        case MailKind.ANSWER:
            return None
        case MailKind.TERMINATION_RECEIPT | MailKind.TERMINATION_CONFIRM:
            return "auto-replied"
        case _:
            return "auto-generated"
