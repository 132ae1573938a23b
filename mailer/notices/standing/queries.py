"""Gather what the standing of a person follows from."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices import clocks
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice
from mailer.notices.rules import Days, Via
from mailer.notices.standing import rules
from mailer.notices.standing.rules import Held, Standing
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailKind
from mailer.policies import queries as policies
from mailer.policies.models import Version


def of(session: Session, contact: Contact, today: date, terminated: Container[str | None]) -> Standing:
    """What binds a person on a local day, and what is pending.

    `terminated` holds the versions over which they terminated in time; None among them means all that is pending.
    """
    notices = {one.version_id: one for one in session.scalars(select(Notice).where(Notice.contact_id == contact.id))}
    deemed = set(session.scalars(select(DeemedAgreement.version_id).where(DeemedAgreement.contact_id == contact.id)))
    said = select(ExpressAgreement).where(ExpressAgreement.contact_id == contact.id)
    agreed = {one.version_id: clocks.day_of(one.at) for one in session.scalars(said)}
    joined_on = clocks.day_of(contact.created_at)
    whole = Standing([], [])
    for shelf in policies.shelves(session):
        if contact.origin.value not in shelf.policy.concerns:
            continue
        versions = [version for version in shelf.versions if version.id not in shelf.withdrawals]
        noticed = _noticed(session, versions)
        held = [
            _held(version, notices.get(version.id), version.id in noticed, version.id in deemed, agreed, terminated)
            for version in versions
        ]
        found = rules.stand(held, joined_on, contact.is_consumer, today)
        whole.binding.extend(found.binding)
        whole.pending.extend(found.pending)
    return whole


def _noticed(session: Session, versions: list[Version]) -> set[str]:
    """Those of the versions that people are told of by a notice; others bind by their date."""
    ids = [version.id for version in versions]
    told = select(Mailing.subject_id).where(Mailing.subject_id.in_(ids), Mailing.kind == MailKind.NOTICE)
    return set(session.scalars(told))


def _held(
    version: Version,
    notice: Notice | None,
    is_noticed: bool,
    deemed: bool,
    agreed: dict[str, date],
    terminated: Container[str | None],
) -> Held:
    days = None
    if notice is not None and notice.notified_on and notice.respond_by_on and notice.binding_on:
        days = Days(notice.notified_on, notice.respond_by_on, notice.binding_on)
    return Held(
        version_id=version.id,
        policy=version.policy.slug,
        number=version.number,
        effective_on=version.effective_on,
        is_noticed=is_noticed,
        state=notice.state if notice is not None else None,
        via=notice.via if notice is not None else Via.MAIL,
        days=days,
        deemed=deemed,
        agreed_on=agreed.get(version.id),
        terminated=version.id in terminated or None in terminated,
    )
