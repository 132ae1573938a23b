"""Deemed agreement is derived, once, from facts; its SQL says what its rule says (S5, invariant 7)."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices import actions as notices
from mailer.notices import agreement, queries
from mailer.notices.models import DeemedAgreement, Notice, NoticeFact
from mailer.notices.rules import FactKind, NoticeState, why_not_agreed
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, Release, accept, fan_out

NOBODY = select(Contact.id).where(Contact.id == "")
LATER = datetime(2027, 1, 20, 12, tzinfo=UTC)
DAY = date(2027, 1, 20)


def only(*people: Contact) -> Select[str]:
    return select(Contact.id).where(Contact.id.in_([person.id for person in people]))


def use(session: Session, contact: Contact, day: date, *, automatic: bool = False) -> None:
    instant = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    contacts.record_use(session, contact, day, instant, "trac", automatic)


def agreed(session: Session, version: Version) -> set[str]:
    return set(session.scalars(select(DeemedAgreement.contact_id).where(DeemedAgreement.version_id == version.id)))


def test_only_the_told_who_stayed_and_used_the_service_are_deemed_to_agree(session: Session, release: Release) -> None:
    names = ("used", "terminated", "undecided", "machine", "early", "idle", "unreached", "bounced")
    people = {name: factories.contact(session, name=name) for name in names}
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for name, person in people.items():
        if name != "unreached":
            accept(session, version, person)
        if name not in ("idle", "early"):
            use(session, person, EFFECTIVE_ON, automatic=name == "machine")
    use(session, people["early"], EFFECTIVE_ON - timedelta(days=1))
    notices.bounced(session, queries.find_message(session, _notice(session, version, people["bounced"])), AT, "550")  # type: ignore[arg-type]
    stays = {"terminated": only(people["terminated"]), "undecided": only(people["undecided"])}
    assert agreement.deem(session, version, EFFECTIVE_ON - timedelta(days=1), LATER, **stays) == 0
    assert agreement.deem(session, version, DAY, LATER, **stays) == 1
    assert agreement.deem(session, version, DAY, LATER, **stays) == 0, "told once"
    assert agreed(session, version) == {people["used"].id}
    session.commit()
    assert session.scalar(select(func.count()).select_from(Event).where(Event.kind == "agreement.deemed")) == 1
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "agreement.deemed")).one()
    assert '"count":1' in entry.subjects
    assert version in queries.binding_versions(session, DAY)


def test_many_are_derived_slice_by_slice_each_with_an_entry_of_its_own(session: Session, release: Release) -> None:
    people = [factories.contact(session) for _ in range(5)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for person in people:
        accept(session, version, person)
        use(session, person, EFFECTIVE_ON)
    after, made = "", []
    nobody = {"terminated": NOBODY, "undecided": NOBODY}
    while (until := agreement.end_of_slice(session, version, after, size=2)) is not None:
        made.append(agreement.deem(session, version, DAY, LATER, after=after, until=until, **nobody))
        after = until
    made.append(agreement.deem(session, version, DAY, LATER, after=after, **nobody))
    assert made == [2, 2, 1]
    assert agreed(session, version) == {person.id for person in people}
    session.commit()
    entries = session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "agreement.deemed")).all()
    batches = {json.loads(subjects)["batch"]: json.loads(subjects)["count"] for subjects in entries}
    facts = select(NoticeFact.batch, func.count()).where(NoticeFact.kind == FactKind.DEEMED).group_by(NoticeFact.batch)
    assert dict(session.execute(facts).all()) == batches
    assert sorted(batches.values()) == [1, 2, 2]


def test_a_withdrawn_version_is_agreed_to_by_nobody(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    use(session, anna, EFFECTIVE_ON)
    assert version in queries.binding_versions(session, DAY)
    notices.withdraw(session, version, version.author_id or "", "A mistake.", AT)
    assert agreement.deem(session, version, DAY, LATER, terminated=NOBODY, undecided=NOBODY) == 0
    assert version not in queries.binding_versions(session, DAY)


@pytest.mark.parametrize("seed", range(3))
def test_the_sql_says_what_the_rule_says(session: Session, release: Release, seed: int) -> None:
    chance = random.Random(seed)
    people = [factories.contact(session) for _ in range(30)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for person in people:
        notice = _notice(session, version, person)
        notice.state = chance.choice([*NoticeState, *[NoticeState.ACCEPTED] * 8])
        if notice.state is NoticeState.ACCEPTED or chance.random() < 0.2:
            told = AT.date() + timedelta(days=chance.randrange(45))
            notice.notified_on, notice.respond_by_on = told, told + timedelta(days=30)
            notice.binding_on = max(EFFECTIVE_ON, told + timedelta(days=31))
        for _ in range(chance.randrange(4)):
            day = EFFECTIVE_ON + timedelta(days=chance.randrange(-10, 30))
            use(session, person, day, automatic=chance.random() < 0.3)
    terminated, undecided = chance.sample(people, 4), chance.sample(people, 4)
    today = EFFECTIVE_ON + timedelta(days=chance.randrange(3, 30))
    session.flush()
    expected = {
        person.id
        for person in people
        if why_not_agreed(
            queries.facts(
                session,
                _notice(session, version, person),
                terminated=person in terminated,
                undecided=person in undecided,
            ),
            today,
        )
        is None
    }
    agreement.deem(session, version, today, LATER, terminated=only(*terminated), undecided=only(*undecided))
    assert agreed(session, version) == expected
    assert expected, "facts that prove nothing"


def _notice(session: Session, version: Version, person: Contact) -> Notice:
    found = queries.find(session, version.id, person.id)
    assert found is not None
    return found
