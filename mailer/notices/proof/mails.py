"""The mails that told one person of one version: the bytes made again, held against the digest of what was sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.errors import MailerError
from mailer.ledger import queries as ledger
from mailer.ledger.rules import Link
from mailer.notices.proof import chain
from mailer.notices.proof.chain import Proof
from mailer.outbox import queries as outbox
from mailer.outbox.models import Attempt, Mailing, Message

ACCEPTED = "messages.accepted"


@dataclass(frozen=True)
class Sent:
    """One mail about the version, with every try; `why_no_bytes` says why the bundle has not the mail itself."""

    message: Message
    attempts: Sequence[Attempt]
    data: bytes = b""
    why_no_bytes: str = ""

    @property
    def file(self) -> str:
        return f"mail/{self.message.id}.eml"


def tells_of(version_id: str, also: Collection[str] = ()) -> ColumnElement[bool]:
    """Whether a mail concerns a version: by its mailing, or because its key names it, or one of `also`."""
    by_mailing = Message.mailing_id.in_(select(Mailing.id).where(Mailing.subject_id == version_id))
    return or_(by_mailing, *(Message.key.contains(name, autoescape=True) for name in (version_id, *also)))


def about(session: Session, version_id: str, contact: Contact, also: Collection[str]) -> list[Sent]:
    """What one person was sent about a version, or about one of `also`, oldest first."""
    query = select(Message).where(Message.contact_id == contact.id, tells_of(version_id, also))
    found = session.scalars(query.options(joinedload(Message.content)).order_by(Message.row)).all()
    return [_made_again(session, message, contact.erased_at is not None) for message in found]


def prove(session: Session, proof: Proof, sent: Sequence[Sent]) -> set[str]:
    """The place of each mail in the batch with which it was settled; the ids of those that have one (DESIGN §12)."""
    batches = {one.message.batch for one in sent if one.message.batch and one.message.sha256}
    links = {chain.subjects(link)["batch"]: link for link in ledger.naming(session, batches, [ACCEPTED])}
    proven = set()
    for one in sent:
        link = links.get(one.message.batch or "")
        if link is not None and one.message.sha256:
            digests, index = _batch(session, link, one.message.row)
            said = {"message": one.message.id, "sha256": one.message.sha256}
            proof.leaf(link, digests, index, **said, **({"file": one.file} if one.data else {}))
            proven.add(one.message.id)
    return proven


def as_json(one: Sent) -> dict[str, Any]:
    """One mail with the answers of the servers; “accepted” is what the next server did, nobody knows more than that."""
    message = one.message
    return {
        "message": message.id,
        "kind": message.kind.value,
        "to": message.to_address,
        "state": message.state.value,
        "withheld": message.withheld.value if message.withheld else None,
        "made_at": message.created_at.isoformat(),
        "settled_at": message.settled_at.isoformat() if message.settled_at else None,
        "bounced_at": message.bounced_at.isoformat() if message.bounced_at else None,
        "sha256": message.sha256,
        "why_no_file": one.why_no_bytes or None,
        "answers": [
            {
                "at": attempt.at.isoformat(),
                "route": attempt.route,
                "outcome": attempt.outcome.value,
                "code": attempt.code,
                "reply": attempt.reply,
            }
            for attempt in one.attempts
        ],
    }


def _made_again(session: Session, message: Message, is_erased: bool) -> Sent:
    attempts = outbox.attempts(session, message)
    if message.sha256 is None:
        return Sent(message, attempts, why_no_bytes="no server took it, so nothing was sent that could be shown")
    if is_erased:
        return Sent(
            message, attempts, why_no_bytes="the person was erased; its SHA-256 and its place in the ledger stay"
        )
    try:
        mail = compose.compose(message)
    except MailerError as fault:
        return Sent(message, attempts, why_no_bytes=f"it could not be made again: {str(fault).rstrip('.')}")
    if mail.sha256 != message.sha256:
        return Sent(message, attempts, why_no_bytes="made again it has other bytes than those that were sent")
    return Sent(message, attempts, mail.data)


def _batch(session: Session, link: Link, row: int) -> tuple[list[str], int]:
    """The digests of a settled batch in order, and the place of one message."""
    said = chain.subjects(link)
    first, last = said["rows"]
    query = select(Message.row, Message.sha256).where(Message.row.between(first, last), Message.batch == said["batch"])
    rows = session.execute(query.order_by(Message.row)).all()
    return [digest or "" for _, digest in rows], [number for number, _ in rows].index(row)
