"""Gather what every room knows of one person and one version, and make the evidence of it.

It stands here because no room below knows all the others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, undefer

from mailer import db
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact
from mailer.db import reading, transaction
from mailer.errors import Invalid
from mailer.inbound.models import InboundMail
from mailer.ledger import actions as ledger
from mailer.notices.proof import bundle, mails
from mailer.notices.proof.model import Answers, Received, Terminated
from mailer.outbox.models import Message
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.terminations import queries as terminations
from mailer.terminations.models import Termination

_NUMBERED = re.compile(r"([a-z0-9-]+)/([0-9]{1,6})")


class BadVersion(Invalid):
    """Not the name of a version."""

    field = "version"


def find_version(session: Session, said: str) -> Version:
    """The version meant by its id or by `SLUG/NUMBER`; NoSuchVersion, NoSuchPolicy or BadVersion if none is."""
    found = _NUMBERED.fullmatch(said)
    if found:
        return policies.shelf(session, policies.get(session, found[1])).get(int(found[2]))
    if not said.startswith("ver_"):
        raise BadVersion(f"version: “{said[:80]}” names no version; write privacy/2, or an id like ver_01….")
    return policies.get_version(session, said)


@dataclass(frozen=True)
class Bundle:
    """An archive and what to call it."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def give(who: str, which: str, by: str, at: datetime) -> Bundle:
    """The evidence of one person (an id, a reference or an address) and one version.

    It is made beside all other work; then it is recorded that it was given, to whom, and its digest.
    """
    with _snapshot() as session:
        contact, version = contacts.look_up(session, who), find_version(session, which)
        data = bundle.of_person(session, version, contact, _answers(session, contact, version))
        made = Bundle(_file_name(version, contact.id), data)
    with transaction() as session:
        said: dict[str, Any] = {"version": version.id, "by": by, "sha256": made.sha256}
        ledger.record(session, "evidence.given", at, contact_id=contact.id, **said)
    return made


def give_whole(which: str, by: str, at: datetime) -> Bundle:
    """The evidence of a whole version; that it was given is recorded with its Merkle root and its digest."""
    with _snapshot() as session:
        version = find_version(session, which)
        data, summary = bundle.of_version(session, version, terminations.recorded(version.id))
        made = Bundle(_file_name(version), data)
    with transaction() as session:
        said: dict[str, Any] = {"root": summary["root"], "people": summary["people"], "sha256": made.sha256}
        ledger.record(session, "evidence.summed_up", at, version=version.id, by=by, **said)
    return made


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees the records as they were at its first look, however long it reads."""
    with reading() as session:
        if db.is_postgresql(session):  # SQLite's readers have it so of themselves
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def _file_name(version: Version, who: str = "") -> str:
    return "-".join(["evidence", version.policy.slug, str(version.number), *([who] if who else [])]) + ".zip"


def _answers(session: Session, contact: Contact, version: Version) -> Answers:
    concerns = or_(Termination.version_id == version.id, Termination.version_id.is_(None))
    ended = session.scalars(
        select(Termination)
        .where(Termination.contact_id == contact.id, concerns)
        .order_by(Termination.received_at, Termination.id)
    ).all()
    return Answers(
        received=tuple(_received(one) for one in _mails(session, contact, version, ended)),
        terminated=tuple(_terminated(one) for one in ended),
    )


def _mails(session: Session, contact: Contact, version: Version, ended: Sequence[Termination]) -> Sequence[InboundMail]:
    """Bounces of and replies to what the person was sent about the version, and what a termination came by."""
    sent = select(Message.row).where(
        Message.contact_id == contact.id, mails.tells_of(version.id, [one.id for one in ended])
    )
    which = or_(InboundMail.message_row.in_(sent), InboundMail.id.in_([one.source_id for one in ended]))
    query = select(InboundMail).where(InboundMail.contact_id == contact.id, which).options(undefer(InboundMail.raw))
    return session.scalars(query.order_by(InboundMail.received_at, InboundMail.id)).all()


def _received(mail: InboundMail) -> Received:
    kind = mail.decided_kind or mail.kind
    return Received(mail.id, mail.sha256, mail.received_at, mail.door, kind.value if kind else "not read", mail.raw)


def _terminated(one: Termination) -> Terminated:
    return Terminated(
        id=one.id,
        source_id=one.source_id,
        state=one.state.value,
        timing=one.timing.value,
        received_at=one.received_at,
        received_on=one.received_on,
        respond_by_on=one.respond_by_on,
        recorded_at=one.recorded_at,
    )
