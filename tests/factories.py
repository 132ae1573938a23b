"""Small things that tests begin with, made through the real actions; few arguments, sensible the rest."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from mailer import clock, ids, settings
from mailer.consent import actions as consent
from mailer.consent.models import Topic
from mailer.consent.rules import Basis
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.outbox import actions as outbox
from mailer.outbox import audience, look
from mailer.outbox.models import Content, Mailing, Message
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies.models import Policy, Version
from mailer.staff import passwords
from mailer.staff.models import Staff
from mailer.staff.rules import Role
from mailer.terminations.models import Termination
from mailer.terminations.rules import State as Recorded
from mailer.terminations.rules import Timing

PASSWORD = "a lantern over the quay"
POLICY_TEXT = "# Privacy statement\n\n## What we keep\n\nWe keep your name and your address for two years.\n"
_number = itertools.count(1)


def in_hand(session: Session, rows: Collection[int], at: datetime) -> list[Outgoing]:
    """The messages as a worker that claimed them has them."""
    query = look.mails(Message.row.in_(rows))
    return [mail for mail, _ in look.read(session, query, {}, at)]


def topic(session: Session, key: str = "news") -> Topic:
    """A topic that people may subscribe to."""
    return consent.add_topic(session, key, key.capitalize(), f"Yes, send me {key}.")


def contact(
    session: Session,
    email: str = "",
    *,
    origin: Origin = Origin.ACCOUNT_HOLDER,
    name: str = "Anna de Vries",
    locale: str = "en",
    reference: str | None = None,
    topics: Collection[str] = (),
    at: datetime | None = None,
) -> Contact:
    """A person, with consent to each of `topics`."""
    at = at or clock.now()
    email = email or f"person{next(_number)}@people.example"
    made = contacts.upsert(
        session, email=email, origin=origin, at=at, source="test", reference=reference, name=name, locale=locale
    )
    for key in topics:
        given = topic(session, key)
        consent.grant(
            session, made, key, basis=Basis.CONSENT, wording=given.wording, source="test", at=at, evidence="form 1"
        )
    return made


def staff(session: Session, *roles: Role, email: str = "", name: str = "Sam Bakker") -> Staff:
    """A colleague past the first password; signs in with `PASSWORD`."""
    email = email or f"colleague{next(_number)}@company.example"
    made = Staff(
        id=ids.new("stf"),
        email=email,
        email_key=email,
        name=name,
        roles=sorted(role.value for role in roles or tuple(Role)),
        password_hash=_hash(),
        must_change=False,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def policy(session: Session, slug: str = "privacy", text: str = POLICY_TEXT, at: datetime | None = None) -> Policy:
    """A policy whose version 1 is in effect."""
    version = policies.import_first(
        session, slug=slug, title="Privacy statement", text=text, effective_on=None, at=at or clock.now()
    )
    return version.policy


def content(session: Session, kind: MailKind = MailKind.ADMINISTRATIVE, text: str = "Hello.") -> str:
    """Frozen wording of a kind, in English; gives its id."""
    made = Content(
        id=f"{next(_number):064x}",
        kind=kind,
        locale="en",
        sender="Company <service@company.example>",
        reply_domain="reply.company.example",
        url="http://127.0.0.1:8025",
        subject="A message",
        text=text,
        html=f"<p>{text}</p>",
        created_at=clock.now(),
    )
    return outbox.keep_content(session, made)


def mailing(session: Session, *, content_id: str | None = None, at: datetime | None = None) -> Mailing:
    """A campaign to everybody who gets the news; its messages are still to be made."""
    return outbox.create_mailing(
        session,
        kind=MailKind.CAMPAIGN,
        subject_id=ids.new("cmp"),
        contents={"en": content_id or content(session, MailKind.CAMPAIGN)},
        audience=audience.of_topic("news"),
        topic="news",
        at=at or clock.now(),
    )


def fan_out(session: Session, mailing: Mailing, at: datetime | None = None) -> Mailing:
    """Make all messages of a mailing."""
    while outbox.fan_out_slice(session, mailing, at or clock.now()):
        pass
    return mailing


def message(
    session: Session,
    to: Contact | None = None,
    *,
    kind: MailKind = MailKind.ADMINISTRATIVE,
    topic: str | None = None,
    at: datetime | None = None,
) -> Message:
    """One queued mail to a person."""
    to = to or contact(session, at=at)
    key = f"test/{next(_number)}"
    content_id = content(session, kind)
    return outbox.put(session, kind=kind, contact=to, content_id=content_id, key=key, at=at or clock.now(), topic=topic)


def termination(version: Version, who: Contact, at: datetime, **other: Any) -> Termination:
    """That this person terminated over a version in time; recorded, unless `other` says otherwise."""
    usual: dict[str, Any] = {"state": Recorded.RECORDED, "timing": Timing.IN_TIME, "source_id": f"test/{who.id}"}
    zone = settings.current().zone
    days = {"received_at": at, "received_on": clock.local_day(at, zone)}
    return Termination(id=ids.new("trm"), contact_id=who.id, version_id=version.id, **usual | days | other)


@lru_cache(maxsize=1)
def _hash() -> str:
    return passwords.hash_password(PASSWORD)
