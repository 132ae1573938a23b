"""Erase a person everywhere (S11). It stands here because no room below knows all the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from mailer.consent import actions as consent
from mailer.contacts import actions as contacts
from mailer.contacts import queries
from mailer.contacts.models import Contact
from mailer.inbound import actions as inbound
from mailer.outbox import actions as outbox
from mailer.services.models import ReceivedWebhook
from mailer.staff.models import Task
from mailer.terminations.models import Termination


def erase(session: Session, contact: Contact, at: datetime) -> None:
    """Take everything personal out of every room; ids, times, digests and the keyed hash of the address stay.

    What still waits to be sent finds the person erased and is withheld. A second time changes nothing.
    """
    session.refresh(contact, with_for_update=True)
    if contact.erased_at is not None:
        return
    for former in queries.merged(session, contact.id):
        erase(session, former, at)
    consent.forget(session, contact)
    outbox.forget(session, contact)
    _forget_mail(session, contact)
    _forget_calls(session, contact)
    session.execute(update(Task).where(Task.contact_id == contact.id).values(text="The person was erased.", note=""))
    contacts.erase(session, contact, at)


def _forget_mail(session: Session, contact: Contact) -> None:
    """What the person wrote to us; that it came, when, and its digest stay."""
    inbound.forget(session, contact)
    session.execute(update(Termination).where(Termination.contact_id == contact.id).values(in_reply_to=""))


def _forget_calls(session: Session, contact: Contact) -> None:
    """What other services told us about the person; the call's id and its effect stay."""
    about = ReceivedWebhook.result["contact"].as_string() == contact.id
    session.execute(update(ReceivedWebhook).where(about).values(body=b"").execution_options(synchronize_session=False))
