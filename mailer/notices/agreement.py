"""Who agrees with a version: by use, which is derived and never of a consumer, or by saying so (S5; invariant 7).

An agreement is about a text and nothing else. It writes no consent, and the database would refuse one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from mailer import db, ids
from mailer.contacts.models import Contact, ContactUse
from mailer.errors import Conflict
from mailer.ledger import actions as ledger
from mailer.ledger.merkle import merkle_root
from mailer.notices import facts, rules
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice, NoticeFact
from mailer.notices.rules import FactKind, NoticeState
from mailer.policies import queries as policy_queries
from mailer.policies.models import Version

SLICE = 20_000  # so many people are looked at in one transaction


class NothingToAgreeWith(Conflict):
    """A version that was withdrawn: it will bind nobody."""


def find(session: Session, notice: Notice) -> ExpressAgreement | None:
    """What the person of this notice said, if they did."""
    mine = ExpressAgreement.version_id == notice.version_id, ExpressAgreement.contact_id == notice.contact_id
    return session.scalar(select(ExpressAgreement).where(*mine))


def agree(session: Session, notice: Notice, wording: str, source: str, at: datetime) -> bool:
    """The person says that they agree with a version, in these words; False if they said so before."""
    if notice.state is NoticeState.ENDED:
        raise NothingToAgreeWith("This change was withdrawn. Nothing changes for you, and you need not answer.")
    digest = hashlib.sha256(wording.encode()).hexdigest()
    row = db.insert(session, ExpressAgreement).values(
        version_id=notice.version_id, contact_id=notice.contact_id, source=source, wording_digest=digest, at=at
    )
    if session.scalar(row.on_conflict_do_nothing().returning(ExpressAgreement.id)) is None:
        return False
    facts.happened(session, notice, FactKind.AGREED, at, wording=digest, source=source)
    said: dict[str, Any] = {"version": notice.version_id, "wording": digest}
    ledger.record(session, "agreement.expressed", at, contact_id=notice.contact_id, source=source, **said)
    ledger.tell(session, "agreement.expressed", at, contact_id=notice.contact_id, **said)
    return True


def end_of_slice(session: Session, version: Version, after: str, size: int = SLICE) -> str | None:
    """The contact id that ends the next `size` people told of a version, in order of id; None if the rest is fewer."""
    told = Notice.version_id == version.id, Notice.state == NoticeState.ACCEPTED, Notice.contact_id > after
    return session.scalar(select(Notice.contact_id).where(*told).order_by(Notice.contact_id).offset(size - 1).limit(1))


def deem(
    session: Session,
    version: Version,
    today: date,
    at: datetime,
    *,
    terminated: Select[Any],
    undecided: Select[Any],
    after: str = "",
    until: str | None = None,
) -> int:
    """Derive, in one INSERT … SELECT, who is deemed to agree with a version by now; how many are new (S5).

    Of the people whose id comes after `after`, up to `until` if it is said. The SQL of `rules.why_not_agreed`; a
    property test holds the two together. Safe to run twice.
    """
    if policy_queries.is_withdrawn(session, version.id):
        return 0
    first_use = (
        select(func.min(ContactUse.used_on))
        .where(
            ContactUse.contact_id == Notice.contact_id, ~ContactUse.automatic, ContactUse.used_on >= Notice.binding_on
        )
        .scalar_subquery()
    )
    consumer = exists().where(Contact.id == Notice.contact_id, Contact.is_consumer)
    expressed = exists().where(
        ExpressAgreement.version_id == Notice.version_id, ExpressAgreement.contact_id == Notice.contact_id
    )
    known = exists().where(
        DeemedAgreement.version_id == Notice.version_id, DeemedAgreement.contact_id == Notice.contact_id
    )
    rows = select(
        Notice.version_id,
        Notice.contact_id,
        Notice.notified_on,
        Notice.binding_on,
        first_use,
        literal(at, DeemedAgreement.at.type),
    ).where(
        Notice.version_id == version.id,
        Notice.state == NoticeState.ACCEPTED,
        Notice.contact_id > after,
        Notice.respond_by_on < today,
        Notice.binding_on <= today,
        first_use.is_not(None),
        ~consumer,
        ~expressed,
        Notice.contact_id.not_in(terminated),
        Notice.contact_id.not_in(undecided),
        ~known,
    )
    if until is not None:
        rows = rows.where(Notice.contact_id <= until)
    names = ["version_id", "contact_id", "notified_on", "binding_on", "used_on", "at"]
    insert = db.insert(session, DeemedAgreement).from_select(names, rows).on_conflict_do_nothing()
    told = (
        DeemedAgreement.contact_id,
        DeemedAgreement.notified_on,
        DeemedAgreement.binding_on,
        DeemedAgreement.used_on,
    )
    made = session.execute(insert.returning(*told)).all()
    if made:
        _tell_deemed(session, version, made, at)
    return len(made)


def _tell_deemed(session: Session, version: Version, made: Sequence[Row[Any]], at: datetime) -> None:
    """One entry for the batch, with the Merkle root of the facts it rests on; a fact and an event for each person."""
    batch = ids.new("dmb")
    leaves = sorted(rules.deemed_leaf(one.contact_id, one.notified_on, one.binding_on, one.used_on) for one in made)
    root = merkle_root(hashlib.sha256(leaf.encode()).hexdigest() for leaf in leaves)
    entry: dict[str, Any] = {"version": version.id, "batch": batch, "count": len(made), "root": root}
    ledger.record(session, "agreement.deemed", at, **entry)
    rows = [
        {
            "version_id": version.id,
            "contact_id": one.contact_id,
            "kind": FactKind.DEEMED,
            "at": at,
            "on_date": one.used_on,
            "batch": batch,
            "data": {"used_on": one.used_on.isoformat()},
        }
        for one in made
    ]
    session.execute(insert(NoticeFact), rows)
    ledger.tell_many(session, "agreement.deemed", at, ((one.contact_id, {"version": version.id}) for one in made))
