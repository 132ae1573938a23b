from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.contacts import actions, queries, rules
from mailer.contacts.models import Address, Contact, ErasedAddress
from mailer.contacts.rules import Origin
from mailer.ledger.models import LedgerEntry
from tests import factories
from tests.conftest import Configure

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def upsert(session: Session, email: str, origin: Origin = Origin.ACCOUNT_HOLDER, **said: object) -> Contact:
    return actions.upsert(session, email=email, origin=origin, at=AT, source="test", **said)  # type: ignore[arg-type]


def ledger_kinds(session: Session) -> list[str]:
    session.commit()
    return list(session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)))


def test_a_person_known_by_address_is_corrected_and_not_doubled(session: Session) -> None:
    first = upsert(session, "anna@people.example", name="Anna", locale="nl", company="Kade")
    again = upsert(session, "ANNA@people.example", name="Anna de Vries")
    assert again is first
    assert (first.name, first.company, first.locale) == ("Anna de Vries", "Kade", "nl")
    assert session.scalar(select(func.count()).select_from(Address)) == 1
    assert ledger_kinds(session) == ["contact.added", "contact.corrected"]


def test_a_time_zone_is_kept_until_another_is_told_and_goes_with_the_person(session: Session) -> None:
    anna = upsert(session, "anna@people.example", time_zone="Europe/Amsterdam")
    upsert(session, "anna@people.example")
    assert anna.time_zone == "Europe/Amsterdam"
    upsert(session, "anna@people.example", time_zone="America/New_York")
    assert anna.time_zone == "America/New_York"
    with pytest.raises(rules.UnknownTimeZone):
        upsert(session, "anna@people.example", time_zone="New York")
    assert ledger_kinds(session) == ["contact.added", "contact.corrected"]
    actions.erase(session, anna, AT)
    assert anna.time_zone is None


def test_saying_the_same_again_is_no_event(session: Session) -> None:
    for _ in range(3):
        upsert(session, "anna@people.example", name="Anna", reference="r-1")
    assert ledger_kinds(session) == ["contact.added"]


def test_a_person_known_by_reference_is_found_also_without_saying_it(session: Session) -> None:
    first = upsert(session, "anna@people.example", reference="r-1")
    assert upsert(session, "anna@people.example", name="Anna") is first
    assert first.reference == "r-1"


def test_a_new_address_becomes_the_primary_one_and_so_does_an_old_one_that_comes_back(session: Session) -> None:
    person = upsert(session, "a@people.example", reference="r-1")
    for email in ("b@people.example", "a@people.example"):
        upsert(session, email, reference="r-1")
        session.expire(person)
        assert person.primary is not None
        assert person.primary.email == email
        assert len(person.addresses) == 2 or email == "a@people.example"


def test_who_was_found_by_a_second_address_keeps_the_primary_one(session: Session) -> None:
    person = upsert(session, "a@people.example", reference="r-1")
    upsert(session, "b@people.example", reference="r-1")
    assert upsert(session, "a@people.example", name="Anna") is person
    assert person.primary is not None
    assert person.primary.email == "b@people.example"


def test_an_address_of_somebody_else_is_refused(session: Session) -> None:
    upsert(session, "anna@people.example", reference="r-1")
    with pytest.raises(actions.AddressTaken, match=r"^email: "):
        upsert(session, "anna@people.example", reference="r-2")


def test_an_origin_is_never_weakened(session: Session) -> None:
    person = upsert(session, "anna@people.example", Origin.ACCOUNT_HOLDER)
    upsert(session, "anna@people.example", Origin.THIRD_PARTY)
    assert person.origin is Origin.ACCOUNT_HOLDER


def test_a_closed_account_is_opened_only_by_who_knows(session: Session) -> None:
    person = upsert(session, "anna@people.example")
    actions.close(session, person, AT)
    upsert(session, "anna@people.example", reopens=False)
    assert person.closed_at == AT
    upsert(session, "anna@people.example")
    assert person.closed_at is None


def test_use_is_noted_once_a_day_source_and_sort(session: Session) -> None:
    person = factories.contact(session)
    day = date(2026, 3, 1)
    assert actions.record_use(session, person, day, AT, "trac", automatic=False)
    assert not actions.record_use(session, person, day, AT + timedelta(hours=1), "trac", automatic=False)
    assert actions.record_use(session, person, day + timedelta(days=5), AT, "trac", automatic=True)
    assert queries.last_use(session, person.id) == day


def test_an_erased_person_leaves_a_hash_that_keeps_them_out(session: Session, configure: Configure) -> None:
    person = upsert(session, "anna@people.example", name="Anna", company="Kade", reference="r-1")
    upsert(session, "second@people.example", reference="r-1")
    actions.erase(session, person, AT)
    session.commit()
    assert (person.name, person.company, person.reference, person.erased_at) == ("", "", None, AT)
    assert session.scalars(select(Address)).all() == []
    digests = session.scalars(select(ErasedAddress.digest)).all()
    assert len(digests) == 2
    for email in ("Anna@people.example", "second@people.example"):
        with pytest.raises(actions.AddressErased, match=r"^email: "):
            upsert(session, email)
    assert upsert(session, "other@people.example", reference="r-1").id != person.id


def test_people_are_looked_up_by_id_reference_or_address(session: Session) -> None:
    person = upsert(session, "anna@people.example", name="Anna de Vries", company="Kade", reference="r-1")
    for who in (person.id, "r-1", "ANNA@people.example"):
        assert queries.look_up(session, who) is person
    for who in ("nobody@people.example", "con_none", "50%"):
        with pytest.raises(queries.NoSuchContact):
            queries.look_up(session, who)
    assert queries.find_by_address(session, "not an address") is None


@pytest.mark.parametrize(
    ("words", "found"), [("", 2), ("VRIES", 1), ("kade", 1), ("people.ex", 2), ("r-1", 1), ("%", 0), ("_", 0)]
)
def test_search_looks_into_name_company_reference_and_address(session: Session, words: str, found: int) -> None:
    upsert(session, "anna@people.example", name="Anna de Vries", company="Kade", reference="r-1")
    upsert(session, "bob@people.example", name="Bob")
    assert len(queries.search(session, words)) == found


def test_search_goes_on_where_the_page_ended(session: Session) -> None:
    made = sorted(upsert(session, f"p{n}@people.example").id for n in range(5))
    page = queries.search(session, limit=3)
    assert [one.id for one in page] + [one.id for one in queries.search(session, after=page[-1].id)] == made


def test_a_reference_that_breaks_a_line_is_refused(session: Session) -> None:
    with pytest.raises(rules.BadText, match=r"^reference: "):
        upsert(session, "anna@people.example", reference="r\n1")
