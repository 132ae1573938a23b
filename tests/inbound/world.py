"""People who were told of a version, and the mails they and their servers send back; through the real actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import settings, signing
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.inbound import actions as inbound
from mailer.inbound import child, queries
from mailer.inbound.models import InboundMail
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.terminations.models import Termination
from tests import factories

AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
RESPOND_BY = date(2026, 12, 24)


@dataclass(frozen=True)
class Told:
    """A person, the notice that went out to them, and its message."""

    contact: Contact
    message: Message
    notice: Notice

    @property
    def reply(self) -> str:
        return address(self.message, "reply")

    @property
    def message_id(self) -> str:
        return compose.message_id_header(self.message)


def told(
    session: Session,
    email: str = "jan@example.nl",
    *,
    locale: str = "nl",
    slug: str = "privacy",
    respond_by_on: date = RESPOND_BY,
    contact: Contact | None = None,
) -> Told:
    """A person whose notice was accepted and whose clock runs."""
    who = contact or factories.contact(session, email, name="Jan Bakker", locale=locale)
    version = session.scalar(select(Version).where(Version.policy.has(slug=slug)))
    if version is None:
        version = session.scalars(
            select(Version).where(Version.policy_id == factories.policy(session, slug, at=AT).id)
        ).one()
    message = factories.message(session, who, kind=MailKind.NOTICE, at=AT)
    notice = Notice(
        version_id=version.id,
        contact_id=who.id,
        message_row=message.row,
        state=NoticeState.ACCEPTED,
        notified_on=date(2026, 11, 24),
        respond_by_on=respond_by_on,
        binding_on=date(2026, 12, 25),
        updated_at=AT,
    )
    session.add(notice)
    session.add_all(_facts(notice))
    session.flush()
    return Told(who, message, notice)


def _facts(notice: Notice) -> list[NoticeFact]:
    """What led to the notice of somebody who was told."""
    days = (("respond_by_on", notice.respond_by_on), ("binding_on", notice.binding_on))
    said = {FactKind.PLANNED: {}, FactKind.ACCEPTED: {name: day.isoformat() for name, day in days if day}}
    return [
        NoticeFact(
            version_id=notice.version_id,
            contact_id=notice.contact_id,
            kind=kind,
            at=AT,
            on_date=date(2026, 11, 24),
            message_row=notice.message_row,
            data=data,
        )
        for kind, data in said.items()
    ]


def address(message: Message, word: str) -> str:
    """An address of ours for a message, as it stands in the mail."""
    return signing.address(word, message.id.removeprefix("msg_"), settings.current().reply_domain, message.key_id)


def letter(
    text: str,
    *headers: str,
    sender: str = "jan@example.nl",
    to: str = "privacy@leadmark.example",
    proven: bool = False,
    message_id: str = "<one@example.nl>",
) -> bytes:
    """A plain mail; `proven` adds what our own mail server would have found out about its sender."""
    lines = list(headers)
    if proven:
        domain = sender.rpartition("@")[2]
        lines.insert(
            0, f"Authentication-Results: {settings.current().trusted_authserv_ids[0]}; dmarc=pass header.from={domain}"
        )
    lines += [f"From: {sender}", f"To: {to}", "Subject: Re: Wijziging", f"Message-ID: {message_id}"]
    return "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", text]).encode()


def report(to: str, *, action: str = "failed", status: str = "5.1.1", said: str = "550 5.1.1 No such user") -> bytes:
    """What a mail server sends when it could not hand a mail over (RFC 3464)."""
    return "\r\n".join(
        [
            "From: Mail delivery <mailer-daemon@example.nl>",
            f"To: {to}",
            "Subject: Undeliverable",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: text/plain",
            "",
            "It could not be delivered.",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.nl",
            "",
            "Final-Recipient: rfc822; jan@example.nl",
            f"Action: {action}",
            f"Status: {status}",
            f"Diagnostic-Code: smtp; {said}",
            "",
            "--b--",
            "",
        ]
    ).encode()


def complaint(to: str) -> bytes:
    """What a mailbox provider sends when a reader presses “spam” (RFC 5965)."""
    return "\r\n".join(
        [
            "From: feedback@provider.example",
            f"To: {to}",
            "Subject: Abuse report",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
            "",
            "--b",
            "Content-Type: text/plain",
            "",
            "This is a report.",
            "--b",
            "Content-Type: message/feedback-report",
            "",
            "Feedback-Type: abuse",
            "Version: 1",
            "",
            "--b--",
            "",
        ]
    ).encode()


def take_in(
    session: Session,
    raw: bytes,
    recipient: str = "privacy@leadmark.example",
    *,
    at: datetime = AT,
    sender: str = "a@b.nl",
) -> InboundMail:
    """Keep a mail and read all that waits, as the listener and the job do."""
    mail_id = inbound.keep(session, raw, sender=sender, recipient=recipient, door="smtp", at=at)
    while (claimed := inbound.claim(session, at)) is not None:
        inbound.act(session, claimed[0], child.read_here(claimed[1]), at)
    session.flush()
    return queries.get(session, mail_id)


def terminations(session: Session) -> list[Termination]:
    return list(session.scalars(select(Termination).order_by(Termination.id)))


def sent(session: Session, kind: MailKind) -> list[Message]:
    """The mails of a kind that were put."""
    return list(session.scalars(select(Message).where(Message.kind == kind).order_by(Message.row)))
