"""Mail and links to a row that was merged into another are the person's who stays."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from mailer.admin import merging
from mailer.contacts import queries as contacts
from mailer.inbound import effects
from mailer.outbox.rules import MailKind
from mailer.terminations.rules import State, Timing
from tests import factories
from tests.inbound.world import AT, letter, sent, take_in, terminations, told

RECEIPT, CONFIRM = MailKind.TERMINATION_RECEIPT, MailKind.TERMINATION_CONFIRM


@pytest.mark.parametrize("proven", [True, False])
def test_a_reply_to_a_notice_of_a_merged_row_is_the_persons(session: Session, proven: bool) -> None:
    jan, stays = told(session), factories.contact(session, "jan@work.example", locale="nl")
    merging.merge(session, stays, jan.contact, AT)
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=proven), jan.reply)
    [one] = terminations(session)
    assert (one.contact_id, mail.contact_id, one.version_id) == (stays.id, stays.id, jan.notice.version_id)
    assert (one.state, one.timing) == (State.RECORDED if proven else State.TO_BE_CONFIRMED, Timing.IN_TIME)
    assert [message.to_address for message in sent(session, RECEIPT if proven else CONFIRM)] == ["jan@work.example"]


def test_of_a_merged_persons_two_windows_the_later_end_counts(session: Session) -> None:
    stays = told(session, "jan@work.example", respond_by_on=date(2026, 12, 30))
    jan = told(session)
    merging.merge(session, stays.contact, jan.contact, AT)
    take_in(session, letter("Ik zeg op", to=jan.reply), jan.reply, at=datetime(2026, 12, 29, 12, tzinfo=UTC))
    [one] = terminations(session)
    assert (one.contact_id, one.timing, one.respond_by_on) == (stays.contact.id, Timing.IN_TIME, date(2026, 12, 30))


def test_the_link_of_a_merged_row_is_the_persons(session: Session) -> None:
    jan, stays = told(session), factories.contact(session, "jan@work.example", locale="nl")
    merging.merge(session, stays, jan.contact, AT)
    contact = contacts.kept(session, jan.contact)
    made = effects.terminate_by_link(session, jan.message, contact, AT)
    assert (made.contact_id, made.version_id, made.timing) == (stays.id, jan.notice.version_id, Timing.IN_TIME)
    [asked] = sent(session, MailKind.TERMINATION_CONFIRM)
    assert asked.to_address == "jan@work.example"
