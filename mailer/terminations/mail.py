"""The two letters of this room: the receipt, and the link that confirms a termination from the primary address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from babel.dates import format_date
from sqlalchemy.orm import Session

from mailer import settings, signing
from mailer.contacts.models import Contact
from mailer.delivery import content
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.terminations import queries
from mailer.terminations.models import Termination

WHY = {
    "en": "you wrote to us that you terminate your use of our service.",
    "nl": "u schreef ons dat u uw gebruik van onze dienst opzegt.",
}


def send_receipt(
    session: Session, termination: Termination, contact: Contact, version: Version | None, at: datetime
) -> None:
    """One receipt per termination, in the person's language, with date, version and what follows."""
    _put(session, MailKind.TERMINATION_RECEIPT, termination, contact, _facts(termination, contact, version), at)


def ask_to_confirm(
    session: Session, termination: Termination, contact: Contact, version: Version | None, at: datetime
) -> None:
    """Ask at the primary address whether the termination is meant; the first mail's time stands either way."""
    token = signing.sign(queries.CONFIRM, termination.id)
    facts = _facts(termination, contact, version) | {"confirm_url": f"{settings.current().url}/terminations/{token}"}
    _put(session, MailKind.TERMINATION_CONFIRM, termination, contact, facts, at)


def _facts(termination: Termination, contact: Contact, version: Version | None) -> dict[str, Any]:
    def say(day: Any) -> str:
        return format_date(day, "full", locale=contact.locale) if day else ""

    return {
        "received_on": say(termination.received_on),
        "respond_by_on": say(termination.respond_by_on),
        "timing": termination.timing.value,
        "policy_title": version.policy.title if version else "",
        "version_number": version.number if version else 0,
        "reference": termination.id,
    }


def _put(
    session: Session, kind: MailKind, termination: Termination, contact: Contact, facts: dict[str, Any], at: datetime
) -> None:
    content_id = content.freeze(session, kind, contact.locale, facts, at, why=WHY[contact.locale])
    outbox.put(
        session,
        kind=kind,
        contact=contact,
        content_id=content_id,
        key=f"{kind}/{termination.id}",
        at=at,
        in_reply_to=termination.in_reply_to or None,
    )
