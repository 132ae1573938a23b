"""Two rows of one person become one: nobody is written to twice, and the stricter word counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.admin import erasure, merging
from mailer.admin.cli import contact as command
from mailer.consent import actions as consent
from mailer.consent import queries as consent_queries
from mailer.contacts import actions as contacts
from mailer.contacts import queries
from mailer.contacts.merging import NotMergeable
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.ledger.models import Event
from mailer.notices import actions as notices
from mailer.notices import queries as notice_queries
from mailer.notices.rules import NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import State as TerminationState
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, Release, accept, fan_out, message_of, release, settle

__all__ = ["release"]


@pytest.fixture
def twins(session: Session) -> tuple[Contact, Contact]:
    return (
        factories.contact(session, "anna@people.example", reference="a-1"),
        factories.contact(session, "anna@work.example", reference="a-2", name="A. de Vries"),
    )


def test_addresses_uses_and_references_go_over(session: Session, twins: tuple[Contact, Contact]) -> None:
    kept, other = twins
    contacts.record_use(session, other, EFFECTIVE_ON, AT, "trac", False)
    contacts.record_use(session, kept, EFFECTIVE_ON, AT, "trac", False)
    contacts.set_consumer(session, other, True, AT, "stf_1")
    merging.merge(session, kept, other, AT, "stf_1")
    assert [(one.email, one.is_primary) for one in kept.addresses] == [
        ("anna@people.example", True),
        ("anna@work.example", False),
    ]
    assert queries.last_use(session, kept.id) == EFFECTIVE_ON
    assert queries.last_use(session, other.id) is None
    assert kept.is_consumer
    assert queries.find_by_reference(session, "a-2") is kept
    assert (other.merged_into, other.name, other.closed_at) == (kept.id, "", AT)
    again = contacts.upsert(
        session, email="anna@work.example", reference="a-2", origin=Origin.ACCOUNT_HOLDER, at=AT, source="test"
    )
    assert (again, again.reference) == (kept, "a-1"), "a service that knows only the other reference"
    session.flush()
    assert session.scalars(select(Event).where(Event.kind == "contact.merged")).one().data["other"] == other.id


def test_what_either_left_stays_left_and_nothing_is_subscribed_anew(
    session: Session, twins: tuple[Contact, Contact]
) -> None:
    kept, other = twins
    given = {"basis": "consent", "wording": "Yes.", "source": "form", "evidence": "form 1", "at": AT}
    for topic in ("news", "events", "releases"):
        factories.topic(session, topic)
    for person, topic in ((kept, "news"), (kept, "events"), (other, "events"), (other, "releases")):
        consent.grant(session, person, topic, **given)  # type: ignore[arg-type]
    consent.withdraw(session, other, "events", source="test", at=AT + timedelta(days=1))
    merging.merge(session, kept, other, AT + timedelta(days=2))
    subscribed = {topic for topic, row in consent_queries.subscriptions(session, kept.id).items() if row.is_subscribed}
    assert subscribed == {"news"}


def test_leaving_all_by_one_is_leaving_all(session: Session, twins: tuple[Contact, Contact]) -> None:
    kept, other = twins
    factories.topic(session)
    consent.grant(
        session,
        kept,
        "news",
        basis="consent",
        wording="Yes.",
        source="form",
        evidence="form 1",
        at=AT,  # type: ignore[arg-type]
    )
    consent.leave_all(session, other, source="test", at=AT)
    merging.merge(session, kept, other, AT)
    assert not consent_queries.subscriptions(session, kept.id)["news"].is_subscribed


def test_the_kept_one_has_its_own_notice_and_clock(
    session: Session, twins: tuple[Contact, Contact], release: Release
) -> None:
    kept, other = twins
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, kept)
    merging.merge(session, kept, other, AT)
    mine, gone = (notice_queries.find(session, version.id, one.id) for one in twins)
    assert mine is not None
    assert gone is not None
    assert (mine.state, gone.state, gone.why) == (NoticeState.ACCEPTED, NoticeState.ENDED, f"merged into {kept.id}")
    waiting = select(Message.state).where(Message.contact_id == other.id)
    assert session.scalars(waiting).all() == [State.WITHHELD], "one person gets one notice"
    notices.catch_up(session, AT)
    fan_out(session, mailing)
    assert notice_queries.find(session, version.id, kept.id) is mine


def test_a_mail_on_the_wire_to_the_other_row_settles_and_starts_no_clock(
    session: Session, twins: tuple[Contact, Contact], release: Release
) -> None:
    kept, other = twins
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    message = message_of(session, version, other)
    message.state = State.SENDING
    session.flush()
    merging.merge(session, kept, other, AT)
    in_hand = factories.in_hand(session, [message.row], AT)
    assert notices.ended(session, in_hand) == {message.row}
    settle(session, message, State.ACCEPTED)
    gone = notice_queries.find(session, version.id, other.id)
    assert gone is not None
    assert (gone.state, gone.notified_on) == (NoticeState.ENDED, None)
    assert session.scalars(select(Message).where(Message.kind == MailKind.WITHDRAWAL)).all() == []


def test_a_closed_one_that_comes_back_by_the_merge_is_told_then(
    session: Session, twins: tuple[Contact, Contact], release: Release
) -> None:
    kept, other = twins
    contacts.close(session, kept, AT)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    assert notice_queries.find(session, version.id, kept.id) is None
    later = AT + timedelta(days=26)
    merging.merge(session, kept, other, later)
    notices.catch_up(session, later)
    fan_out(session, mailing, later)
    notice = accept(session, version, kept, later)
    assert (notice.notified_on, notice.binding_on) == (date(2026, 12, 20), date(2027, 1, 20))


def test_a_termination_by_either_is_the_persons(
    session: Session, twins: tuple[Contact, Contact], release: Release
) -> None:
    kept, other = twins
    version, _ = release()
    terminations.receive(
        session,
        contact=other,
        version=version,
        respond_by_on=None,
        received_at=AT,
        received_on=AT.date(),
        source_id="whk_1",
        state=TerminationState.RECORDED,
        at=AT,
    )
    merging.merge(session, kept, other, AT)
    assert session.scalars(termination_queries.recorded(version.id)).all() == [kept.id]


def test_erasing_takes_the_former_row_too(session: Session, twins: tuple[Contact, Contact]) -> None:
    kept, other = twins
    factories.message(session, other)
    merging.merge(session, kept, other, AT)
    erasure.erase(session, kept, AT)
    assert other.erased_at == AT
    session.expire_all()
    assert set(session.scalars(select(Message.to_address))) == {""}
    assert queries.is_erased(session, "anna@work.example")


def test_what_cannot_be_one_person_is_refused(session: Session, twins: tuple[Contact, Contact]) -> None:
    kept, other = twins
    with pytest.raises(NotMergeable, match="same"):
        merging.merge(session, kept, kept, AT)
    merging.merge(session, kept, other, AT)
    with pytest.raises(NotMergeable, match="before"):
        merging.merge(session, kept, other, AT)
    gone = factories.contact(session)
    erasure.erase(session, gone, datetime.now(AT.tzinfo))
    with pytest.raises(NotMergeable, match="erased"):
        merging.merge(session, kept, gone, AT)


def test_the_command_line_merges(session: Session, twins: tuple[Contact, Contact]) -> None:
    session.commit()
    done = CliRunner().invoke(command, ["merge", "a-1", "anna@work.example"])
    assert done.exit_code == 0, done.output
    session.expire_all()
    assert session.get_one(Contact, twins[1].id).merged_into == twins[0].id
