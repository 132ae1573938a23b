"""The reader takes one mail after the other, and none keeps the next one waiting."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from mailer.clock import now
from mailer.db import reading, transaction
from mailer.inbound import actions as inbound
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from rq_jobs.read_mail import read_mail
from tests.inbound.world import letter


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mail_that_cannot_have_its_effect_does_not_keep_the_next_one_waiting(database: str) -> None:
    kept = {"sender": "a@b.nl", "recipient": "privacy@leadmark.example", "door": "smtp", "at": now()}
    with transaction() as session:
        first = inbound.keep(session, letter("een"), **kept)  # type: ignore[arg-type]
        second = inbound.keep(session, letter("twee", message_id="<two@example.nl>"), **kept)  # type: ignore[arg-type]
        session.execute(
            text(
                f"CREATE TRIGGER breaks BEFORE UPDATE ON inbound_mails WHEN NEW.id = '{first}' "
                "AND NEW.state = 'settled' BEGIN SELECT RAISE(ABORT, 'this row breaks'); END"
            )
        )
    assert read_mail() == 2
    with reading() as session:
        states = {mail.id: mail.state for mail in session.scalars(select(InboundMail))}
    assert states[first] is DeskState.KEPT
    assert states[second] is not DeskState.KEPT
