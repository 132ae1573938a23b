from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer.consent import actions, queries
from mailer.consent.models import ConsentEvent, ConsentEvidence, Suppression
from mailer.consent.rules import Act, Basis, Channel, SuppressionReason, Withheld, why_withheld
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.ledger.models import Event
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
LATER, LATEST = AT + timedelta(hours=1), AT + timedelta(hours=2)


@pytest.fixture
def anna(session: Session) -> Contact:
    """Reads news and events, never said a word about releases."""
    factories.topic(session, "releases")
    return factories.contact(session, "anna@people.example", topics=["news", "events"], at=AT)


def grant(session: Session, who: Contact, topic: str, at: datetime, evidence: str = "form 7") -> ConsentEvent:
    return actions.grant(
        session, who, topic, basis=Basis.CONSENT, wording="Yes.", source="form", at=at, evidence=evidence
    )


def why(session: Session, who: Contact, topic: str = "news") -> Withheld | None:
    return why_withheld(Channel.MARKETING, topic, queries.standing(session, who))


def test_consent_needs_evidence_a_topic_and_a_person_of_their_own(session: Session, anna: Contact) -> None:
    with pytest.raises(actions.NoEvidence, match=r"^evidence: "):
        grant(session, anna, "news", AT, evidence=" ")
    with pytest.raises(queries.NoSuchTopic, match=r"“sport” is not a topic; the topics are: "):
        grant(session, anna, "sport", AT)
    stranger = factories.contact(session, origin=Origin.THIRD_PARTY)
    with pytest.raises(actions.ThirdParty, match=r"^origin: "):
        grant(session, stranger, "news", AT)


def test_what_was_said_is_kept_word_for_word_and_only_added(session: Session, anna: Contact) -> None:
    grant(session, anna, "releases", AT)
    actions.withdraw(session, anna, "releases", source="page", at=LATER)
    said = [(event.topic, event.act, event.source) for event in queries.history(session, anna.id)]
    assert said[-2:] == [("releases", Act.GRANTED, "form"), ("releases", Act.WITHDRAWN, "page")]
    session.commit()
    for statement in ("UPDATE consent_events SET wording = ''", "DELETE FROM consent_events"):
        with pytest.raises(DatabaseError, match="append-only"):
            session.execute(text(statement))
        session.rollback()


def test_leaving_stops_all_marketing_and_no_essential_mail(session: Session, anna: Contact) -> None:
    assert actions.leave_all(session, anna, source="one-click", at=LATER) == ["events", "news"]
    assert actions.leave_all(session, anna, source="one-click", at=LATEST) == []
    assert why(session, anna) is why(session, anna, "releases") is Withheld.UNSUBSCRIBED
    assert why_withheld(Channel.ESSENTIAL, None, queries.standing(session, anna)) is None
    session.commit()
    told = [event.data for event in session.scalars(select(Event)) if event.data["act"] == "withdrawn"]
    assert {(data["contact"], data["topic"]) for data in told} == {(anna.id, "events"), (anna.id, "news")}
    assert len(told) == 2


def test_undo_brings_back_what_stopped_with_the_last_leaving_and_nothing_else(session: Session, anna: Contact) -> None:
    actions.withdraw(session, anna, "events", source="page", at=AT + timedelta(minutes=1))
    actions.leave_all(session, anna, source="one-click", at=LATER)
    actions.leave_all(session, anna, source="one-click", at=LATEST)  # pressed twice
    assert actions.undo_leave(session, anna, source="undo", at=LATEST) == ["news"]
    assert why(session, anna) is None
    assert why(session, anna, "events") is Withheld.UNSUBSCRIBED
    assert actions.undo_leave(session, anna, source="undo", at=LATEST) == []
    evidence = session.scalars(select(ConsentEvidence.evidence)).all()
    assert any("undo pressed" in words for words in evidence)


def test_undo_gives_a_third_party_nothing(session: Session) -> None:
    stranger = factories.contact(session, origin=Origin.THIRD_PARTY)
    actions.leave_all(session, stranger, source="page", at=AT)
    assert actions.undo_leave(session, stranger, source="page", at=LATER) == []


def test_a_persons_later_word_counts_and_an_earlier_one_that_comes_late_does_not_lift_a_leaving(
    session: Session, anna: Contact
) -> None:
    actions.leave_all(session, anna, source="one-click", at=LATER)
    grant(session, anna, "releases", AT)
    assert why(session, anna, "releases") is Withheld.UNSUBSCRIBED
    grant(session, anna, "news", LATEST)
    assert why(session, anna) is None
    assert why(session, anna, "events") is Withheld.UNSUBSCRIBED


def test_choosing_turns_topics_on_and_off(session: Session, anna: Contact) -> None:
    actions.choose(session, anna, {"releases", "news"}, source="preferences", at=LATER)
    assert [why(session, anna, topic) for topic in ("news", "releases", "events")] == [
        None,
        None,
        Withheld.UNSUBSCRIBED,
    ]
    before = len(queries.history(session, anna.id))
    actions.choose(session, anna, {"releases", "news"}, source="preferences", at=LATEST)
    assert len(queries.history(session, anna.id)) == before


def test_choosing_nothing_is_leaving_all_and_choosing_takes_a_leaving_back(session: Session, anna: Contact) -> None:
    actions.choose(session, anna, set(), source="preferences", at=LATER)
    assert why(session, anna, "releases") is Withheld.UNSUBSCRIBED
    assert queries.left_at(session, anna, "releases") == LATER
    actions.choose(session, anna, {"news"}, source="preferences", at=LATEST)
    assert why(session, anna) is None


def test_a_third_party_cannot_choose(session: Session, anna: Contact) -> None:
    stranger = factories.contact(session, origin=Origin.THIRD_PARTY)
    actions.choose(session, stranger, {"news"}, source="preferences", at=AT)
    assert queries.subscriptions(session, stranger.id) == {}


def test_a_leaving_is_known_under_every_address_of_the_person(session: Session, anna: Contact) -> None:
    actions.leave_all(session, anna, source="one-click", at=LATER)
    for email in ("anna@people.example", "moved@people.example"):
        who = contacts.upsert(session, email=email, origin=anna.origin, at=LATEST, source="test", reference="r-1")
        assert who is anna
    assert anna.primary is not None
    assert anna.primary.email == "moved@people.example"
    assert queries.left_at(session, anna, "releases") == LATER


def test_a_suppression_stands_once_and_stays_as_history_when_lifted(session: Session) -> None:
    key, reason = "dead@people.example", SuppressionReason.HARD_BOUNCE
    assert actions.suppress(session, key, reason, source="dsn", at=AT)
    assert not actions.suppress(session, key, reason, source="dsn", at=LATER)
    assert queries.reasons_against(session, key) == {reason}
    assert actions.lift(session, key, reason, LATER) == AT
    assert actions.lift(session, key, reason, LATER) is None
    assert actions.suppress(session, key, reason, source="dsn", at=LATEST)
    assert [row.lifted_at for row in session.scalars(select(Suppression).order_by(Suppression.id))] == [LATER, None]


def test_forgetting_takes_evidence_and_the_address_and_keeps_what_was_said(session: Session, anna: Contact) -> None:
    actions.leave_all(session, anna, source="one-click", at=LATER)
    actions.forget(session, anna)
    assert session.scalars(select(ConsentEvidence)).all() == []
    assert len(queries.history(session, anna.id)) == 4
    keys = session.scalars(select(Suppression.email_key)).all()
    assert len(keys) == 1
    assert keys[0].startswith("erased:")
    assert "anna" not in keys[0]
