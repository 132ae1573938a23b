"""A notice that said something wrong goes out again, and everybody's time starts anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.consent.rules import Withheld
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.delivery import compose
from mailer.errors import Invalid, NotFound
from mailer.notices import actions as notices
from mailer.notices import corrections, facts, queries, unreached
from mailer.notices.corrections import NotCorrectable
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import State
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, Release, accept, fan_out, message_of, settle

WORDS = {"en": "We wrote 2026; it is 2027.", "nl": "Wij schreven 2026; het is 2027."}
LATER = AT + timedelta(days=26)


def test_those_told_get_it_again_with_a_new_clock_and_the_unreached_stay_so(session: Session, release: Release) -> None:
    anna, bas = factories.contact(session), factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for person in (anna, bas):
        accept(session, version, person)
    notices.bounced(session, message_of(session, version, bas), AT, "550")
    assert corrections.correct(session, version, WORDS, "stf_1", LATER) == 1
    notice = queries.find(session, version.id, anna.id)
    assert notice is not None
    assert (notice.state, notice.respond_by_on) == (NoticeState.PLANNED, None)
    message = message_of(session, version, anna)
    seen = compose.preview(session.get_one(Content, message.content_id))
    assert seen.subject.startswith("Correction: ")
    assert "We wrote 2026; it is 2027." in seen.text
    again = accept(session, version, anna, LATER)
    assert (again.notified_on, again.binding_on) == (date(2026, 12, 20), date(2027, 1, 20))
    kinds = [fact.kind for fact in facts.of(session, version.id, anna.id)]
    assert kinds == [FactKind.PLANNED, FactKind.ACCEPTED, FactKind.PLANNED_AGAIN, FactKind.ACCEPTED]
    other = queries.find(session, version.id, bas.id)
    assert other is not None
    assert other.state is NoticeState.UNREACHED
    late = factories.contact(session)
    notices.catch_up(session, LATER)
    fan_out(session, mailing, LATER)
    assert message_of(session, version, late).content_id == mailing.contents["en"], "who comes later gets this one"


def test_while_notices_are_on_their_way_it_waits(session: Session, release: Release) -> None:
    factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    with pytest.raises(NotCorrectable, match="still going out"):
        corrections.correct(session, version, WORDS, "stf_1", AT)
    fan_out(session, mailing)
    assert session.scalars(select(Message.state)).all() == [State.QUEUED]
    with pytest.raises(NotCorrectable, match="still going out"):
        corrections.correct(session, version, WORDS, "stf_1", AT)


def waiting(session: Session, person: Contact) -> list[Message]:
    """The mails that still go out to a person."""
    mine = Message.contact_id == person.id, Message.state == State.QUEUED
    return list(session.scalars(select(Message).where(*mine).execution_options(populate_existing=True)))


def test_corrected_a_second_time_everybody_gets_only_the_last(session: Session, release: Release) -> None:
    anna, bas, cora = (factories.contact(session) for _ in range(3))
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for person in (anna, bas, cora):
        accept(session, version, person)
    assert corrections.correct(session, version, WORDS, "stf_1", LATER) == 3
    accept(session, version, anna, LATER)
    on_the_wire = message_of(session, version, cora)
    on_the_wire.state = State.SENDING
    session.flush()
    in_hand = factories.in_hand(session, [on_the_wire.row], LATER)
    assert notices.ended(session, in_hand) == set()
    second = {"en": "It is 2028.", "nl": "Het is 2028."}
    assert corrections.correct(session, version, second, "stf_1", LATER) == 3
    for person in (anna, bas, cora):
        [mail] = waiting(session, person)
        assert mail.row == message_of(session, version, person).row
        assert "It is 2028." in compose.preview(session.get_one(Content, mail.content_id)).text
    assert notices.ended(session, in_hand) == {on_the_wire.row}, "what did not reach the wire yet stays here"
    settle(session, on_the_wire, State.ACCEPTED, LATER)
    notice = queries.find(session, version.id, cora.id)
    assert notice is not None
    assert notice.state is NoticeState.PLANNED, "the clock is that of the last one"


def test_who_waits_at_a_slow_server_gets_only_the_corrected_one(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    first = message_of(session, version, anna)
    first.attempts, first.due_at = 1, AT + timedelta(hours=1)
    session.flush()
    assert corrections.correct(session, version, WORDS, "stf_1", AT) == 1
    [mail] = waiting(session, anna)
    assert mail.row != first.row
    assert first.withheld is Withheld.CANCELLED


def test_it_goes_where_the_notice_reached_the_person(session: Session, release: Release) -> None:
    anna = factories.contact(session, "old@people.example", reference="a-1")
    new = {"email": "anna@people.example", "reference": "a-1", "origin": Origin.ACCOUNT_HOLDER, "source": "test"}
    contacts.upsert(session, at=AT, **new)  # type: ignore[arg-type]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    notices.bounced(session, message_of(session, version, anna), AT, "550")
    notice = queries.find(session, version.id, anna.id)
    assert notice is not None
    unreached.tell_at(session, notice, "old@people.example", "stf_1", AT)
    accept(session, version, anna)
    assert corrections.correct(session, version, WORDS, "stf_1", LATER) == 1
    assert [mail.to_address for mail in waiting(session, anna)] == ["old@people.example"]


def test_it_needs_words_a_pending_version_and_notices(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    with pytest.raises(Invalid, match="words_nl"):
        corrections.correct(session, version, {"en": "Wrong."}, "stf_1", AT)
    with pytest.raises(NotCorrectable, match="in effect"):
        corrections.correct(session, version, WORDS, "stf_1", AT + (EFFECTIVE_ON - AT.date()))
    first = factories.policy(session, "terms")
    plain = session.scalars(select(Version).where(Version.policy_id == first.id)).one()
    with pytest.raises(NotFound):
        corrections.correct(session, plain, WORDS, "stf_1", AT)
