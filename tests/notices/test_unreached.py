"""Ways back to whom no mail reached: another address, what a service showed, a letter. Each starts a clock (S2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.errors import Invalid
from mailer.ledger.models import Event
from mailer.notices import actions as notices
from mailer.notices import facts, queries, unreached
from mailer.notices.models import Notice
from mailer.notices.rules import FactKind, NoticeState, Via
from mailer.notices.unreached import BadDay, NotTheirs, NotToBeReached
from mailer.outbox.rules import State
from mailer.policies.models import Version
from mailer.staff.models import Task
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, Release, accept, fan_out, message_of

LATER = AT + timedelta(days=20)


@pytest.fixture
def bounced(session: Session, release: Release) -> tuple[Version, Contact, Notice]:
    """Anna has two addresses; the notice to her primary one came back."""
    anna = factories.contact(session, "old@people.example", reference="a-1")
    new = {"email": "anna@people.example", "reference": "a-1", "origin": Origin.ACCOUNT_HOLDER, "source": "test"}
    contacts.upsert(session, at=AT, **new)  # type: ignore[arg-type]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    notices.bounced(session, message_of(session, version, anna), AT + timedelta(days=1), "550 5.1.1")
    notice = queries.find(session, version.id, anna.id)
    assert notice is not None
    return version, anna, notice


def tasks(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Task).where(Task.done_at.is_(None))) or 0


def events(session: Session, kind: str) -> int:
    session.flush()
    return session.scalar(select(func.count()).select_from(Event).where(Event.kind == kind)) or 0


def test_another_address_on_file_is_written_to_and_its_yes_starts_the_clock(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    version, anna, notice = bounced
    assert unreached.other_addresses(session, notice) == ["old@people.example"]
    message = unreached.tell_at(session, notice, "old@people.example", "stf_1", LATER)
    assert (message.to_address, message.state, notice.state) == (
        "old@people.example",
        State.QUEUED,
        NoticeState.PLANNED,
    )
    assert tasks(session) == 0, "nothing waits for a person any more"
    assert notices.catch_up(session, LATER) == 0, "the primary address was tried already"
    again = accept(session, version, anna, LATER)
    assert (again.state, again.notified_on) == (NoticeState.ACCEPTED, date(2026, 12, 14))
    with pytest.raises(NotToBeReached):
        unreached.tell_at(session, notice, "old@people.example", "stf_1", LATER)


def test_a_second_address_that_fails_leaves_the_person_unreached_with_a_new_task(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    version, anna, notice = bounced
    unreached.tell_at(session, notice, "old@people.example", "stf_1", LATER)
    accept(session, version, anna, LATER)
    notices.bounced(session, message_of(session, version, anna), LATER, "550")
    assert (notice.state, tasks(session)) == (NoticeState.UNREACHED, 1)
    assert unreached.other_addresses(session, notice) == []


def test_a_strangers_address_is_refused(session: Session, bounced: tuple[Version, Contact, Notice]) -> None:
    factories.contact(session, "bas@people.example")
    with pytest.raises(NotTheirs):
        unreached.tell_at(session, bounced[2], "bas@people.example", "stf_1", LATER)


def test_what_a_service_showed_starts_the_clock_of_the_unreached(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    version, anna, notice = bounced
    shown_at = datetime.fromisoformat("2026-12-01T23:30:00+00:00")  # past midnight in Amsterdam
    assert unreached.shown(session, notice, shown_at, "shown by trac, call whk_1", LATER)
    assert (notice.state, notice.via, notice.notified_on) == (
        NoticeState.ACCEPTED,
        Via.ANNOUNCEMENT,
        date(2026, 12, 2),
    )
    assert (notice.respond_by_on, notice.binding_on) == (date(2027, 1, 4), EFFECTIVE_ON), "New Year's Day"
    assert notice.computation.startswith("Shown to the person by a service on Wednesday 2 December 2026.")
    assert (notice.evidence, tasks(session)) == ("shown by trac, call whk_1", 0)
    assert events(session, "notice.accepted") == 2
    assert not unreached.shown(session, notice, LATER, "again", LATER), "the first time counts"
    assert notices.catch_up(session, LATER) == 0
    notices.bounced(session, message_of(session, version, anna), LATER, "550")
    assert notice.state is NoticeState.ACCEPTED, "a bounce of a mail that no clock runs from changes nothing"


def test_what_was_shown_while_the_mail_was_taken_counts_once_that_comes_back(
    session: Session, release: Release
) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notice = accept(session, version, anna)
    assert unreached.shown(session, notice, AT + timedelta(days=3), "shown by trac", AT + timedelta(days=3))
    assert (notice.via, notice.notified_on) == (Via.MAIL, AT.date())
    notices.bounced(session, message_of(session, version, anna), AT + timedelta(days=4), "550")
    assert (notice.state, notice.via) == (NoticeState.ACCEPTED, Via.ANNOUNCEMENT)
    assert notice.notified_on == AT.date() + timedelta(days=3)
    assert tasks(session) == 0


def test_an_announcement_from_before_the_release_is_no_evidence(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    assert not unreached.shown(session, bounced[2], AT - timedelta(days=1), "x", LATER)
    assert bounced[2].state is NoticeState.UNREACHED


def test_a_letter_is_recorded_with_its_day_and_proof(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    version, anna, notice = bounced
    unreached.record_letter(session, notice, date(2026, 12, 9), "registered item 3SABC1", "stf_1", LATER)
    assert (notice.via, notice.notified_on, notice.evidence) == (
        Via.LETTER,
        date(2026, 12, 9),
        "registered item 3SABC1",
    )
    assert notice.computation.startswith("Handed over as a letter on Wednesday 9 December 2026.")
    last = facts.of(session, version.id, anna.id)[-1]
    assert (last.kind, last.data["staff"]) == (FactKind.LETTER, "stf_1")


@pytest.mark.parametrize(
    ("day", "proof", "fault"),
    [
        (AT.date() - timedelta(days=1), "item 1", BadDay),
        (LATER.date() + timedelta(days=1), "item 1", BadDay),
        (LATER.date(), " ", Invalid),
        (LATER.date(), "x" * 201, Invalid),
    ],
)
def test_a_letter_without_proof_or_on_an_impossible_day_is_refused(
    session: Session, bounced: tuple[Version, Contact, Notice], day: date, proof: str, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        unreached.record_letter(session, bounced[2], day, proof, "stf_1", LATER)
    assert bounced[2].state is NoticeState.UNREACHED


def test_nothing_is_recorded_of_a_version_that_was_withdrawn(
    session: Session, bounced: tuple[Version, Contact, Notice]
) -> None:
    version, _, notice = bounced
    notices.withdraw(session, version, version.author_id or "", "A mistake.", LATER)
    assert not unreached.shown(session, notice, LATER, "x", LATER)
    with pytest.raises(NotToBeReached):
        unreached.record_letter(session, notice, LATER.date(), "item 1", "stf_1", LATER)
