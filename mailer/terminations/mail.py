"""The two letters of this room: the receipt, and the link that confirms a termination from the primary address."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from sqlalchemy.orm import Session

from mailer import settings, signing
from mailer.contacts.models import Contact
from mailer.delivery import content
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.policies.models import Version
from mailer.terminations import queries, rules
from mailer.terminations.models import Termination
from mailer.terminations.rules import State

LINK = "link/"  # begins the source of a request that was begun from the link in a notice
DAY = "EEEE d MMMM y"
BABEL = {"en": "en_GB", "nl": "nl"}
WHY = {
    "en": "you told us that you terminate your use of our service.",
    "nl": "u liet ons weten dat u uw gebruik van onze dienst opzegt.",
}
WHY_ASKED = {  # it may not have been this person who said so
    "en": "somebody told us, in your name, that you terminate your use of our service.",
    "nl": "iemand liet ons namens u weten dat u uw gebruik van onze dienst opzegt.",
}


def send_receipt(
    session: Session,
    termination: Termination,
    contact: Contact,
    version: Version | None,
    at: datetime,
    *,
    corrects: bool = False,
) -> None:
    """One receipt per termination, in the person's language, with date, version and what follows.

    A second goes out only where it `corrects` what the first said of the time, or where the first was stopped.
    """
    kind = MailKind.TERMINATION_RECEIPT
    key = f"{kind}/{termination.id}/corrected" if corrects else f"{kind}/{termination.id}"
    if stopped := queries.stopped_receipts(session, termination.id):
        key = f"{key}/{stopped + 1}"
    facts = _facts(termination, contact, version) | {"ordinary_url": ""}
    if rules.is_offered(State.RECORDED, termination.timing, termination.ordinary_at):
        facts["ordinary_url"] = _link(queries.ORDINARY, termination, "/ordinary")
    _put(session, kind, key, termination, contact, facts, WHY, at)


def stop_receipt(session: Session, termination: Termination, at: datetime) -> bool:
    """Keep a receipt that has not gone out from going; False if it has gone, or is going this moment."""
    session.flush()
    outbox.cancel(session, queries.receipts(termination.id), at)
    return not queries.has_live_receipt(session, termination.id)


def ask_to_confirm(
    session: Session, termination: Termination, contact: Contact, version: Version | None, at: datetime
) -> None:
    """Ask at the primary address whether the termination is meant; the first mail's time stands either way.

    Asked again, it is another letter: the first may have been lost.
    """
    kind = MailKind.TERMINATION_CONFIRM
    asked = len(queries.answered_at(session, contact.id, termination.version_id))
    key = f"{kind}/{termination.id}/{asked + 1}" if asked else f"{kind}/{termination.id}"
    facts = _facts(termination, contact, version) | {
        "confirm_url": _link(queries.CONFIRM, termination, ""),
        "by_link": termination.source_id.startswith(LINK),
    }
    _put(session, kind, key, termination, contact, facts, WHY_ASKED, at)


def _link(purpose: str, termination: Termination, under: str) -> str:
    return f"{settings.current().url}/terminations{under}/{signing.sign(purpose, termination.id)}"


def _facts(termination: Termination, contact: Contact, version: Version | None) -> dict[str, Any]:
    def say(day: date | None) -> str:
        return format_date(day, DAY, locale=BABEL[contact.locale]) if day else ""

    words = (version.in_language(contact.locale) or version) if version else None
    return {
        "received_on": say(termination.received_on),
        "respond_by_on": say(termination.respond_by_on),
        "timing": termination.timing.value,
        "policy_title": words.title if words else "",
        "version_number": version.number if version else 0,
        "reference": termination.id,
    }


def _put(
    session: Session,
    kind: MailKind,
    key: str,
    termination: Termination,
    contact: Contact,
    facts: dict[str, Any],
    why: dict[str, str],
    at: datetime,
) -> None:
    outbox.put(
        session,
        kind=kind,
        contact=contact,
        content_id=content.freeze(session, kind, contact.locale, facts, at, why=why[contact.locale]),
        key=key,
        at=at,
        in_reply_to=termination.in_reply_to or None,
    )
