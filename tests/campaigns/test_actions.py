"""Campaigns and announcements: written, tried, sent once, to those who may get them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.campaigns import actions, queries
from mailer.campaigns.actions import AlreadySent, NotReady
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import State
from mailer.consent import actions as consent
from mailer.consent.rules import Channel, Withheld
from mailer.contacts.rules import Origin
from mailer.delivery import compose
from mailer.errors import Invalid
from mailer.outbox import actions as outbox
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff
from tests import factories

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
BODY = "Search is faster, {{ first_name }}.\n\n[Try it](https://trac.example/search)"


@pytest.fixture
def author(session: Session) -> Staff:
    factories.topic(session)
    return factories.staff(session)


def written(session: Session, author: Staff, kind: MailKind = MailKind.CAMPAIGN, body: str = BODY) -> Campaign:
    topic = "news" if kind is MailKind.CAMPAIGN else None
    campaign = actions.create(session, kind=kind, name="November", topic=topic, author_id=author.id, at=AT)
    actions.edit(session, campaign, name="November", subject="News for {{ first_name }}", body=body, topic=topic, at=AT)
    return campaign


def fan_out(session: Session, campaign: Campaign) -> list[Message]:
    mailing = actions.send(session, campaign, campaign.author_id, AT)
    while outbox.fan_out_slice(session, mailing, AT):
        pass
    return list(session.scalars(select(Message).where(Message.mailing_id == mailing.id).order_by(Message.to_address)))


def test_only_people_who_may_get_it_do_and_each_mail_is_personal(session: Session, author: Staff) -> None:
    factories.contact(session, "anna@people.example", topics=["news"], name="Anna de Vries", locale="nl")
    factories.contact(session, "bob@people.example", topics=["news"], name="Bob Jones", origin=Origin.SUBSCRIBER)
    factories.contact(session, "carl@people.example")
    left = factories.contact(session, "dora@people.example", topics=["news"])
    consent.leave_all(session, left, source="test", at=AT)
    factories.contact(session, "third@people.example", origin=Origin.THIRD_PARTY)
    campaign = written(session, author)
    count = queries.audience(session, campaign).count
    assert count.included == 2
    assert count.left_out == {Withheld.UNSUBSCRIBED: 1, Withheld.NO_CONSENT: 1, Withheld.THIRD_PARTY: 1}
    anna, bob = fan_out(session, campaign)
    assert (anna.to_address, bob.to_address) == ("anna@people.example", "bob@people.example")
    assert compose.render(bob.content, compose.values(bob)).subject == "News for Bob"
    mail = compose.render(anna.content, compose.values(anna))
    assert "Beste Anna," in mail.text
    assert "Search is faster, Anna." in mail.text
    assert "Search is faster, Anna." in mail.html
    assert "Afmelden" in mail.html
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in compose.compose(anna).data


def test_a_value_of_a_person_is_text_in_html(session: Session, author: Staff) -> None:
    factories.contact(session, "anna@people.example", topics=["news"], name="<b>Anna</b>")
    [message] = fan_out(session, written(session, author))
    assert "&lt;b&gt;Anna&lt;/b&gt;" in compose.render(message.content, compose.values(message)).html


def test_it_goes_out_once(session: Session, author: Staff) -> None:
    factories.contact(session, topics=["news"])
    campaign = written(session, author)
    actions.send(session, campaign, author.id, AT)
    assert campaign.state is State.SENT
    with pytest.raises(AlreadySent):
        actions.send(session, campaign, author.id, AT)
    with pytest.raises(AlreadySent):
        actions.edit(session, campaign, name="x", subject="x", body="x", topic="news", at=AT)
    with pytest.raises(AlreadySent):
        actions.send_test(session, campaign, author, AT)


def test_what_was_sent_stays_though_the_topic_is_renamed(session: Session, author: Staff) -> None:
    factories.contact(session, topics=["news"])
    campaign = written(session, author)
    [message] = fan_out(session, campaign)
    before = compose.compose(message).sha256
    consent.add_topic(session, "news", "Other words", "Yes.")
    assert compose.compose(message).sha256 == before


def test_an_announcement_is_essential_and_goes_to_account_holders_whatever_they_left(
    session: Session, author: Staff
) -> None:
    anna = factories.contact(session, "anna@people.example", topics=["news"])
    consent.leave_all(session, anna, source="test", at=AT)
    factories.contact(session, "reader@people.example", origin=Origin.SUBSCRIBER, topics=["news"])
    campaign = written(session, author, MailKind.ANNOUNCEMENT)
    [message] = fan_out(session, campaign)
    assert (message.to_address, message.channel) == ("anna@people.example", Channel.ESSENTIAL)
    assert b"List-Unsubscribe" not in compose.compose(message).data


def test_an_announcement_never_carries_promotion(session: Session, author: Staff) -> None:
    factories.contact(session)
    campaign = written(session, author, MailKind.ANNOUNCEMENT, body="Upgrade now and get a discount.")
    with pytest.raises(NotReady, match="promotion"):
        actions.send(session, campaign, author.id, AT)


def test_a_test_mail_goes_to_the_writer_and_concerns_nobody(session: Session, author: Staff) -> None:
    campaign = written(session, author)
    message = actions.send_test(session, campaign, author, AT)
    again = actions.send_test(session, campaign, author, AT)
    assert message.row != again.row
    assert (message.to_address, message.contact_id, message.mailing_id) == (author.email, None, None)
    assert message.channel is Channel.MARKETING
    assert compose.render(message.content, compose.values(message)).subject == "News for Sam"


def test_a_test_mail_is_the_real_mail(session: Session, author: Staff) -> None:
    factories.contact(session, topics=["news"])
    campaign = written(session, author)
    test = actions.send_test(session, campaign, author, AT)
    [real] = fan_out(session, campaign)
    assert test.content_id == real.content_id


@pytest.mark.parametrize("body", ["", "{{ nope }}"])
def test_what_cannot_be_a_mail_is_not_sent(session: Session, author: Staff, body: str) -> None:
    factories.contact(session, topics=["news"])
    campaign = written(session, author)
    campaign.body = body
    session.flush()
    with pytest.raises(NotReady):
        actions.send(session, campaign, author.id, AT)
    assert campaign.state is State.DRAFT


def test_nobody_to_get_it_is_a_fault(session: Session, author: Staff) -> None:
    with pytest.raises(NotReady, match="Nobody"):
        actions.send(session, written(session, author), author.id, AT)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"subject": "a\nb"}, "subject"),
        ({"subject": "{{ nope }}"}, "subject"),
        ({"body": "{{ nope }}"}, "body"),
        ({"topic": None}, "topic"),
        ({"topic": "other"}, "topic"),
    ],
)
def test_a_fault_names_its_field_and_changes_nothing(
    session: Session, author: Staff, change: dict[str, str], field: str
) -> None:
    campaign = written(session, author)
    data = {"name": "Other", "subject": "Other", "body": "Other", "topic": "news"} | change
    with pytest.raises(Exception) as refused:
        actions.edit(session, campaign, at=AT, **data)
    assert getattr(refused.value, "field", None) == field
    assert not session.dirty
    assert campaign.name == "November"


def test_notices_are_not_written_here(session: Session, author: Staff) -> None:
    with pytest.raises(Invalid, match="kind"):
        actions.create(session, kind=MailKind.NOTICE, name="x", topic=None, author_id=author.id, at=AT)


def test_looking_keeps_nothing(session: Session, author: Staff) -> None:
    campaign = written(session, author)
    actions.render(session, campaign, "nl")
    assert session.scalars(select(Content)).all() == []
