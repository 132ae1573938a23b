"""The look before a mail goes says what the rule says, for every combination of facts (invariant 3)."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from mailer.consent import actions
from mailer.consent import queries as consent
from mailer.consent.rules import SuppressionReason, Withheld, why_withheld
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.outbox import actions as outbox
from mailer.outbox import look
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import MailKind, State
from tests import factories
from tests.benchmarks.sending import people
from tests.consent.test_audience_sql import AT, every_combination, put

READ_WHOLE = text("SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('contacts', 'subscriptions')")
COUNT_ANEW = text("ANALYZE contacts, addresses, messages, subscriptions, suppressions, topics")


def put_messages(session: Session) -> None:
    """To everybody one of each kind that may stand in the outbox, at the address they have or at none."""
    for kind in (MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN):
        content_id = factories.content(session, kind=kind)
        for contact in session.scalars(select(Contact).order_by(Contact.id)):
            if kind is MailKind.CAMPAIGN and contact.origin is Origin.THIRD_PARTY:
                continue
            session.add(
                Message(
                    contact_id=contact.id,
                    kind=kind,
                    channel=kind.channel,
                    topic="news" if kind is MailKind.CAMPAIGN else None,
                    content_id=content_id,
                    key_id="aaaa",
                    to_address=contact.primary.email if contact.primary else "",
                    state=State.SENDING,
                    created_at=AT,
                )
            )
    session.flush()


def test_the_look_says_what_the_rule_says_on_every_combination(session: Session) -> None:
    put(session, every_combination())
    put_messages(session)
    messages = session.scalars(select(Message)).all()
    stops = dict(look.again(session, [message.row for message in messages]))
    for message in messages:
        assert message.contact_id is not None
        contact = session.get_one(Contact, message.contact_id)
        rule = why_withheld(message.channel, message.topic, consent.standing(session, contact))
        assert stops.get(message.row) is rule, (message.channel, contact.id)
    assert set(stops.values()) == set(Withheld) - {Withheld.CANCELLED, Withheld.THIRD_PARTY}


def test_a_suppression_counts_however_the_address_is_written(session: Session) -> None:
    anna = factories.contact(session, "Anna.De.Vries@People.example")
    row = factories.message(session, anna, at=AT).row
    actions.suppress(session, "anna.de.vries@people.example", SuppressionReason.HARD_BOUNCE, source="test", at=AT)
    assert dict(look.again(session, [row])) == {row: Withheld.DEAD_ADDRESS}


def test_a_bare_address_is_stopped_by_its_being_dead_or_erased_and_by_nothing_else(session: Session) -> None:
    content_id = factories.content(session)
    rows = {
        name: outbox.put(
            session,
            kind=MailKind.ANSWER,
            contact=None,
            to_address=f"{name}@people.example",
            content_id=content_id,
            key=name,
            at=AT,
        ).row
        for name in ("well", "dead", "left")
    }
    for name, reason in (("dead", SuppressionReason.HARD_BOUNCE), ("left", SuppressionReason.UNSUBSCRIBED)):
        actions.suppress(session, f"{name}@people.example", reason, source="test", at=AT)
    assert dict(look.again(session, list(rows.values()))) == {rows["dead"]: Withheld.DEAD_ADDRESS}


def test_a_content_is_read_once_and_stays_whatever_becomes_of_the_session_that_read_it(session: Session) -> None:
    row = factories.message(session, at=AT).row
    session.commit()
    query = look.mails(Message.row == row)
    [(first, _)] = look.read(session, query, {}, AT)
    session.rollback()
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    [(again, _)] = look.read(session, query, {}, AT)
    event.remove(session.get_bind(), "before_cursor_execute", note)
    assert again.content is first.content
    assert not any("FROM contents" in statement for statement in asked)
    kept = session.get_one(Content, first.content.id)
    assert kept is not first.content
    for column in Content.__table__.c:
        assert getattr(first.content, column.key) == getattr(kept, column.key)


def test_no_more_contents_are_kept_than_are_sent_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "_contents", {})
    monkeypatch.setattr(look, "CONTENTS_KEPT", 2)
    rows = [factories.message(session, kind=kind, at=AT).row for kind in (MailKind.ADMINISTRATIVE, MailKind.ANSWER)]
    rows += [factories.message(session, kind=MailKind.NOTICE, at=AT).row]
    mails = list(look.read(session, look.mails(Message.row.in_(rows)), {}, AT))
    assert len({mail.content.id for mail, _ in mails}) == 3
    assert len(look._contents) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_finds_the_people_of_a_parcel_by_the_index_and_does_not_read_all_there_are(session: Session) -> None:
    people.add(session, 60_000, 1, AT)
    session.execute(COUNT_ANEW)  # else the planner takes the tables for those of the tests before, of a few rows
    factories.fan_out(session, factories.mailing(session, at=AT), AT)
    session.execute(COUNT_ANEW)
    session.commit()
    rows = session.scalars(select(Message.row).order_by(Message.row).limit(outbox.PARCEL)).all()
    before = session.scalar(READ_WHOLE)
    assert list(look.again(session, rows)) == []
    assert session.scalar(READ_WHOLE) == before
    session.commit()
    assert session.scalar(text("SHOW random_page_cost")) == "4", "said for that transaction alone"
