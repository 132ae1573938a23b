from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from mailer import ids
from mailer.consent import actions as consent
from mailer.consent.rules import Channel, SuppressionReason, Withheld
from mailer.ledger.models import Event
from mailer.outbox import actions as outbox
from mailer.outbox import audience, lanes, queries
from mailer.outbox.models import Mailing
from mailer.outbox.outgoing import Answer, Done
from mailer.outbox.rules import MailKind, Outcome, State
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LEASE = timedelta(minutes=2)


@pytest.fixture
def announced(session: Session) -> Mailing:
    """An announcement to three, of whom one cannot be reached."""
    for name in ("a", "b", "dead"):
        factories.contact(session, f"{name}@people.example", at=AT)
    consent.suppress(session, "dead@people.example", SuppressionReason.HARD_BOUNCE, source="dsn", at=AT)
    made = outbox.create_mailing(
        session,
        kind=MailKind.ANNOUNCEMENT,
        subject_id="cmp_1",
        contents={"en": factories.content(session, MailKind.ANNOUNCEMENT)},
        audience=audience.of_origins(["account_holder"]),
        at=AT,
    )
    assert queries.to_fan_out(session) == [made.id]
    while outbox.fan_out_slice(session, made, AT):
        pass
    session.flush()
    return made


def test_a_message_is_found_by_its_public_id(session: Session) -> None:
    message = factories.message(session, at=AT)
    assert queries.get(session, message.id) is message
    for unknown in (ids.message_id(message.row + 1), "msg_", "con_0000000000001", "x"):
        assert queries.find(session, unknown) is None
        with pytest.raises(queries.NoSuchMessage):
            queries.get(session, unknown)


def test_messages_are_searched_by_part_of_the_address_and_by_what_they_are(
    session: Session, announced: Mailing
) -> None:
    alone = factories.message(session, factories.contact(session, "c@elsewhere.example"), at=AT)
    everything = queries.search(session)
    assert [message.row for message in everything] == sorted((message.row for message in everything), reverse=True)
    assert [message.row for message in queries.search(session, "ELSEWHERE")] == [alone.row]
    assert queries.search(session, "%") == []
    assert len(queries.search(session, mailing_id=announced.id)) == 3
    assert [found.to_address for found in queries.search(session, state=State.WITHHELD)] == ["dead@people.example"]
    assert queries.search(session, channel=Channel.MARKETING) == []
    page = queries.search(session, limit=2)
    assert len(queries.search(session, before=page[-1].row)) == len(everything) - 2
    assert alone.contact_id is not None
    assert list(queries.of_contact(session, alone.contact_id)) == [alone]


def test_the_progress_of_a_mailing_says_where_its_messages_are_and_why_some_wait(
    session: Session, announced: Mailing
) -> None:
    assert queries.to_fan_out(session) == []
    assert queries.progress(session, announced.id) == {State.QUEUED: 2, State.WITHHELD: 1}
    assert queries.left_out(session, announced.id) == {Withheld.DEAD_ADDRESS: 1}
    assert queries.last_answer(session, announced.id) is None
    batch = lanes.take_parcel(session, Channel.ESSENTIAL, AT, LEASE)
    assert batch is not None
    lanes.look_at(session, batch, AT)
    answers = Answer(Outcome.ACCEPTED, 250, "ok", "a"), Answer(Outcome.DEFERRED, 0, "could not connect", "a")
    done = [Done(mail, AT, answer, "00" * 32) for mail, answer in zip(batch.mails, answers, strict=True)]
    lanes.settle(session, batch, done, AT)
    session.flush()
    assert queries.progress(session, announced.id) == {State.ACCEPTED: 1, State.QUEUED: 1, State.WITHHELD: 1}
    said = queries.last_answer(session, announced.id)
    assert said is not None
    assert said.reply == "could not connect"


def test_a_bounce_is_noted_and_told_once(session: Session) -> None:
    message = factories.message(session, at=AT)
    assert outbox.note_bounce(session, message, AT)
    assert not outbox.note_bounce(session, message, AT)
    session.commit()
    assert [event.kind for event in session.query(Event) if event.kind == "message.bounced"] == ["message.bounced"]
