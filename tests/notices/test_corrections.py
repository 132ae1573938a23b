"""A notice that said something wrong goes out again, and everybody's time starts anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.delivery import compose
from mailer.errors import Invalid, NotFound
from mailer.notices import actions as notices
from mailer.notices import corrections, facts, queries
from mailer.notices.corrections import NotCorrectable
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import State
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, Release, accept, fan_out, message_of

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
