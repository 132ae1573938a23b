from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer import db, ids
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason, Withheld
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import BadAddress, Origin
from mailer.errors import Invalid
from mailer.outbox import actions as outbox
from mailer.outbox import audience, queries
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailingState, MailKind, State
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def put(
    session: Session, who: Contact | None, key: str, kind: MailKind = MailKind.ADMINISTRATIVE, **more: str
) -> Message:
    content_id = factories.content(session, kind)
    return outbox.put(session, kind=kind, contact=who, content_id=content_id, key=key, at=AT, **more)  # type: ignore[arg-type]


def mailing(session: Session, kind: MailKind = MailKind.CAMPAIGN, people: dict[str, object] | None = None) -> Mailing:
    contents = {"en": factories.content(session, kind), "nl": factories.content(session, kind)}
    topic = "news" if kind is MailKind.CAMPAIGN else None
    whom = people or audience.of_topic("news")
    return outbox.create_mailing(
        session, kind=kind, subject_id=ids.new("cmp"), contents=contents, audience=whom, topic=topic, at=AT
    )


def fan_out(session: Session, made: Mailing, size: int = 2) -> None:
    while outbox.fan_out_slice(session, made, AT, size):
        session.flush()


def messages(session: Session, made: Mailing) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.mailing_id == made.id).order_by(Message.contact_id)))


def test_one_key_is_one_row(session: Session) -> None:
    anna = factories.contact(session)
    first = put(session, anna, "notice/1")
    assert put(session, anna, "notice/1") is first
    assert first.state is State.QUEUED
    assert first.due_at == first.created_at == AT


def test_one_key_is_one_row_also_when_eight_put_it_at_once(database: str) -> None:
    with db.transaction() as session:
        anna = factories.contact(session)
        content_id = factories.content(session)
    ids: list[str] = []
    together = threading.Barrier(8)

    def once() -> None:
        together.wait()
        with db.transaction() as session:
            ids.append(
                outbox.put(
                    session, kind=MailKind.ADMINISTRATIVE, contact=anna, content_id=content_id, key="same", at=AT
                ).id
            )

    threads = [threading.Thread(target=once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_what_may_not_go_out_is_put_as_withheld_with_the_reason(session: Session) -> None:
    erased, dead = factories.contact(session), factories.contact(session, "dead@people.example")
    contacts.erase(session, erased, AT)
    consent.suppress(session, "dead@people.example", SuppressionReason.HARD_BOUNCE, source="dsn", at=AT)
    reader = factories.contact(session, topics=["news"])
    consent.leave_all(session, reader, source="page", at=AT)
    assert put(session, erased, "1").withheld is Withheld.ERASED
    assert put(session, dead, "2").withheld is Withheld.DEAD_ADDRESS
    assert put(session, None, "3").withheld is Withheld.NO_ADDRESS
    assert put(session, reader, "4", MailKind.CAMPAIGN, topic="news").withheld is Withheld.UNSUBSCRIBED
    assert put(session, reader, "5").state is State.QUEUED
    assert all(row.settled_at == AT for row in session.scalars(select(Message)) if row.state is State.WITHHELD)


def test_what_is_no_address_is_refused_when_put(session: Session) -> None:
    with pytest.raises(BadAddress):
        put(session, None, "1", to_address="x\r\nRCPT TO:<y@z.example>")


def test_a_third_party_is_refused_by_the_action_and_by_the_database_itself(session: Session) -> None:
    stranger = factories.contact(session, origin=Origin.THIRD_PARTY)
    with pytest.raises(Invalid, match=r"^origin: "):
        put(session, stranger, "1", MailKind.CAMPAIGN, topic="news")
    message = put(session, stranger, "2")
    session.commit()
    with pytest.raises(IntegrityError, match="no_third_party"):
        session.execute(text("UPDATE messages SET channel = 'marketing' WHERE id = :row"), {"row": message.row})


def test_a_campaign_makes_a_message_for_each_who_may_get_it_and_no_row_for_others(session: Session) -> None:
    readers = [factories.contact(session, topics=["news"], locale=locale) for locale in ("en", "nl", "en")]
    gone = factories.contact(session, topics=["news"])
    consent.leave_all(session, gone, source="page", at=AT)
    factories.contact(session, origin=Origin.THIRD_PARTY)
    factories.contact(session)
    made = mailing(session)
    fan_out(session, made)
    rows = messages(session, made)
    assert {row.contact_id for row in rows} == {who.id for who in readers}
    assert {row.content_id == made.contents["nl"] for row in rows if row.contact_id == readers[1].id} == {True}
    assert made.state is MailingState.FANNED_OUT
    assert {row.state for row in rows} == {State.QUEUED}


def test_an_essential_mailing_keeps_a_row_for_who_cannot_be_reached(session: Session) -> None:
    factories.topic(session)
    dead, well = factories.contact(session, "dead@people.example"), factories.contact(session)
    contacts.close(session, factories.contact(session), AT)
    contacts.erase(session, factories.contact(session), AT)
    consent.suppress(session, "dead@people.example", SuppressionReason.HARD_BOUNCE, source="dsn", at=AT)
    consent.leave_all(session, well, source="page", at=AT)
    made = mailing(session, MailKind.NOTICE, audience.of_origins(["account_holder"]))
    fan_out(session, made)
    rows = {row.contact_id: row for row in messages(session, made)}
    assert set(rows) == {dead.id, well.id}
    assert rows[well.id].state is State.QUEUED
    found = rows[dead.id]
    assert (found.state, found.withheld, found.settled_at) == (State.WITHHELD, Withheld.DEAD_ADDRESS, AT)


def test_a_fan_out_done_again_gives_nobody_a_second_message_and_late_comers_their_first(session: Session) -> None:
    for _ in range(5):
        factories.contact(session, topics=["news"])
    made = mailing(session)
    fan_out(session, made)
    late = factories.contact(session, topics=["news"])
    for _ in range(2):
        outbox.again(made)
        fan_out(session, made)
    rows = messages(session, made)
    assert len(rows) == 6
    assert late.id in {row.contact_id for row in rows}


def test_the_count_before_is_what_the_fan_out_makes(session: Session) -> None:
    for _ in range(3):
        factories.contact(session, topics=["news"])
    consent.leave_all(session, factories.contact(session, topics=["news"]), source="page", at=AT)
    factories.contact(session, origin=Origin.THIRD_PARTY)
    factories.contact(session)
    made = mailing(session)
    count = queries.audience_count(session, MailKind.CAMPAIGN, made.audience)
    fan_out(session, made)
    assert count.included == len(messages(session, made)) == 3
    assert count.left_out == {Withheld.UNSUBSCRIBED: 1, Withheld.THIRD_PARTY: 1, Withheld.NO_CONSENT: 1}
    assert count.concerned == 6


def test_the_database_itself_refuses_two_messages_of_one_mailing_to_one_person(session: Session) -> None:
    factories.contact(session, topics=["news"])
    made = mailing(session)
    fan_out(session, made)
    row = messages(session, made)[0]
    twin = Message(**{name: getattr(row, name) for name in ("mailing_id", "contact_id", "kind", "channel", "origin")})
    for name in ("content_id", "key_id", "to_address", "state", "created_at", "due_at"):
        setattr(twin, name, getattr(row, name))
    session.add(twin)
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_mailing_without_words_and_an_unknown_audience_are_refused(session: Session) -> None:
    with pytest.raises(outbox.NoContent):
        outbox.create_mailing(session, kind=MailKind.ANNOUNCEMENT, subject_id="x", contents={}, audience={}, at=AT)
    with pytest.raises(audience.BadAudience, match="“all” is not a kind of audience"):
        queries.audience_count(session, MailKind.ANNOUNCEMENT, {"kind": "all"})


def test_kept_wording_is_one_row_also_when_kept_twice(session: Session) -> None:
    found = session.get_one(Message, put(session, factories.contact(session), "1").row).content
    assert outbox.keep_content(session, found) == found.id
    assert session.scalar(select(func.count()).select_from(type(found))) == 1


def test_forgetting_takes_the_person_out_of_the_record_of_mail(session: Session) -> None:
    anna = factories.contact(session, "anna@people.example")
    message = put(session, anna, "1", in_reply_to="<1@people.example>")
    outbox.forget(session, anna)
    session.refresh(message)
    kept = (message.to_address, message.name, message.company, message.facts, message.in_reply_to)
    assert kept == ("", "", "", None, None)
    assert message.contact_id == anna.id


def test_one_statement_writes_to_many_and_once(session: Session) -> None:
    anna, bas = factories.contact(session), factories.contact(session, locale="nl")
    dead, gone = factories.contact(session, "dead@people.example"), factories.contact(session)
    consent.suppress(session, "dead@people.example", SuppressionReason.HARD_BOUNCE, source="test", at=AT)
    gone.erased_at = AT
    session.flush()
    contents = {"en": factories.content(session, MailKind.WITHDRAWAL), "nl": factories.content(session)}
    to = select(Contact.id)
    for _ in range(2):
        outbox.put_to_many(session, kind=MailKind.WITHDRAWAL, to=to, contents=contents, key="withdrawal/ver_1/", at=AT)
    rows = {row.contact_id: row for row in session.scalars(select(Message).where(Message.kind == MailKind.WITHDRAWAL))}
    assert set(rows) == {anna.id, bas.id, dead.id}
    assert (rows[anna.id].state, rows[anna.id].due_at, rows[anna.id].key) == (
        State.QUEUED,
        AT,
        f"withdrawal/ver_1/{anna.id}",
    )
    assert rows[bas.id].content_id == contents["nl"]
    assert (rows[dead.id].state, rows[dead.id].withheld, rows[dead.id].due_at) == (
        State.WITHHELD,
        Withheld.DEAD_ADDRESS,
        None,
    )
