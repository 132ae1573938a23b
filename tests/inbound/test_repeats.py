"""The same mail, or the same wish, once more: nothing is overlooked by it, and nothing comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.admin import erasure
from mailer.inbound import actions as inbound
from mailer.inbound import queries
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundBytes
from mailer.outbox.rules import MailKind
from mailer.terminations.rules import Timing
from tests.inbound.world import AT, letter, sent, take_in, terminations, told


def test_a_repeat_of_what_waits_for_a_person_waits_beside_it(session: Session) -> None:
    jan = told(session)
    first = take_in(session, letter("Ik zeg op", to=jan.reply), jan.reply, sender="owner-club@example.org")
    second = take_in(session, letter("Ik zeg op", to=jan.reply, message_id="<two@example.nl>"), jan.reply)
    assert first.state is second.state is DeskState.FOR_PERSON
    assert "an earlier request of this person waits for a person, too" in second.reasons
    assert len(terminations(session)) == 1


@pytest.mark.parametrize("on_its_way", [b"", b"Received: from mx.example.nl by mail.leadmark.example\r\n"])
def test_what_was_erased_does_not_come_back_with_the_same_mail(session: Session, on_its_way: bytes) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", to=jan.reply)
    mail = take_in(session, raw, jan.reply)
    erasure.erase(session, jan.contact, AT)
    session.flush()
    again = inbound.keep(session, on_its_way + raw, sender="", recipient=jan.reply, door="imap", at=AT)
    assert again == mail.id
    assert set(session.scalars(select(InboundBytes.raw))) == {b""}
    other = inbound.keep(session, raw, sender="", recipient="other@reply.leadmark.example", door="imap", at=AT)
    assert queries.get(session, other).raw == raw


def test_a_mail_that_lay_in_our_mailbox_before_it_came_by_another_door_has_the_earlier_time(session: Session) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", to=jan.reply, proven=True)
    mail = take_in(session, raw, jan.reply, at=datetime(2026, 12, 26, 12, tzinfo=UTC))
    [one] = terminations(session)
    assert one.timing is Timing.LATE
    arrived = datetime(2026, 12, 24, 22, 30, tzinfo=UTC)
    for came in (arrived, arrived + timedelta(days=1)):
        inbound.keep(
            session, raw, sender="", recipient=jan.reply, door="imap", at=AT + timedelta(days=27), received_at=came
        )
    assert (mail.received_at, one.received_at, one.timing) == (arrived, arrived, Timing.IN_TIME)
    first, corrected = (message.content.text for message in sent(session, MailKind.TERMINATION_RECEIPT))
    assert ("kwam na" in first, "is op tijd" in corrected) == (True, True)
