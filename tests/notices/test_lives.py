"""What becomes of people whose policy changes, day by day, through the daily job: one life a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.admin import erasure
from mailer.clock import local_day
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.ledger import queries as ledger
from mailer.ledger import rules as chain
from mailer.notices import actions as notices
from mailer.notices import agreement, facts, queries, unreached
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.rules import NoticeKind, NoticeState
from mailer.outbox.models import Content, Mailing, Message
from mailer.outbox.rules import MailingState, MailKind, State
from mailer.policies import actions as policies
from mailer.policies.models import Version
from mailer.policies.ownership import Ownership
from mailer.services import told
from mailer.settings import current
from mailer.terminations import actions as terminations
from mailer.terminations.rules import State as Decided
from mailer.terminations.rules import Timing
from rq_jobs import schedule
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, WORDING, Release, accept, fan_out, message_of

NEXT_YEAR = datetime(2027, 2, 1, 12, tzinfo=UTC)


def days_on(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.fixture
def world(session: Session, release: Release) -> tuple[Version, Mailing, Contact]:
    """Version 2 is released, and Anna is to be told of it; she was a customer long before."""
    anna = factories.contact(session, "anna@people.example", reference="a-1", at=AT - timedelta(days=200))
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    session.commit()
    return version, mailing, anna


def a_day(session: Session, at: datetime) -> None:
    """The daily job runs, as the scheduler rings it."""
    session.commit()
    assert schedule.run(at)
    session.expire_all()


def use(session: Session, person: Contact, day: date) -> None:
    contacts.record_use(session, person, day, days_on(day), "trac", False)


def agreed(session: Session, version: Version) -> set[str]:
    return set(session.scalars(select(DeemedAgreement.contact_id).where(DeemedAgreement.version_id == version.id)))


def standing(session: Session, person: Contact, at: datetime) -> tuple[list[tuple[int, str]], list[dict[str, Any]]]:
    """What other services read: the versions that bind, since when, and what is pending."""
    said = told.standing(session, person, at)
    return [(one["version"], one["since"]) for one in said["binding"]], said["pending"]


def terminate(session: Session, notice: Notice, person: Contact, received_at: datetime) -> Timing:
    """A termination by a service that knows its user, received at an instant."""
    version = session.get_one(Version, notice.version_id)
    received_on = local_day(received_at, current().zone)
    made = terminations.receive(
        session,
        contact=person,
        version=version,
        respond_by_on=notice.respond_by_on,
        received_at=received_at,
        received_on=received_on,
        source_id=f"whk_{person.id}",
        state=Decided.RECORDED,
        at=received_at,
    )
    return made.timing


def test_who_was_told_and_goes_on_is_bound_on_the_day_and_agrees_by_use(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    accept(session, version, anna)
    binding, [pending] = standing(session, anna, AT)
    assert [number for number, _ in binding] == [1]
    assert (pending["state"], pending["respond_by_on"], pending["may_answer"]) == ("accepted", "2026-12-24", True)
    use(session, anna, EFFECTIVE_ON)
    a_day(session, days_on(EFFECTIVE_ON))
    assert agreed(session, version) == {anna.id}
    assert standing(session, anna, days_on(EFFECTIVE_ON)) == ([(2, "2027-01-08")], [])


def test_a_late_joiner_is_bound_later_than_the_others(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, mailing, anna = world
    accept(session, version, anna)
    joined = AT + timedelta(days=26)
    late = factories.contact(session, at=joined)
    a_day(session, joined)
    mailing = session.get_one(Mailing, mailing.id)
    fan_out(session, mailing, joined)
    accept(session, version, late, joined)
    for person in (anna, late):
        use(session, person, EFFECTIVE_ON)
    a_day(session, days_on(EFFECTIVE_ON))
    assert agreed(session, version) == {anna.id}
    assert [number for number, _ in standing(session, late, days_on(EFFECTIVE_ON))[0]] == [1]
    use(session, late, date(2027, 1, 20))
    a_day(session, days_on(date(2027, 1, 20)))
    assert agreed(session, version) == {anna.id, late.id}
    assert standing(session, late, days_on(date(2027, 1, 20)))[0] == [(2, "2027-01-20")]


def test_who_joins_on_the_eve_is_told_by_the_job_of_the_day_itself(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, mailing, _ = world
    late = factories.contact(session, at=datetime(2027, 1, 7, 22, 30, tzinfo=UTC))
    midnight = datetime(2027, 1, 7, 23, 0, 20, tzinfo=UTC)
    a_day(session, midnight)
    mailing = session.get_one(Mailing, mailing.id)
    assert mailing.state is MailingState.FANNING_OUT, "the sweep rings for it"
    fan_out(session, mailing, midnight)
    notice = accept(session, version, late, midnight)
    assert (notice.notified_on, notice.binding_on) == (EFFECTIVE_ON, date(2027, 2, 9))
    joined_under_it = factories.contact(session, at=days_on(date(2027, 1, 9)))
    a_day(session, days_on(date(2027, 1, 9)))
    assert session.get_one(Mailing, mailing.id).state is MailingState.FANNED_OUT
    assert queries.find(session, version.id, joined_under_it.id) is None


def test_whom_no_notice_reached_is_told_at_a_new_address_also_after_the_day(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    bas = factories.contact(session, "bas@people.example", reference="b-1", at=AT - timedelta(days=200))
    mailing = session.get_one(Mailing, world[1].id)
    a_day(session, AT)
    fan_out(session, session.get_one(Mailing, mailing.id))
    for person in (anna, bas):
        accept(session, version, person)
    notices.bounced(session, message_of(session, version, anna), AT + timedelta(days=1), "550 5.1.1")
    a_day(session, days_on(date(2027, 1, 9)))
    for name in ("a", "b"):
        new = {"reference": f"{name}-1", "origin": anna.origin, "source": "test"}
        contacts.upsert(session, email=f"new-{name}@people.example", at=NEXT_YEAR, **new)  # type: ignore[arg-type]
    session.expire_all()
    a_day(session, NEXT_YEAR)
    assert message_of(session, version, anna).to_address == "new-a@people.example"
    assert accept(session, version, anna, NEXT_YEAR).binding_on == date(2027, 3, 4)
    assert message_of(session, version, bas).to_address == "bas@people.example", "he was told, and is bound"


def test_a_bounce_after_acceptance_leaves_the_old_text_until_a_letter_arrives(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    notice = accept(session, version, anna)
    notices.bounced(session, message_of(session, version, anna), AT + timedelta(days=3), "550 5.1.1")
    use(session, anna, EFFECTIVE_ON)
    a_day(session, NEXT_YEAR)
    assert agreed(session, version) == set()
    binding, [pending] = standing(session, anna, NEXT_YEAR)
    assert ([number for number, _ in binding], pending["state"]) == ([1], "unreached")
    notice = session.get_one(Notice, notice.id)
    unreached.record_letter(session, notice, date(2027, 2, 1), "registered item 1", "stf_1", NEXT_YEAR)
    assert notice.binding_on == date(2027, 3, 4), "thirty days from 1 February end on 3 March"
    use(session, anna, date(2027, 3, 4))
    a_day(session, days_on(date(2027, 3, 3)))
    assert agreed(session, version) == set()
    a_day(session, days_on(date(2027, 3, 4)))
    assert agreed(session, version) == {anna.id}


@pytest.mark.parametrize(
    ("received", "timing", "bound"),
    [
        ("2026-12-24T23:59:00+01:00", Timing.IN_TIME, [1]),
        ("2026-12-25T00:00:00+01:00", Timing.LATE, [2]),
    ],
)
def test_a_termination_on_the_last_evening_counts_and_a_minute_later_is_late(
    session: Session,
    world: tuple[Version, Mailing, Contact],
    received: str,
    timing: Timing,
    bound: list[int],
) -> None:
    version, _, anna = world
    notice = accept(session, version, anna)
    assert terminate(session, notice, anna, datetime.fromisoformat(received)) is timing
    use(session, anna, EFFECTIVE_ON)
    a_day(session, NEXT_YEAR)
    assert agreed(session, version) == set(), "who terminated is not deemed to agree, late or not"
    assert [number for number, _ in standing(session, anna, NEXT_YEAR)[0]] == bound


def test_two_pending_versions_have_two_clocks_and_one_answer_is_about_one(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    accept(session, version, anna)
    author, other = factories.staff(session).id, factories.staff(session).id
    later = AT + timedelta(days=10)
    third_on = date(2027, 2, 12)
    wording = replace(WORDING, text=f"{WORDING.text}\nWe moved.\n", effective_on=third_on)
    draft = policies.draft(session, version.policy, wording.text, author, later, wording)
    policies.submit(session, draft, author, later)
    policies.approve(session, draft, other, later)
    third = policies.release(session, draft, author, later)
    mailing = notices.plan(session, third, later)
    assert mailing is not None
    fan_out(session, mailing, later)
    accept(session, third, anna, later)
    pending = standing(session, anna, later)[1]
    assert [(one["version"], one["respond_by_on"]) for one in pending] == [(2, "2026-12-24"), (3, "2027-01-04")]
    notice = queries.find(session, third.id, anna.id)
    assert notice is not None
    assert terminate(session, notice, anna, later) is Timing.IN_TIME
    use(session, anna, EFFECTIVE_ON)
    use(session, anna, third_on)
    a_day(session, days_on(third_on))
    assert agreed(session, version) == {anna.id}
    assert agreed(session, third) == set()
    assert standing(session, anna, days_on(third_on))[0] == [(2, "2027-01-08")]


def test_what_is_withdrawn_binds_nobody_and_leaves_no_clock(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    accept(session, version, anna)
    notices.withdraw(session, version, version.author_id or "", "We made a mistake.", AT)
    use(session, anna, EFFECTIVE_ON)
    a_day(session, NEXT_YEAR)
    assert agreed(session, version) == set()
    binding, pending = standing(session, anna, NEXT_YEAR)
    assert ([number for number, _ in binding], pending) == ([1], [])


def test_a_new_owner_is_told_by_a_notice_with_the_same_clock(session: Session, release: Release) -> None:
    anna = factories.contact(session, "anna@people.example", reference="a-1", at=AT - timedelta(days=200))
    owner = Ownership("Acme B.V., Utrecht.", "For what they are used for now.", "You may leave, or object.")
    version, mailing = release(replace(WORDING, text=factories.POLICY_TEXT, ownership={"": owner}))
    assert mailing is not None
    fan_out(session, mailing)
    message = message_of(session, version, anna)
    mail = compose.preview(session.get_one(Content, message.content_id))
    assert "change of ownership" in mail.subject
    assert all(said in " ".join(mail.text.split()) for said in (owner.owner, owner.uses, owner.choices))
    notice = accept(session, version, anna)
    assert (notice.kind, notice.respond_by_on) == (NoticeKind.OWNERSHIP, date(2026, 12, 24))
    use(session, anna, EFFECTIVE_ON)
    a_day(session, days_on(EFFECTIVE_ON))
    assert agreed(session, version) == {anna.id}
    assert standing(session, anna, days_on(EFFECTIVE_ON)) == ([(2, "2027-01-08")], [])


def test_a_consumer_stays_under_the_old_text_until_they_say_yes(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    contacts.set_consumer(session, anna, True, AT, "stf_1")
    notice = accept(session, version, anna)
    use(session, anna, EFFECTIVE_ON)
    a_day(session, NEXT_YEAR)
    assert agreed(session, version) == set()
    binding, [pending] = standing(session, anna, NEXT_YEAR)
    assert ([number for number, _ in binding], pending["needs_express_agreement"]) == ([1], True)
    agreement.agree(session, session.get_one(Notice, notice.id), "Yes.", "page of the notice", NEXT_YEAR)
    assert standing(session, anna, NEXT_YEAR) == ([(2, "2027-02-01")], [])
    assert told.standing(session, anna, NEXT_YEAR)["binding"][0]["agreed"] == "expressly"


def test_who_is_erased_in_mid_window_hears_nothing_more_and_the_proof_stays_whole(
    session: Session, world: tuple[Version, Mailing, Contact]
) -> None:
    version, _, anna = world
    accept(session, version, anna)
    use(session, anna, EFFECTIVE_ON)
    erasure.erase(session, anna, AT + timedelta(days=5))
    a_day(session, days_on(date(2026, 12, 20)))
    assert session.scalars(select(Message).where(Message.kind == MailKind.REMINDER)).all() == []
    kept = facts.of(session, version.id, anna.id)
    assert len(kept) == 2
    assert "anna" not in str([fact.data for fact in kept])
    assert isinstance(chain.verify(ledger.links(session)), chain.Whole)


def test_who_closed_the_account_and_comes_back_is_told_then(session: Session, release: Release) -> None:
    anna = factories.contact(session, "anna@people.example", reference="a-1", at=AT - timedelta(days=200))
    contacts.close(session, anna, AT - timedelta(days=9))
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    assert queries.find(session, version.id, anna.id) is None
    back = AT + timedelta(days=26)
    contacts.upsert(session, email="anna@people.example", reference="a-1", origin=anna.origin, at=back, source="test")
    a_day(session, back)
    fan_out(session, session.get_one(Mailing, mailing.id), back)
    notice = accept(session, version, anna, back)
    assert (notice.state, notice.binding_on) == (NoticeState.ACCEPTED, date(2027, 1, 20))


def test_the_daily_job_reminds_once(session: Session, world: tuple[Version, Mailing, Contact]) -> None:
    version, _, anna = world
    accept(session, version, anna)
    for day in (16, 17, 18, 24):
        a_day(session, days_on(date(2026, 12, day)))
    [reminder] = session.scalars(select(Message).where(Message.kind == MailKind.REMINDER)).all()
    assert (reminder.contact_id, reminder.state, reminder.created_at.day) == (anna.id, State.QUEUED, 17)
