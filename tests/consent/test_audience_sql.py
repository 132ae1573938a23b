"""The rule of who may be written to exists twice, as Python and as SQL: here the two are held together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from mailer.consent import queries
from mailer.consent.models import ConsentEvent, Subscription, Suppression, Topic
from mailer.consent.rules import STOPS_ESSENTIAL, Act, Basis, Channel, SuppressionReason, why_withheld
from mailer.contacts.models import Address, Contact
from mailer.contacts.rules import Origin
from mailer.outbox import audience

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
TOPICS = ("news", "events")


@dataclass(frozen=True)
class Facts:
    """All that the rule looks at, as rows would hold it."""

    origin: Origin
    erased: bool
    closed: bool
    has_address: bool
    standing: frozenset[SuppressionReason]
    lifted: frozenset[SuppressionReason]
    said: tuple[bool | None, ...]  # per topic: subscribed, left, or nothing said


reasons = st.frozensets(st.sampled_from(SuppressionReason))
facts = st.builds(
    Facts,
    origin=st.sampled_from(Origin),
    erased=st.booleans(),
    closed=st.booleans(),
    has_address=st.booleans(),
    standing=reasons,
    lifted=reasons,
    said=st.tuples(*(st.sampled_from([True, False, None]) for _ in TOPICS)),
)


def every_combination() -> Iterable[Facts]:
    """Each fact on and off with each other, on one topic; suppressions one at a time and all together."""
    one_reason = [
        frozenset[SuppressionReason](),
        *(frozenset({r}) for r in SuppressionReason),
        frozenset(SuppressionReason),
    ]
    booleans = (False, True)
    for origin, erased, closed, has, standing, said in product(
        Origin, booleans, booleans, booleans, one_reason, (True, False, None)
    ):
        yield Facts(origin, erased, closed, has, standing, frozenset(), (said, None))


def put(session: Session, known: Iterable[Facts]) -> None:
    for key in TOPICS:
        session.add(Topic(key=key, name=key, wording=key))
    session.flush()
    rows: list[object] = []
    for number, fact in enumerate(known):
        who, key = f"con_{number:013}", f"p{number}@people.example"
        session.add(
            Contact(
                id=who,
                origin=fact.origin,
                name="",
                company="",
                locale="en",
                created_at=AT,
                erased_at=AT if fact.erased else None,
                closed_at=AT if fact.closed else None,
            )
        )
        if fact.has_address:
            rows.append(
                Address(id=f"adr_{number}", contact_id=who, email=key, email_key=key, is_primary=True, created_at=AT)
            )
        for reason in fact.standing | fact.lifted:
            for lifted_at in [None] * (reason in fact.standing) + [AT] * (reason in fact.lifted):
                stops = reason in STOPS_ESSENTIAL
                rows.append(
                    Suppression(email_key=key, reason=reason, stops_essential=stops, at=AT, lifted_at=lifted_at)
                )
        for topic, said in zip(TOPICS, fact.said, strict=True):
            if said is not None:
                act = Act.GRANTED if said else Act.WITHDRAWN
                event = ConsentEvent(
                    id=number * 2 + TOPICS.index(topic) + 1,
                    contact_id=who,
                    topic=topic,
                    act=act,
                    basis=Basis.CONSENT,
                    wording="",
                    source="",
                    at=AT,
                )
                rows += [
                    event,
                    Subscription(contact_id=who, topic=topic, is_subscribed=said, since=AT, event_id=event.id),
                ]
    session.flush()
    session.add_all(sorted(rows, key=lambda row: isinstance(row, Subscription)))
    session.flush()


def check(session: Session) -> int:
    compared = 0
    for channel, topic in ((Channel.ESSENTIAL, None), (Channel.MARKETING, "news"), (Channel.MARKETING, "events")):
        asked = audience.why_withheld(channel, topic), audience.may_go(channel, topic)
        query = select(Contact, *asked).join(
            Address, and_(Address.contact_id == Contact.id, Address.is_primary), isouter=True
        )
        for contact, said, may_go in session.execute(query):
            rule = why_withheld(channel, topic, queries.standing(session, contact))
            assert said == (rule.value if rule else None), (channel, topic, contact.id)
            assert bool(may_go) is (rule is None), (channel, topic, contact.id)
            compared += 1
    return compared


def test_the_sql_says_what_the_rule_says_on_every_combination(session: Session) -> None:
    known = list(every_combination())
    put(session, known)
    assert check(session) == 3 * len(known)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(facts, min_size=1, max_size=20))
def test_the_sql_says_what_the_rule_says_on_anything(session: Session, known: list[Facts]) -> None:
    try:
        put(session, known)
        assert check(session) == 3 * len(known)
    finally:
        session.rollback()
        session.expunge_all()
